"""``planton validate``: check manifests against the schema and its rules. Nothing is asked of any cloud."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from planton import errors, flow, manifest
from planton.cli import output

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclasses.dataclass(slots=True)
class _Result:
    """What was found."""

    files: int = 0
    documents: int = 0
    listed: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    violations: list[errors.Violation] = dataclasses.field(default_factory=list)
    unreadable: list[errors.PlantonError] = dataclasses.field(default_factory=list)

    @property
    def code(self) -> int:
        """The exit code: 0 all is valid, 1 something is not, 2 something cannot be read."""
        return max([0, *(error.code for error in self.unreadable)]) or int(bool(self.violations))


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("-f", "--file", "files", multiple=True, metavar="PATH", help="A file, a folder, or - for standard input. May repeat.")
@click.option("--kustomize-dir", metavar="DIR", help="Build this folder with kustomize and check the result.")
@click.option("--overlay", metavar="NAME", help="The overlay in it: overlays/NAME, or NAME.")
@click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Set a field first, e.g. spec.nodeCount=5. May repeat.")
@output.output_option("text", "json", "sarif")
@click.pass_context
def validate(  # noqa: PLR0913  # click passes each option as an argument
    context: click.Context,
    *,
    paths: tuple[str, ...],
    files: tuple[str, ...],
    kustomize_dir: str | None,
    overlay: str | None,
    overrides: tuple[str, ...],
    output: str,
) -> None:
    """Check manifests against the schema and its rules.

    PATH is a YAML or JSON file, a folder (all such files below it), or - for
    standard input. Every violation of every document is shown, as

        file:line:column: field.path: message [rule-id]

    The exit code is 0 if all is valid, 1 if something is not, 2 if something
    cannot be read.
    """
    if overlay is not None and kustomize_dir is None:
        raise click.UsageError("--overlay needs --kustomize-dir")
    if not (paths or files or kustomize_dir):
        raise click.UsageError("give a file, a folder, - for standard input, or --kustomize-dir")
    result = _Result()
    _check(result, (*files, *paths), kustomize_dir, overlay, manifest.Overrides(overrides))
    _SHOW[output](result)
    context.exit(result.code)


def _check(
    result: _Result, paths: tuple[str, ...], kustomize_dir: str | None, overlay: str | None, overrides: manifest.Overrides
) -> None:
    for file, data in _readable(result, paths, kustomize_dir, overlay):
        documents, violations = flow.collect(data, file=file, overrides=overrides)
        result.files += 1
        result.documents += max(len(documents), len({violation.document for violation in violations}))
        result.violations += violations
        wrong = {violation.document for violation in violations}
        result.listed += [
            {"file": file, "index": one.index, "kind": one.kind.name, "name": _name(one), "valid": one.index not in wrong}
            for one in documents
        ]
    overrides.finish()


def _name(document: manifest.Document) -> str:
    return str(document.message.metadata.name)  # type: ignore[attr-defined]  # every manifest has metadata


def _readable(
    result: _Result, paths: tuple[str, ...], kustomize_dir: str | None, overlay: str | None
) -> Iterator[tuple[str, bytes]]:
    # One path that cannot be read does not hide what is wrong in the others.
    for path in paths:
        try:
            yield from manifest.sources([path])
        except errors.PlantonError as error:
            result.unreadable.append(error)
    try:
        yield from flow.built(kustomize_dir, overlay)
    except errors.PlantonError as error:
        result.unreadable.append(error)


def _show_text(result: _Result) -> None:
    for violation in result.violations:
        output.show_violation(violation)
    for error in result.unreadable:
        output.show_error(error)
    click.echo(_summary(result))


def _summary(result: _Result) -> str:
    checked = f"{_count(result.documents, 'document')} in {_count(result.files, 'file')}"
    if result.violations:
        wrong = len({(violation.file, violation.document) for violation in result.violations})
        text = f"{checked}: {_count(len(result.violations), 'violation')} in {_count(wrong, 'document')}"
    else:
        text = f"{checked}: valid" if result.documents else f"{checked}"
    return text + (f"; {_count(len(result.unreadable), 'path')} could not be read" if result.unreadable else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _show_json(result: _Result) -> None:
    import json  # noqa: PLC0415  # text output does without

    data = {
        "valid": result.code == 0,
        "documents": result.listed,
        "violations": [dataclasses.asdict(violation) for violation in result.violations],
        "errors": [error.as_dict() for error in result.unreadable],
    }
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def _show_sarif(result: _Result) -> None:
    from planton.cli import sarif  # noqa: PLC0415  # text output does without

    click.echo(sarif.dumps(result.violations, result.unreadable))


_SHOW = {"text": _show_text, "json": _show_json, "sarif": _show_sarif}
