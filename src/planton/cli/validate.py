"""``planton validate``: check manifests against the schema and its rules. No cloud is called."""

from __future__ import annotations

import click

from planton import errors
from planton.cli import check, output, policing, sarif
from planton.cli import paths as path_options


@click.command()
@path_options.arguments
@click.option("--kustomize-dir", type=click.Path(), metavar="DIR", help="Build this folder with kustomize and check the result.")
@click.option("--overlay", metavar="NAME", help="The overlay in it: overlays/NAME, or NAME.")
@click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Set a field first, e.g. spec.nodeCount=5. May repeat."
)
@policing.option
@output.output_option("text", "json", "sarif")
@click.pass_context
def validate(  # click passes each option as an argument
    context: click.Context,
    *,
    paths: tuple[str, ...],
    kustomize_dir: str | None,
    overlay: str | None,
    overrides: tuple[str, ...],
    policy_files: tuple[str, ...],
    form: str,
) -> None:
    """Check manifests against the schema and its rules.

    PATH is a YAML or JSON file, a folder (all such files below it), or - for
    standard input. Every violation of every document is shown, as

        file:line:column: field.path: message [rule-id]

    With --policy, valid manifests are also checked against the rules in FILE.
    Violations of level warning are shown and do not fail.

    Exit codes: 0 valid, 1 violations, 2 a file cannot be read or a policy is
    invalid.
    """
    if overlay is not None and kustomize_dir is None:
        raise click.UsageError("--overlay needs --kustomize-dir")
    if not (paths or kustomize_dir):
        raise click.UsageError("pass a file, a folder, - for standard input, or --kustomize-dir")
    try:
        rules = policing.load(policy_files)
    except errors.InvalidError as error:
        if form == "sarif":
            output.echo(sarif.dumps(error.violations, []))
        raise
    code = check.run(paths, kustomize_dir=kustomize_dir, overlay=overlay, overrides=overrides, rules=rules, form=form)
    context.exit(code)
