"""What ``planton validate`` does, without the framework of the command line, which a hook should not pay for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from planton import errors, flow, manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from planton.manifest import assignment


class _Result:
    """What was found."""

    def __init__(self) -> None:
        """Starts with nothing."""
        self.files = 0
        self.documents = 0
        self.listed: list[dict[str, Any]] = []
        self.violations: list[errors.Violation] = []
        self.faults = 0
        self.faulty = 0
        self.unreadable: list[errors.PlantonError] = []

    @property
    def code(self) -> int:
        """The exit code: 0 all is valid, 1 something is not, 2 something cannot be read."""
        return max([0, *(error.code for error in self.unreadable)]) or int(bool(self.faults))


def run(
    paths: Sequence[str],
    *,
    kustomize_dir: str | None = None,
    overlay: str | None = None,
    overrides: Sequence[str] = (),
    form: str = "text",
) -> int:
    """Checks manifests, prints what is wrong and a summary, and returns the exit code.

    Args:
        paths: Files, folders, ``-``.
        kustomize_dir: A folder to build with kustomize, beside them.
        overlay: The overlay in it.
        overrides: ``PATH=VALUE`` to set first.
        form: ``text``, ``json`` or ``sarif``.

    Raises:
        PlantonError: ``USAGE``: an override does not fit.
    """
    result = _Result()
    take = _print_violations if form == "text" else result.violations.extend
    _check(result, _readable(result, paths, kustomize_dir, overlay), manifest.overrides(overrides), take)
    _SHOW[form](result)
    return result.code


def _check(
    result: _Result,
    sources: Iterator[tuple[str, bytes]],
    overrides: assignment.Overrides | None,
    take: Callable[[list[errors.Violation]], None],
) -> None:
    for file, data in sources:
        documents, violations = flow.collect(data, file=file, overrides=overrides)
        result.files += 1
        result.documents += max(len(documents), len({violation.document for violation in violations}))
        wrong = {violation.document for violation in violations}
        result.faults += len(violations)
        result.faulty += len(wrong)
        if violations:
            take(violations)
        result.listed += [
            {"file": file, "index": one.index, "kind": one.kind.name, "name": _name(one), "valid": one.index not in wrong}
            for one in documents
        ]
    if overrides is not None:
        overrides.finish()


def _name(document: manifest.Document) -> str:
    return str(document.message.metadata.name)  # type: ignore[attr-defined]  # every manifest has metadata


def _readable(
    result: _Result, paths: Sequence[str], kustomize_dir: str | None, overlay: str | None
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


def _print_violations(violations: list[errors.Violation]) -> None:
    # At once, file by file: the violations of a large folder are not kept.
    from planton.cli import output  # all is well, mostly

    for violation in violations:
        output.show_violation(violation)


def _show_text(result: _Result) -> None:
    if result.unreadable:
        from planton.cli import output  # as above

        for error in result.unreadable:
            output.show_error(error)
    _print(_summary(result))


def _summary(result: _Result) -> str:
    checked = f"{_count(result.documents, 'document')} in {_count(result.files, 'file')}"
    if result.faults:
        text = f"{checked}: {_count(result.faults, 'violation')} in {_count(result.faulty, 'document')}"
    else:
        text = f"{checked}: valid" if result.documents else f"{checked}"
    return text + (f"; {_count(len(result.unreadable), 'path')} could not be read" if result.unreadable else "")


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _show_json(result: _Result) -> None:
    import dataclasses  # as above
    import json  # text output does without

    data = {
        "valid": result.code == 0,
        "documents": result.listed,
        "violations": [dataclasses.asdict(violation) for violation in result.violations],
        "errors": [error.as_dict() for error in result.unreadable],
    }
    _print(json.dumps(data, indent=2, ensure_ascii=False))


def _show_sarif(result: _Result) -> None:
    from planton.cli import sarif  # text output does without

    _print(sarif.dumps(result.violations, result.unreadable))


_SHOW = {"text": _show_text, "json": _show_json, "sarif": _show_sarif}
