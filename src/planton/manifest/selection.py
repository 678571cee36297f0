"""The resources of a run: manifests and stack inputs, their account, and a filter by environment and labels."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import IO, TYPE_CHECKING, Any

from planton import errors, manifest
from planton.manifest import convert, load, origins, stack_input
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf import message


@dataclasses.dataclass(frozen=True, slots=True)
class Selection:
    """The resources of a run: their sources, and a filter.

    Attributes:
        paths: Manifests: files, folders, ``-``, texts, messages (`planton.manifest.load.Input`).
        inputs: Stack-input files.
        provider_config: The path of a provider config; empty for none.
        overrides: ``path=value`` settings.
        kustomize_dir: The folder of a kustomize base; empty for none.
        overlay: The overlay in it.
        env: Only resources of this environment; None for all.
        selector: Only resources with these labels.
        stack: The stack of a ``KIND/NAME`` that is ambiguous; empty for none.
    """

    paths: tuple[load.Input, ...]
    inputs: tuple[str, ...] = ()
    provider_config: str = ""
    overrides: tuple[str, ...] = ()
    kustomize_dir: str = ""
    overlay: str = ""
    env: str | None = None
    selector: tuple[tuple[str, str], ...] = ()
    stack: str = ""

    @property
    def has_sources(self) -> bool:
        """Whether there are sources of manifests."""
        return bool(self.paths or self.inputs or self.kustomize_dir)

    def read(self, *, none: bool = False, stdin: IO[bytes] | None = None) -> list[load.Resource]:
        """Returns the resources, valid and with defaults.

        Args:
            none: Whether an empty result is allowed, for example if ``--prune`` deletes the last resource.
            stdin: The content of ``-``; the standard input of the process if None.

        Raises:
            InvalidError: All violations of all sources.
            PlantonError: No source, no selected resource, or an unreadable file.
        """
        if not self.has_sources:
            raise errors.usage(
                "no manifests",
                hint="pass manifests with -f FILE or FOLDER, stack inputs with -i FILE, or --kustomize-dir DIR",
            )
        resources = [self._from_stack_input(_stack_input(path, stdin), path) for path in self.inputs]
        overrides = manifest.overrides(self.overrides) if resources else None
        if overrides is not None:
            for resource in resources:
                overrides.apply(resource.manifest)
            if not (self.paths or self.kustomize_dir):
                overrides.finish()
        if self.paths or self.kustomize_dir:
            resources += [self._from_document(document) for document in self._documents(prune=none, stdin=stdin)]
        selected = [resource for resource in resources if self.includes(resource.manifest)]
        if resources and not (selected or none):
            raise self._nothing_selected([resource.manifest for resource in resources])
        return selected

    def _documents(self, *, prune: bool, stdin: IO[bytes] | None) -> list[manifest.Document]:
        try:
            return load.load(
                self.paths,
                stdin=stdin,
                kustomize_dir=self.kustomize_dir or None,
                overlay=self.overlay or None,
                overrides=self.overrides,
            )
        except errors.PlantonError as error:
            if prune and "empty" in error.metadata:
                # An empty folder may be a failed checkout. It must not delete everything that was applied from it.
                error.hint = "to delete the last resources of a folder: planton destroy KIND/NAME; planton get lists them"
            raise

    def _nothing_selected(self, manifests: Sequence[message.Message]) -> errors.PlantonError:
        # A typo must not pass for a cloud without changes.
        metadata = [each.metadata for each in manifests]  # type: ignore[attr-defined]  # every manifest has metadata
        envs = {each.env for each in metadata}
        if self.env is not None and self.env not in envs:
            subject, existing = f"environment {self.env!r}", {env or "(none)" for env in envs}
        else:
            subject = "labels " + ",".join(f"{key}={value}" for key, value in self.selector)
            existing = {f"{key}={each.labels[key]}" for each in metadata for key, _ in self.selector if key in each.labels}
        listed = ", ".join(sorted(existing)) or "none"
        return errors.usage(
            f"none of the manifests has the {subject}; there are: {listed}",
            hint="correct --env and --selector, or pass other manifests",
        )

    def _from_document(self, document: manifest.Document) -> load.Resource:
        is_built = bool(self.kustomize_dir) and document.file.startswith(self.kustomize_dir)
        origin = self._built_origin() if is_built else origins.of_file(document.file)
        own = document.config
        config = self.config(document.kind) if own is None else self._merged(own, document.kind)
        return load.Resource(document.message, config, document.file, document=document, origin=origin)

    def _built_origin(self) -> str:
        return origins.of_folder(self.kustomize_dir) + (f"?overlay={self.overlay}" if self.overlay else "")

    def folders(self) -> list[str]:
        """Returns the names of the folders.

        Raises:
            PlantonError: ``USAGE``: a source is not a folder.
        """
        paths = [str(path) for path in self.paths if isinstance(path, (str, pathlib.PurePath)) and pathlib.Path(path).is_dir()]
        if self.inputs or len(paths) != len(self.paths):
            raise errors.usage(
                "--prune needs folders: a single file does not list all resources",
                hint="pass a folder with -f DIR, or --kustomize-dir DIR",
            )
        return [*map(origins.of_folder, paths), *([self._built_origin()] if self.kustomize_dir else [])]

    def includes(self, manifest: message.Message) -> bool:
        """Returns whether ``--env`` and ``--selector`` select a manifest."""
        metadata = manifest.metadata  # type: ignore[attr-defined]  # every manifest has metadata
        return self.env in (None, metadata.env) and all(metadata.labels.get(key) == value for key, value in self.selector)

    def _from_stack_input(self, value: Any, file: str) -> load.Resource:  # a stack input of any kind
        config = self._merged(value.provider_config, kinds.get(value.target.kind))
        return load.Resource(value.target, config, file)

    def _merged(self, config: Any, kind: kinds.Kind) -> message.Message:  # a provider config of any cloud
        for name in stack_input.secret_fields(config.DESCRIPTOR):
            # A secret that `planton stack-input` redacted comes from the credential or the environment again.
            if getattr(config, name) == stack_input.REDACTED:
                config.ClearField(name)
        first = self.config(kind)
        if first is not None:
            config.MergeFrom(first)
        return config  # type: ignore[no-any-return]  # its class is found by name

    def config_of(self, manifest: message.Message) -> message.Message | None:
        """Returns the provider config of ``-p`` for a manifest, or None."""
        return self.config(kinds.get(manifest.DESCRIPTOR.name))

    def config(self, kind: kinds.Kind) -> message.Message | None:
        """Returns the provider config of ``-p`` for a kind, or None.

        Raises:
            InvalidError: The file is not a provider config.
            PlantonError: The file cannot be read.
        """
        if not self.provider_config:
            return None
        text = load.text(self.provider_config)
        return manifest.read_provider_config(text.data, file=self.provider_config, kind=kind)


def _stack_input(path: str, stdin: IO[bytes] | None) -> message.Message:
    text = load.text(path, stdin=stdin)
    if convert.form_of(path) != convert.BINARY:
        return manifest.read_stack_input(text.data.decode("utf-8", errors="replace"), file=path)
    [value] = convert.read(text, form=convert.BINARY)
    if not convert.is_stack_input(value):
        raise errors.stack_input_invalid(
            f"{path} is a manifest, not a stack input",
            hint=f"planton convert -f {path} --as stack-input converts it; with --to yaml it becomes a manifest for -f",
        )
    return value
