"""``planton import``: takes an existing resource into a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from planton import errors
from planton.cli import options, output, render
from planton.deploy import accounts
from planton.deploy.run import Run

if TYPE_CHECKING:
    from planton.config import settings as engine_settings


@click.command("import")
@click.argument("resource", metavar="KIND/NAME")
@click.argument("id_", metavar="ID")
@options.sources
@options.engine
@options.take_over
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@output.output_option("text", "json")
def import_(
    *,
    resource: str,
    id_: str,
    given: options.Sources,
    settings: engine_settings.Settings,
    take_over: tuple[str, ...],
    yes: bool,
    form: str,
) -> None:
    """Adopt an existing cloud resource under a manifest.

    KIND/NAME is the resource in the manifests given with -f; ID is the cloud's
    id of it. The id of a node pool is CLUSTER-ID:POOL, or the pool's id or name
    alone if the manifest names the cluster. Importing a cluster also imports
    its existing additional pools. At Civo it also imports the firewall that
    planton created for it: CLUSTER-NAME-firewall, in the same network.

    Exit codes: 0 done, 1 invalid, 2 usage, 5 refused, 6 the cloud failed.
    """
    kind, name = options.resource(resource)
    run = Run(given.read(), settings, options.tools(settings), on_event=render.Reporter(quiet=form == "json"))
    found = [key for key in run.order if (key.kind, key.name) == (kind.name, name)]
    if len(found) != 1:
        raise errors.PlantonError(
            f"{kind.name}/{name} is not among the manifests given" if not found else f"{kind.name}/{name} is given twice",
            code=errors.Code.USAGE,
            reason=errors.Reason.USAGE,
            hint="give its manifest with -f FILE",
        )
    options.take_overs_allowed([run.owned(found[0])], take_over)
    adoption = run.adoption(found[0], id_)
    used = run.used_accounts()
    if form == "text":
        render.echo_accounts(used)
    for note in adoption.notes:
        output.warn(note)
    question = f"Import {', '.join(adoption.imports.values())} as {found[0]}, and change it to what the manifest says"
    options.consent(accounts.question(question, used), yes=yes)
    step = run.adopt(found[0], adoption)
    if form == "json":
        render.echo_json(render.steps_data("import", [step], accounts=used))
    else:
        render.echo_lines([*render.plan_lines([step]), *render.result_lines([step])])
    raise SystemExit(render.worst([step]))
