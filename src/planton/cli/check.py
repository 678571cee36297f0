"""Prints the result of ``planton validate``, without the framework of the command line, which costs a hook its time."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import planton
from planton import errors, manifest
from planton.base import terminal
from planton.cli import sarif, streams
from planton.manifest import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planton.deploy import check
    from planton.manifest import policies


@dataclasses.dataclass(slots=True)
class _Report:
    """The sums over all batches. Text output keeps no violations: a folder may have very many."""

    files: int = 0
    documents: int = 0
    faults: int = 0
    warnings: int = 0
    entries: list[check.Entry] = dataclasses.field(default_factory=list)
    violations: list[errors.Violation] = dataclasses.field(default_factory=list)
    faulty: set[tuple[str, int]] = dataclasses.field(default_factory=set)
    unreadable: list[errors.PlantonError] = dataclasses.field(default_factory=list)

    @property
    def code(self) -> int:
        """The exit code: 0 all is valid, 1 something is not, 2 something cannot be read."""
        return max([0, *(error.code for error in self.unreadable)]) or int(bool(self.faults))

    def add(self, batch: check.Batch) -> None:
        """Adds a batch to the sums."""
        self.files += batch.is_text
        self.documents += batch.documents
        faults = [violation for violation in batch.violations if violation.level == "error"]
        self.faults += len(faults)
        self.warnings += len(batch.violations) - len(faults)
        self.faulty |= {(violation.file, violation.document) for violation in faults}
        if batch.error is not None:
            self.unreadable.append(batch.error)


def run(
    paths: Sequence[str],
    *,
    kustomize_dir: str | None = None,
    overlay: str | None = None,
    overrides: Sequence[str] = (),
    rules: tuple[policies.Rule, ...] = (),
    form: str = "text",
) -> int:
    """Checks manifests, prints the violations and a summary, and returns the exit code.

    Args:
        paths: Files, folders, ``-``.
        kustomize_dir: A folder to build with kustomize, in addition to the paths.
        overlay: The overlay in it.
        overrides: ``PATH=VALUE`` to set first.
        rules: The user's own rules, which valid manifests must keep too.
        form: ``text``, ``json`` or ``sarif``.

    Raises:
        PlantonError: ``USAGE``: an override does not fit.
    """
    report = _Report()
    texts = load.texts(paths, kustomize_dir=kustomize_dir, overlay=overlay)
    for batch in planton.check(texts, overrides=manifest.overrides(overrides), rules=rules):
        report.add(batch)
        if form == "text":
            _print_violations(batch.violations)
        else:
            report.violations += batch.violations
            report.entries += batch.entries
    _SHOW[form](report)
    return report.code


def _print_violations(violations: Iterable[errors.Violation]) -> None:
    if not violations:
        return
    from planton.cli import output  # noqa: PLC0415  # cold start: it imports click, and most runs have nothing to report

    for violation in violations:
        output.show_violation(violation)


def _show_text(report: _Report) -> None:
    if report.unreadable:
        from planton.cli import output  # noqa: PLC0415  # cold start: it imports click, and most runs have nothing to report

        for error in report.unreadable:
            output.show_error(error)
    _print(_summary(report))


def _summary(report: _Report) -> str:
    checked = f"{_count(report.documents, 'document')} in {_count(report.files, 'file')}"
    if report.faults:
        text = f"{checked}: {_count(report.faults, 'violation')} in {_count(len(report.faulty), 'document')}"
    else:
        text = f"{checked}: valid" if report.documents else checked
    text += f"; {_count(report.warnings, 'warning')}" if report.warnings else ""
    return text + (f"; {_count(len(report.unreadable), 'path')} could not be read" if report.unreadable else "")


def _print(text: str) -> None:
    streams.write(terminal.escape_all_but_styles(text) + "\n")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _show_json(report: _Report) -> None:
    data: dict[str, Any] = {
        "valid": report.code == 0,
        "documents": [
            {
                "file": entry.file,
                "index": entry.index,
                "kind": entry.kind,
                "name": entry.name,
                "valid": (entry.file, entry.index) not in report.faulty,
            }
            for entry in report.entries
        ],
        "violations": [violation.as_dict() for violation in report.violations],
        "errors": [error.as_dict() for error in report.unreadable],
    }
    _print(json.dumps(data, indent=2, ensure_ascii=False))


def _show_sarif(report: _Report) -> None:
    _print(sarif.dumps(report.violations, report.unreadable))


_SHOW = {"text": _show_text, "json": _show_json, "sarif": _show_sarif}
