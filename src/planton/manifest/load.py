"""Inputs → manifests that are complete and valid: the one loader of the commands and of the SDK.

An input is a path, a text or a message. ``texts`` opens inputs, ``collect`` decodes one text, applies defaults and checks the rules,
``load`` does both for all inputs and raises if anything is invalid.
"""

from __future__ import annotations

import dataclasses
import os
from typing import IO, TYPE_CHECKING, Final, TypeAlias

from planton import errors, manifest
from planton.manifest import documents, files
from planton.schema import references

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from google.protobuf import message

    from planton.manifest import assignment

#: A text with more violations than this is checked no further.
_MAX_VIOLATIONS: Final = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class Text:
    """A text with manifests.

    Attributes:
        file: Its name in errors: the path as the user wrote it, or ``-``.
        data: YAML or JSON; a message in binary form for ``planton convert``.
        message: A manifest or a stack input that is no text; None for a text.
    """

    file: str
    data: bytes = dataclasses.field(default=b"", repr=False)
    message: message.Message | None = dataclasses.field(default=None, repr=False)


#: The path of a file or a folder, ``-`` for standard input, a text, or a message. A ``str`` with a line break, or one that begins with
#: ``{``, is a text.
Input: TypeAlias = "str | os.PathLike[str] | Text | message.Message"


@dataclasses.dataclass(frozen=True)
class Resource:
    """A resource of a run.

    Attributes:
        manifest: Valid, with defaults; references may be unresolved.
        config: The provider config that came with it (``-p``, stack input), or None.
        source: The file it is from, for errors.
        region: The region where it was applied, if the manifest itself has none; empty otherwise.
        document: The document that it was read from; None for a resource from the state.
        origin: The name of the folder that it came from (`planton.manifest.origins`); empty without a folder.
        adopts: The import id of an existing cloud resource that its first apply adopts; empty to create one.
    """

    manifest: message.Message
    config: message.Message | None
    source: str
    region: str = ""
    document: documents.Document | None = None
    origin: str = ""
    adopts: str = ""

    def violation(  # a violation has as many parts
        self, path: str, text: str, rule_id: str, *, target: errors.Target | None = None, suggestion: str = ""
    ) -> errors.Violation:
        """Returns a violation of a field, with the place of the field."""
        line, column = (0, 0) if self.document is None else self.document.locate(path)
        index = 0 if self.document is None else self.document.index
        return errors.Violation(self.source, line, column, path, text, rule_id, index, target=target, suggestion=suggestion)

    def place(self, path: str) -> str:
        """Returns ``file:line:column`` of a field, as far as it is known."""
        return self.violation(path, "", "").place


def load(
    inputs: Iterable[Input],
    *,
    stdin: IO[bytes] | None = None,
    kustomize_dir: str | None = None,
    overlay: str | None = None,
    overrides: Sequence[str] = (),
) -> list[manifest.Document]:
    """Returns manifests with overrides and defaults, all of them valid.

    Args:
        inputs: Paths, texts and messages.
        stdin: The content of ``-``; the standard input of the process if None.
        kustomize_dir: A folder to build with kustomize, in addition to the inputs.
        overlay: The overlay in it.
        overrides: ``PATH=VALUE``, set in every document that has the field.

    Raises:
        InvalidError: All violations of all documents.
        PlantonError: ``MANIFEST_UNREADABLE``; ``USAGE``: an override does not fit.
    """
    loaded: list[manifest.Document] = []
    violations: list[errors.Violation] = []
    assignments = manifest.overrides(overrides)
    for text in texts(inputs, stdin=stdin, kustomize_dir=kustomize_dir, overlay=overlay):
        if isinstance(text, errors.PlantonError):
            raise text
        of_text, invalid = collect(text, overrides=assignments)
        loaded += of_text
        violations += invalid
    if assignments is not None:
        assignments.finish()
    if violations:
        raise errors.InvalidError(_with_places(violations, loaded))
    return loaded


def texts(
    inputs: Iterable[Input],
    *,
    stdin: IO[bytes] | None = None,
    kustomize_dir: str | None = None,
    overlay: str | None = None,
) -> Iterator[Text | errors.PlantonError]:
    """Yields the texts of inputs, file by file; in place of an unreadable one the error, so that it does not hide the others.

    Args:
        inputs: Paths, texts and messages.
        stdin: The content of ``-``; the standard input of the process if None.
        kustomize_dir: A folder to build with kustomize, in addition to the inputs.
        overlay: The overlay in it.
    """
    for each in inputs:
        try:
            yield from _opened(each, stdin)
        except errors.PlantonError as error:
            yield error
    if kustomize_dir is None:
        return
    try:
        name = f"{kustomize_dir} (overlay {overlay})" if overlay else kustomize_dir
        yield Text(name, manifest.kustomize(kustomize_dir, overlay))
    except errors.PlantonError as error:
        yield error


def text(path: str, *, stdin: IO[bytes] | None = None) -> Text:
    """Returns the text of one file, or of standard input for ``-``.

    Raises:
        PlantonError: ``MANIFEST_UNREADABLE``: the path is a folder, or cannot be read.
    """
    opened = list(_opened(path, stdin))
    if len(opened) != 1 or opened[0].file != path:
        raise errors.manifest_unreadable(f"{path} is a folder; pass one file", path)
    return opened[0]


def _opened(each: Input, stdin: IO[bytes] | None) -> Iterator[Text]:
    if isinstance(each, Text):
        yield each
    elif isinstance(each, str) and ("\n" in each or each.startswith("{")):
        yield Text("<text>", each.encode("utf-8", "surrogatepass"))
    elif isinstance(each, (str, os.PathLike)):
        for file, data in files.sources([os.fspath(each)], stdin=stdin):
            yield Text(file, data)
    else:
        yield Text(documents.name_of(each), message=each)


def collect(
    text: Text, *, overrides: assignment.Overrides | None = None, complete: bool = True
) -> tuple[list[manifest.Document], list[errors.Violation]]:
    """Returns the documents of one text and everything that is wrong with them.

    Args:
        text: The text, or the message.
        overrides: Fields to set first.
        complete: Whether the documents get their defaults. The rules are always checked with them.
    """
    loaded, violations = _documents(text)
    if overrides is not None:
        for document in loaded:
            overrides.apply(document.message)
    completed = [documents.completed(document) for document in loaded]
    for document in completed:
        if len(violations) >= _MAX_VIOLATIONS:
            break
        violations += documents.check(document)
    violations.sort(key=lambda violation: (violation.document, violation.line, violation.column))
    return completed if complete else loaded, violations


def _documents(text: Text) -> tuple[list[manifest.Document], list[errors.Violation]]:
    if text.message is not None:
        return [documents.of_message(text.message, file=text.file)], []
    return documents.read(text.data, file=text.file)


def _with_places(violations: list[errors.Violation], loaded: list[manifest.Document]) -> list[errors.Violation]:
    if not any(violation.target for violation in violations):
        return violations
    by_key = {str(references.key(each.message)): each for each in loaded}
    return [
        violation.with_place(place_of(by_key[violation.target.key], "metadata.name"))
        if violation.target and violation.target.key in by_key
        else violation
        for violation in violations
    ]


def place_of(document: documents.Document, path: str) -> str:
    """Returns ``file:line:column`` of a field of a document."""
    return of_document(document).place(path)


def of_document(document: documents.Document) -> Resource:
    """Returns the resource of a document without an account."""
    return Resource(document.message, None, document.file, document=document)
