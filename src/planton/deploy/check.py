"""Validates manifests and the relations between them: references, duplicates, cycles, networks, names in the cloud.

It reads no cloud and no state. It does not keep the documents, for there may be ten thousand: it keeps their texts, and reads those
with a violation again.
"""

from __future__ import annotations

import dataclasses
import pathlib
from typing import TYPE_CHECKING, Any

from planton import errors, manifest
from planton.deploy import cloud_names, graph
from planton.manifest import load
from planton.schema import references

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from planton.deploy import networks
    from planton.manifest import assignment, policies


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A document that was checked.

    Attributes:
        file: The path as the user wrote it, or ``-``.
        index: Its position in the file, from 0.
        kind: The kind's name.
        name: ``metadata.name``.
    """

    file: str
    index: int
    kind: str
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Batch:
    """The result for one text, or for one relation between the documents of all texts.

    Attributes:
        entries: The documents of the text whose kind is known.
        documents: The number of documents, including those of unknown kind.
        violations: The violations.
        error: The reason why the text cannot be read, or None.
        is_text: Whether the result is for a text.
    """

    entries: tuple[Entry, ...] = ()
    documents: int = 0
    violations: tuple[errors.Violation, ...] = ()
    error: errors.PlantonError | None = None
    is_text: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class _Location:
    """The location of a document: its text, and its position in the text."""

    text: load.Text
    index: int

    @property
    def id(self) -> tuple[str, int]:
        return self.text.file, self.index

    @property
    def folder(self) -> pathlib.Path:
        # A message is in no folder; it counts as one of the working folder.
        return pathlib.Path(self.text.file if self.text.message is None else "message").resolve().parent

    def is_same(self, other: _Location) -> bool:
        """Returns whether both locations are one document, given twice."""
        paths = [pathlib.Path(each.text.file).resolve() for each in (self, other)]
        return self.text.message is None and paths[0] == paths[1] and self.index == other.index


@dataclasses.dataclass(slots=True)
class _Index:
    """What the relations need of documents that were dropped."""

    locations: dict[references.Key, _Location] = dataclasses.field(default_factory=dict)
    duplicates: list[tuple[references.Key, _Location]] = dataclasses.field(default_factory=list)
    dependencies: dict[references.Key, set[references.Key]] = dataclasses.field(default_factory=dict)
    claims: list[tuple[references.Key, cloud_names.Claim, _Location]] = dataclasses.field(default_factory=list)
    networks: list[tuple[networks.Network, _Location]] = dataclasses.field(default_factory=list)
    targeted: list[errors.Violation] = dataclasses.field(default_factory=list)

    def add(self, document: manifest.Document, location: _Location, *, is_valid: bool) -> None:
        """Adds a document. One that is not valid can only be the target of references."""
        key = references.key(document.message)
        is_duplicate = self.locations.setdefault(key, location) is not location
        if not is_valid:
            return
        if is_duplicate:
            self.duplicates.append((key, location))
        if document.kind.is_network:
            self._add_network(document, location)
        self.claims += [(key, claim, location) for claim in cloud_names.claims(document.message, lambda _: None)]
        if dependencies := references.depends_on(document.message):
            self.dependencies.setdefault(key, dependencies)

    def _add_network(self, document: manifest.Document, location: _Location) -> None:
        from planton.deploy import networks  # noqa: PLC0415  # cold start of `validate`: 0.6 ms, and most manifests are not networks

        network = networks.of(document.message)
        if network is not None:
            self.networks.append((network, location))


def check(
    texts: Iterable[load.Text | errors.PlantonError],
    *,
    overrides: assignment.Overrides | None = None,
    rules: Sequence[policies.Rule] = (),
) -> Iterator[Batch]:
    """Yields the result for each text as soon as it is read, then the results for the relations between all documents.

    A violation whose target is in another text comes last, for its message names the place of the target.

    Args:
        texts: The texts, with an error in place of an unreadable one (`planton.manifest.load.texts`).
        overrides: Fields to set first.
        rules: The user's own rules, which valid manifests must keep too.

    Raises:
        PlantonError: ``USAGE``: an override does not fit.
    """
    index = _Index()
    for text in texts:
        yield Batch(error=text) if isinstance(text, errors.PlantonError) else _check_text(text, index, overrides, rules)
    if overrides is not None:
        overrides.finish()
    for relation in (_targets, _duplicates, _cycles, _overlaps, _cloud_names):
        violations = tuple(relation(index, overrides))
        if violations:
            yield Batch(violations=violations)


def _check_text(text: load.Text, index: _Index, overrides: assignment.Overrides | None, rules: Sequence[policies.Rule]) -> Batch:
    documents, violations = load.collect(text, overrides=overrides)
    invalid = {violation.document for violation in violations if violation.level == "error"}
    violations += _broken(rules, [document for document in documents if document.index not in invalid])
    for document in documents:
        # A document that breaks only a policy can still be read, and its relations are checked.
        index.add(document, _Location(text, document.index), is_valid=document.index not in invalid)
    index.targeted += [violation for violation in violations if violation.target is not None]
    return Batch(
        tuple(Entry(text.file, each.index, each.kind.name, _name(each)) for each in documents),
        max(len(documents), len({violation.document for violation in violations})),
        tuple(violation for violation in violations if violation.target is None),
        is_text=True,
    )


def _name(document: manifest.Document) -> str:
    return str(document.message.metadata.name)  # type: ignore[attr-defined]  # every manifest has metadata


def _broken(rules: Sequence[policies.Rule], documents: list[manifest.Document]) -> list[errors.Violation]:
    # Only valid documents: a policy that reads an invalid value would report it a second time.
    if not rules:
        return []
    from planton.manifest import policies  # noqa: PLC0415  # cold start of `validate`: 3 ms, and few runs have policies

    return [violation for document in documents for violation in policies.check(rules, document)]


def _targets(index: _Index, overrides: assignment.Overrides | None) -> Iterator[errors.Violation]:
    keys = {str(key): key for key in index.locations} if index.targeted else {}
    for violation in index.targeted:
        key = keys.get(violation.target.key) if violation.target is not None else None
        if key is None:
            yield violation
            continue
        location = index.locations[key]
        [resource] = _resources([location], overrides).values()
        yield violation.with_place(resource.place("metadata.name"))


def _duplicates(index: _Index, overrides: assignment.Overrides | None) -> Iterator[errors.Violation]:
    """Yields duplicates: as errors within a folder, which an apply refuses, else as warnings.

    Folders of several environments, and a kustomize base with its overlays, may be checked together.
    """
    pairs = [(key, index.locations[key], location) for key, location in index.duplicates]
    resources = _resources([location for _, *both in pairs for location in both], overrides)
    for key, first, second in pairs:
        if not first.is_same(second):
            violation = graph.duplicate_violation(key, resources[first.id], resources[second.id])
            yield _within_folder(violation, first, second)


def _cycles(index: _Index, overrides: assignment.Overrides | None) -> Iterator[errors.Violation]:
    keys = references.find_cycle(index.dependencies)
    if not keys:
        return
    resources = _resources([index.locations[key] for key in keys], overrides)
    violation = graph.cycle_violation({key: resources[index.locations[key].id] for key in keys})
    if violation is not None:
        yield violation


def _overlaps(index: _Index, overrides: assignment.Overrides | None) -> Iterator[errors.Violation]:
    if len(index.networks) < 2:  # noqa: PLR2004  # an overlap needs two
        return
    from planton.deploy import networks  # noqa: PLC0415  # cold start of `validate`: 0.6 ms, and most manifests are not networks

    pairs = [
        (index.networks[first][1], index.networks[second][1])
        for first, second in networks.overlaps([network for network, _ in index.networks])
    ]
    resources = _resources([location for both in pairs for location in both], overrides)
    for first, second in pairs:
        yield _within_folder(networks.violation(resources[first.id], resources[second.id]), first, second)


def _cloud_names(index: _Index, overrides: assignment.Overrides | None) -> Iterator[errors.Violation]:
    pairs = cloud_names.twice([(key, claim) for key, claim, _ in index.claims])
    resources = _resources([index.claims[each][2] for both in pairs for each in both], overrides)
    for first, second in pairs:
        (key, earlier, location), (other, claim, later) = index.claims[first], index.claims[second]
        # One file given twice claims nothing twice; one document may.
        if key != other or location is later:
            violation = cloud_names.violation(resources[later.id], claim, resources[location.id], earlier)
            yield _within_folder(violation, location, later)


def _within_folder(violation: errors.Violation, first: _Location, second: _Location) -> errors.Violation:
    # Folders of several environments may be checked together, and each is applied on its own.
    return violation if first.folder == second.folder else dataclasses.replace(violation, level="warning")


def _resources(locations: Iterable[_Location], overrides: assignment.Overrides | None) -> dict[tuple[str, int], Any]:
    texts = {location.text.file: location.text for location in locations}
    return {
        (text.file, document.index): load.of_document(document)
        for text in texts.values()
        for document in load.collect(text, overrides=overrides)[0]
    }
