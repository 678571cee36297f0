"""``planton adopt``: a resource changes its owner, between a manifest and the NodePool API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import planton
from planton import errors
from planton.cli import complete, nodepools_options, options, output, render, state_options
from planton.manifest import stack_input

if TYPE_CHECKING:
    from planton import client
    from planton.config import settings as engine_settings


@click.command()
@click.argument("resource", metavar="KIND/NAME", shell_complete=complete.resource)
@click.option("--release", is_flag=True, help="Move it back under a manifest, and delete the API's object.")
@options.which
@options.engine
@nodepools_options.server
@click.option("--yes", "-y", is_flag=True, help="Skip the confirmation.")
@output.output_option("text", "json")
def adopt(
    *,
    resource: str,
    release: bool,
    env: str | None,
    stack: str,
    settings: engine_settings.Settings,
    api: client.Transport,
    yes: bool,
    form: str,
) -> None:
    """Move a cluster or a node pool of a manifest under the NodePool API.

    Nothing changes in the cloud. The API gets an object with the spec of the
    manifest, and controllers continue from there. The controllers must use the same
    backend. With --release the API's object becomes a manifest, which is printed;
    --env is then the environment of the manifest. After an interruption, run the
    same command again.

    Exit codes: 0 moved, 1 not applied, 2 usage, 5 refused, 6 the API cannot be
    reached, 7 locked, 8 no user or token.
    """
    from planton.controllers import adoption, manifests  # noqa: PLC0415  # Pulumi takes 100 ms of each `--help`

    applied = _applied(resource, env=env, stack=stack, settings=settings, release=release)
    with planton.states(settings) as states:
        moving = adoption.Adoption(api, states)
        if not release:
            offer = moving.offer(applied)
            render.progress(f"{applied.key} ({applied.identity}) becomes an object of the API: {offer.body['name']}")
            options.confirm("Move it under the API?", yes=yes)
            id_ = moving.adopt(offer)
            state_options.report(form, f"controllers own it now; its id is {id_}", id=id_, stack=f"{manifests.PROJECT}/{id_}")
            return
        manifest_env = env or ""
        offer = moving.offer_release(applied, manifest_env)
        render.progress(f"{applied.key} ({applied.identity}) leaves the API; its stack becomes {offer.target}")
        options.confirm("Release it from the API?", yes=yes)
        manifest = stack_input.as_dict(moving.release(offer, manifest_env))
    if form == "json":
        render.echo_json({"stack": str(offer.target), "manifest": manifest})
    else:
        render.echo_yaml([manifest])
    render.progress("the API no longer owns it; save the manifest, and apply it from now on")


def _applied(resource: str, *, env: str | None, stack: str, settings: engine_settings.Settings, release: bool) -> planton.Applied:
    """Returns the resource. A resource of the API has no environment: there the option is that of the manifest."""
    if not release:
        return planton.find(resource, env=options.env_of(settings, env), stack=stack, settings=settings)
    try:
        return planton.find(resource, env="", stack=stack, settings=settings)
    except errors.PlantonError as error:
        if error.reason is not errors.Reason.STACK_NOT_FOUND:
            raise
    # An interrupted release has moved it already.
    return planton.find(resource, env=env, stack=stack, settings=settings)
