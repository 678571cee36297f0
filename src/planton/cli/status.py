"""``planton status``: shows all problems on one screen."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

import click

import planton
from planton import errors
from planton.base import terminal
from planton.cli import columns, options, output, render, watching

if TYPE_CHECKING:
    from planton.config import settings as engine_settings

_SIGNS = {"error": ("✗", "red"), "warning": ("!", "yellow"), "note": ("·", "dim")}


@click.command()
@options.engine
@click.option("--env", default=None, metavar="ENV", help="Only this environment.")
@options.labels
@output.output_option("text", "json")
@watching.option
def status(
    *,
    settings: engine_settings.Settings,
    env: str | None,
    labels: tuple[tuple[str, str], ...],
    form: str,
    watch: bool,
    interval: float,
) -> None:
    """Show the problems of applied resources, the most urgent first.

    Nodes that are not ready, missing resources and failed operations; then
    drift, cordoned nodes, versions out of support, certificates that end
    within 30 days, and locks of ended processes. Notes, such as an upgrade that
    is offered, need no action.

    Exit codes: 0 all is well, 2 usage, 3 something is not.
    """
    listed = planton.Filter(env=env, labels=labels)
    if watch:
        screens = watching.repeat(lambda: lines(planton.health(listed, settings=settings)), interval)
        watching.screens(screens)
    health = planton.health(listed, settings=settings)
    if form == "json":
        render.echo_json(_data(health))
    else:
        render.echo_lines(lines(health))
    if not health.is_well:
        raise SystemExit(int(errors.Code.DRIFT))


def lines(health: planton.Health) -> list[str]:
    """Returns the screen: findings, then the resources."""
    if not health.overviews and not health.findings:
        return ["nothing has been applied"]
    shown = []
    for finding in health.findings:
        sign, colour = _SIGNS[finding.level.name.lower()]
        text = terminal.one_line(f"{finding.resource}: {finding.message}")
        shown.append(terminal.style(f"{sign} {text}", colour))
        shown += [f"  → {terminal.one_line(finding.hint)}"] if finding.hint and finding.level.name != "NOTE" else []
    summary = terminal.style("All is well.", "green") if health.is_well else _summary(health)
    return [*shown, *([""] if shown else []), *columns.table(health.overviews, wide=False), "", summary]


def _summary(health: planton.Health) -> str:
    counts = collections.Counter(finding.level.name.lower() for finding in health.findings)
    parts = [f"{counts[level]} {level}{'s' if counts[level] > 1 else ''}" for level in _SIGNS if counts[level]]
    return terminal.style(", ".join(parts), "bold")


def _data(health: planton.Health) -> dict[str, Any]:
    return {
        "ok": health.is_well,
        "findings": [finding.as_dict() for finding in health.findings],
        "resources": [columns.item(each) for each in health.overviews],
    }
