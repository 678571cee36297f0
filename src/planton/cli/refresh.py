"""``planton refresh``: updates the state from the cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import planton
from planton.cli import options, output, plan_data, plans, progress, render

if TYPE_CHECKING:
    from planton.config import settings as engine_settings
    from planton.manifest import selection


@click.command()
@options.applied_resources
@click.option("-y", "--yes", is_flag=True, expose_value=False, help="Accepted for scripts: nothing is asked.")
@output.output_option("text", "json")
def refresh(*, resources: tuple[str, ...], selected: selection.Selection, settings: engine_settings.Settings, form: str) -> None:
    """Read the cloud and correct the state; the cloud is not changed.

    A resource counts as missing only if the cloud confirms it. The
    next apply repairs what differs.

    Exit codes: 0 done, 1 not applied, 2 usage, 6 the cloud failed.
    """
    display = progress.of(settings, quiet=form == "json")
    with display.reading():
        done = planton.refresh(options.applied(resources, selected, display.settings), settings=display.settings)
    if form == "json":
        render.echo_json(plan_data.of_steps("refresh", done, accounts=render.accounts_of(done)))
    else:
        render.echo_lines(f"{step.key}: the state is as the cloud says" for step in done if step.error is None)
    plans.echo_errors(done)
    raise SystemExit(plans.worst(done))
