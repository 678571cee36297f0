"""``planton upgrade``: upgrades clusters in waves."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

import planton
from planton.base import terminal
from planton.cli import complete, options, output, planning, plans, progress, render

if TYPE_CHECKING:
    from planton import errors
    from planton.config import settings as engine_settings
    from planton.manifest import selection


@click.command()
@click.argument("clusters", nargs=-1, metavar="[CLUSTER]...", shell_complete=complete.resource)
@options.sources
@options.engine
@click.option(
    "--to", "version", required=True, metavar="VERSION", help="The version, e.g. 1.31.2.", shell_complete=complete.version
)
@click.option(
    "--max-parallel", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="Clusters at the same time."
)
@click.option(
    "--pause-between",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Time between a healthy wave and the next.",
)
@click.option("--yes", "-y", is_flag=True, help="Skip the confirmation.")
def upgrade(
    *,
    clusters: tuple[str, ...],
    selected: selection.Selection,
    settings: engine_settings.Settings,
    version: str,
    max_parallel: int,
    pause_between: float,
    yes: bool,
) -> None:
    r"""Upgrade clusters one after the other: manifests first, then the cloud.

    Writes the version into the manifests, applies them, and waits until all
    nodes of a cluster run it and are ready, before the next cluster. The cloud
    upgrades a control plane before its node pools. It stops at the first
    cluster that fails or is not healthy in time; the same command continues.
    Without -f, the manifests are those of this folder.

    \b
      planton upgrade --env staging --to 1.31.2 --max-parallel 2
      planton upgrade cluster/dev -f clusters --to 1.31.2

    Exit codes: 0 done, 1 invalid, 2 usage, 5 refused, 6 the cloud failed or a
    cluster is not healthy.
    """
    chosen = selected if selected.has_sources else dataclasses.replace(selected, paths=(".",))
    display = progress.of(settings)
    with display.planning():
        planned = planton.plan_upgrade(
            chosen.read(),
            version,
            names=[options.cluster_name(name) for name in clusters],
            settings=display.settings,
            on_progress=display.listener,
        )
    planning.show(planned.plan, "text")
    if planned.plan.error is not None:
        raise SystemExit(plans.worst(planned.plan.all_steps))
    planning.approve(planned.plan, planton.Consent(), verb="Upgrade", yes=yes)
    remaining = [str(target.key) for target in planned.targets]
    failed: errors.PlantonError | None = None
    with display.working("Upgrading") as lasted:
        for target, problem in planton.upgrade(planned, planton.Consent(changes=True), planton.Pace(max_parallel, pause_between)):
            remaining.remove(str(target.key))
            failed = failed or problem
            mark = terminal.style("✓", "green") if problem is None else terminal.style("✗", "red")
            state = f"{target.old} → {target.version}, healthy" if problem is None else "stopped"
            render.progress(f"{mark} {target.key}: {state}")
    if failed is None:
        count = len(planned.targets)
        render.echo_lines([f"Upgrade: {count} cluster{' runs' if count == 1 else 's run'} {version}{lasted()}"])
        return
    if remaining:
        output.warn(f"not tried: {', '.join(remaining)}; run the same command again to continue")
    raise failed
