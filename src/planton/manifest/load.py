"""The chain from text to documents that are complete and valid."""

from __future__ import annotations

import dataclasses
import itertools
from typing import IO, TYPE_CHECKING, Final

from planton import errors, manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from google.protobuf import message

    from planton.manifest import assignment, documents

#: A text with more violations than this is checked no further.
_ENOUGH: Final = 10_000
#: What can be wrong with a reference whose target is given; the message begins with :data:`_TO` and the target.
_OF_TARGETS: Final = frozenset({"reference.kind_fits", "reference.field_path_exists"})
_TO: Final = "refers to "


@dataclasses.dataclass(frozen=True)
class Resource:
    """A resource that the user has given.

    Attributes:
        manifest: Valid, with defaults; references may be unresolved.
        config: The provider config that came with it (``-p``, stack input), or None.
        source: The file it is from, for errors.
        region: Where it was applied, if the manifest itself no longer says; empty otherwise.
        document: What it was read from; None where it was no text.
        origin: The name of the folder that it came from (`planton.manifest.origins`); empty where it came from no folder.
    """

    manifest: message.Message
    config: message.Message | None
    source: str
    region: str = ""
    document: documents.Document | None = None
    origin: str = ""

    def violation(self, path: str, text: str, rule_id: str) -> errors.Violation:
        """Returns what is wrong with a field, with the field's place."""
        line, column = (0, 0) if self.document is None else self.document.locate(path)
        index = 0 if self.document is None else self.document.index
        return errors.Violation(self.source, line, column, path, text, rule_id, index)

    def place(self, path: str) -> str:
        """Returns ``file:line:column`` of a field, as far as it is known."""
        return self.violation(path, "", "").place


def load(
    paths: Iterable[str],
    *,
    stdin: IO[bytes] | None = None,
    kustomize_dir: str | None = None,
    overlay: str | None = None,
    overrides: Sequence[str] = (),
) -> list[manifest.Document]:
    """Reads manifests, applies overrides and defaults, and checks the rules.

    Args:
        paths: Files, folders, ``-``.
        stdin: What ``-`` means; the process's standard input where None.
        kustomize_dir: A folder to build with kustomize, beside the paths.
        overlay: The overlay in it.
        overrides: ``PATH=VALUE``, set in every document that has the field.

    Raises:
        InvalidError: All violations of all documents.
        PlantonError: ``MANIFEST_UNREADABLE``; ``USAGE``: an override does not fit.
    """
    documents: list[manifest.Document] = []
    violations: list[errors.Violation] = []
    assignments = manifest.overrides(overrides)
    for file, data in itertools.chain(manifest.sources(paths, stdin=stdin), built(kustomize_dir, overlay)):
        found, wrong = collect(data, file=file, overrides=assignments)
        documents += found
        violations += wrong
    if assignments is not None:
        assignments.finish()
    if violations:
        raise errors.InvalidError(_with_targets(violations, documents))
    return documents


def _with_targets(violations: list[errors.Violation], documents: list[manifest.Document]) -> list[errors.Violation]:
    from planton.schema import references  # what is valid needs none

    given = {str(references.key(one.message)): Resource(one.message, None, one.file, document=one) for one in documents}

    def place(target: str) -> str:
        return given[target].place("metadata.name") if target in given else ""

    return [with_target(violation, place) for violation in violations]


def has_target(violation: errors.Violation) -> bool:
    """Returns whether a violation is about a reference and what it refers to."""
    return violation.rule_id in _OF_TARGETS


def with_target(violation: errors.Violation, place: Callable[[str], str]) -> errors.Violation:
    """Returns a violation with the place of what its reference refers to, where that is given too.

    Args:
        violation: Any violation.
        place: Gives ``file:line:column`` of a resource by its key, as text; empty where it is not given.
    """
    target, _, rest = violation.message.removeprefix(_TO).partition(": ")
    where = place(target) if has_target(violation) else ""
    return dataclasses.replace(violation, message=f"{_TO}{target} ({where}): {rest}") if where else violation


def built(folder: str | None, overlay: str | None) -> list[tuple[str, bytes]]:
    """Returns the one source that kustomize makes of a folder; none without a folder."""
    if folder is None:
        return []
    name = f"{folder} (overlay {overlay})" if overlay else folder
    return [(name, manifest.kustomize(folder, overlay))]


def collect(
    data: bytes, *, file: str, overrides: assignment.Overrides | None = None
) -> tuple[list[manifest.Document], list[errors.Violation]]:
    """Returns the documents of one text, complete, and everything that is wrong with them."""
    documents, violations = manifest.read(data, file=file)
    if overrides is not None:
        for document in documents:
            overrides.apply(document.message)
    documents = [manifest.completed(document) for document in documents]
    for document in documents:
        if len(violations) >= _ENOUGH:
            break
        violations += manifest.check(document)
    violations.sort(key=lambda violation: (violation.document, violation.line, violation.column))
    return documents, violations
