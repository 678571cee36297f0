"""What ``planton validate`` does, without the framework of the command line, which a hook should not pay for."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import TYPE_CHECKING, Any

from planton import errors, manifest
from planton.base import terminal
from planton.cli import streams
from planton.deploy import cloud_names, graph
from planton.manifest import load
from planton.schema import references

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from planton.deploy import networks
    from planton.manifest import assignment, policies

#: Where a document is: the file, its text, the position in it. The documents are not kept, for there may be ten thousand; those
#: that something is told of are read again.
_Text = tuple[str, bytes, int]


class _Result:
    """What was found."""

    def __init__(self) -> None:
        """Starts with nothing."""
        self.files = 0
        self.documents = 0
        self.listed: list[dict[str, Any]] = []
        self.violations: list[errors.Violation] = []
        self.faults = 0
        self.faulty: set[tuple[str, int]] = set()
        self.warnings = 0
        self.unreadable: list[errors.PlantonError] = []
        self.later: list[errors.Violation] = []
        self.needs: dict[references.Key, set[references.Key]] = {}
        self.texts: dict[references.Key, _Text] = {}
        self.twice: list[tuple[references.Key, _Text]] = []
        self.claims: list[tuple[references.Key, cloud_names.Claim, _Text]] = []
        self.networks: list[tuple[networks.Network, _Text]] = []

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
    rules: tuple[policies.Rule, ...] = (),
    form: str = "text",
) -> int:
    """Checks manifests, prints what is wrong and a summary, and returns the exit code.

    Args:
        paths: Files, folders, ``-``.
        kustomize_dir: A folder to build with kustomize, beside them.
        overlay: The overlay in it.
        overrides: ``PATH=VALUE`` to set first.
        rules: Rules of the user's own, which manifests that are valid must keep too.
        form: ``text``, ``json`` or ``sarif``.

    Raises:
        PlantonError: ``USAGE``: an override does not fit.
    """
    result = _Result()
    take = _print_violations if form == "text" else result.violations.extend
    _check(result, _readable(result, paths, kustomize_dir, overlay), manifest.overrides(overrides), rules, take)
    _SHOW[form](result)
    return result.code


def _check(
    result: _Result,
    sources: Iterator[tuple[str, bytes]],
    overrides: assignment.Overrides | None,
    rules: tuple[policies.Rule, ...],
    take: Callable[[list[errors.Violation]], None],
) -> None:
    for file, data in sources:
        documents, violations = load.collect(data, file=file, overrides=overrides)
        refused = _wrong(violations)
        violations += _broken(rules, documents, refused)
        result.files += 1
        result.documents += max(len(documents), len({violation.document for violation in violations}))
        wrong = _wrong(violations)
        if violations:
            _count_faults(result, violations, take)
        result.listed += [
            {"file": file, "index": one.index, "kind": one.kind.name, "name": _name(one), "valid": one.index not in wrong}
            for one in documents
        ]
        # A broken policy hides no reference: the document can be read.
        _note(result, documents, refused, file, data)
    if overrides is not None:
        overrides.finish()
    _tell_targets(result, overrides, take)
    _check_twice(result, overrides, take)
    _check_circles(result, overrides, take)
    _check_networks(result, overrides, take)
    _check_cloud_names(result, overrides, take)


def _broken(rules: tuple[policies.Rule, ...], documents: list[manifest.Document], refused: set[int]) -> list[errors.Violation]:
    # A value that is missing or wrong would be told a second time, by a rule that asks for it.
    if not rules:
        return []
    from planton.manifest import policies  # few runs have any

    return [broken for one in documents if one.index not in refused for broken in policies.check(rules, one)]


def _wrong(violations: list[errors.Violation]) -> set[int]:
    return {violation.document for violation in violations if violation.level == "error"}


def _faulty(violations: Iterable[errors.Violation]) -> set[tuple[str, int]]:
    return {(violation.file, violation.document) for violation in violations if violation.level == "error"}


def _count_faults(result: _Result, violations: list[errors.Violation], take: Callable[[list[errors.Violation]], None]) -> None:
    faults = sum(violation.level == "error" for violation in violations)
    result.faults += faults
    result.warnings += len(violations) - faults
    result.faulty |= _faulty(violations)
    # Where a target stands is known when everything has been read.
    result.later += [violation for violation in violations if load.has_target(violation)]
    take([violation for violation in violations if not load.has_target(violation)])


def _note(result: _Result, documents: Iterable[manifest.Document], refused: set[int], file: str, data: bytes) -> None:
    # What refers to nothing is in no circle.
    for one in documents:
        key = references.key(one.message)
        text = (file, data, one.index)
        if result.texts.setdefault(key, text) is not text and one.index not in refused:
            result.twice.append((key, text))
        if one.index not in refused and one.kind.is_network:
            _note_network(result, one, text)
        if one.index not in refused:
            result.claims += [(key, claim, text) for claim in cloud_names.claims(one.message, lambda _: None)]
        if one.index not in refused and (needs := references.depends_on(one.message)):
            result.needs.setdefault(key, needs)


def _tell_targets(
    result: _Result, overrides: assignment.Overrides | None, take: Callable[[list[errors.Violation]], None]
) -> None:
    if not result.later:
        return
    keys = {str(key): key for key in result.texts}

    def place(target: str) -> str:
        if target not in keys:
            return ""
        [given] = _read_again(result, [keys[target]], overrides).values()
        return given.place("metadata.name")

    take([load.with_target(violation, place) for violation in result.later])


def _check_twice(result: _Result, overrides: assignment.Overrides | None, take: Callable[[list[errors.Violation]], None]) -> None:
    """Tells what is given twice: as an error in one folder, which an apply refuses, else as a warning.

    Folders of several environments, and a kustomize base with its overlays, may be checked at once.
    """
    pairs = [(key, result.texts[key], text) for key, text in result.twice]
    documents = _documents([text for _, *both in pairs for text in both], overrides)
    wrong = []
    for key, (file, _, index), (other, _, position) in pairs:
        path, beside = pathlib.Path(file).resolve(), pathlib.Path(other).resolve()
        if (path, index) == (beside, position):
            continue
        found = graph.given_twice(key, _wanted(documents[file, index]), _wanted(documents[other, position]))
        wrong.append(found if path.parent == beside.parent else dataclasses.replace(found, level="warning"))
        _count_faults(result, wrong[-1:], take)
    _mark(result, wrong)


def _mark(result: _Result, violations: Iterable[errors.Violation]) -> None:
    wrong = _faulty(violations)
    for entry in result.listed if wrong else ():
        entry["valid"] &= (entry["file"], entry["index"]) not in wrong


def _check_circles(
    result: _Result, overrides: assignment.Overrides | None, take: Callable[[list[errors.Violation]], None]
) -> None:
    found = graph.circle(_read_again(result, references.circle(result.needs), overrides))
    if found is None:
        return
    _count_faults(result, [found], take)
    _mark(result, [found])


def _note_network(result: _Result, document: manifest.Document, text: _Text) -> None:
    from planton.deploy import networks  # few runs have many

    network = networks.of(document.message)
    if network is not None:
        result.networks.append((network, text))


def _check_networks(
    result: _Result, overrides: assignment.Overrides | None, take: Callable[[list[errors.Violation]], None]
) -> None:
    """Reports networks that overlap: within a folder as the cloud would, across folders as a warning."""
    if len(result.networks) < 2:  # noqa: PLR2004  # an overlap needs two
        return
    from planton.deploy import networks  # as above

    pairs = [
        (result.networks[first][1], result.networks[second][1])
        for first, second in networks.overlaps([network for network, _ in result.networks])
    ]
    documents = _documents([text for both in pairs for text in both], overrides)
    for first, second in pairs:
        overlap = networks.violation(*(_wanted(documents[file, index]) for file, _, index in (first, second)))
        _take_pair(result, overlap, first, second, take)


def _check_cloud_names(
    result: _Result, overrides: assignment.Overrides | None, take: Callable[[list[errors.Violation]], None]
) -> None:
    """Reports cloud names that two manifests claim: within a folder as an apply would, across folders as a warning."""
    pairs = cloud_names.twice([(key, claim) for key, claim, _ in result.claims])
    documents = _documents([result.claims[each][2] for both in pairs for each in both], overrides)
    for first, second in pairs:
        (_, earlier, earlier_text), (_, claim, text) = result.claims[first], result.claims[second]
        other, entry = (_wanted(documents[file, index]) for file, _, index in (earlier_text, text))
        if references.key(other.manifest) != references.key(entry.manifest) or earlier_text is text:
            _take_pair(result, cloud_names.violation(entry, claim, other, earlier), earlier_text, text, take)


def _take_pair(
    result: _Result,
    violation: errors.Violation,
    first: _Text,
    second: _Text,
    take: Callable[[list[errors.Violation]], None],
) -> None:
    # Folders of several environments may be checked at once, and each is applied by itself.
    is_same_folder = pathlib.Path(first[0]).resolve().parent == pathlib.Path(second[0]).resolve().parent
    reported = violation if is_same_folder else dataclasses.replace(violation, level="warning")
    _count_faults(result, [reported], take)
    _mark(result, [reported])


def _read_again(
    result: _Result, keys: Iterable[references.Key], overrides: assignment.Overrides | None
) -> dict[references.Key, load.Resource]:
    texts = {key: result.texts[key] for key in keys}
    documents = _documents(texts.values(), overrides)
    return {key: _wanted(documents[file, index]) for key, (file, _, index) in texts.items()}


def _documents(texts: Iterable[_Text], overrides: assignment.Overrides | None) -> dict[tuple[str, int], manifest.Document]:
    return {
        (file, one.index): one
        for file, data in {(file, data) for file, data, _ in texts}
        for one in load.collect(data, file=file, overrides=overrides)[0]
    }


def _wanted(document: manifest.Document) -> load.Resource:
    return load.Resource(document.message, None, document.file, document=document)


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
        yield from load.built(kustomize_dir, overlay)
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
        text = f"{checked}: {_count(result.faults, 'violation')} in {_count(len(result.faulty), 'document')}"
    else:
        text = f"{checked}: valid" if result.documents else f"{checked}"
    text += f"; {_count(result.warnings, 'warning')}" if result.warnings else ""
    return text + (f"; {_count(len(result.unreadable), 'path')} could not be read" if result.unreadable else "")


def _print(text: str) -> None:
    streams.write(terminal.escape_all_but_styles(text) + "\n")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _show_json(result: _Result) -> None:
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
