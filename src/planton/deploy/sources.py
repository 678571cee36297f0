"""Sources: where the resources of a command or a program come from."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
from typing import TYPE_CHECKING, Any

from planton import errors, manifest
from planton.deploy import identify
from planton.manifest import load, origins, stack_input
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf import message

    from planton.state import inventory


@dataclasses.dataclass(frozen=True, slots=True)
class Sources:
    """Where resources come from.

    Attributes:
        paths: Manifests: files, folders, ``-``.
        inputs: Stack-input files.
        provider_config: A provider config file; empty for none.
        overrides: ``path=value`` settings.
        kustomize_dir: Folder of a kustomize base; empty for none.
        overlay: The overlay in it.
        env: Only resources of this environment; None for all.
        selector: Only resources with these labels.
        stack: The stack of an ambiguous ``KIND/NAME``; empty for none.
    """

    paths: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    provider_config: str = ""
    overrides: tuple[str, ...] = ()
    kustomize_dir: str = ""
    overlay: str = ""
    env: str | None = None
    selector: tuple[tuple[str, str], ...] = ()
    stack: str = ""

    def read(self, *, prune: bool = False) -> list[load.Resource]:
        """Returns the resources, valid and with defaults.

        Args:
            prune: Whether ``--env`` and ``--selector`` may exclude all of them, because the last of them is pruned.

        Raises:
            InvalidError: All violations of all manifests.
            PlantonError: There are no sources, the filters exclude all resources, or something cannot be read.
        """
        if not (self.paths or self.inputs or self.kustomize_dir):
            raise errors.PlantonError(
                "nothing is given",
                code=errors.Code.USAGE,
                reason=errors.Reason.USAGE,
                hint="give manifests with -f FILE or FOLDER, stack inputs with -i FILE, or --kustomize-dir DIR",
            )
        resources = [self._from_input(path) for path in self.inputs]
        overrides = manifest.overrides(self.overrides) if resources else None
        if overrides is not None:
            for resource in resources:
                overrides.apply(resource.manifest)
            if not (self.paths or self.kustomize_dir):
                overrides.finish()
        if self.paths or self.kustomize_dir:
            resources += [self._from_document(each) for each in self._documents(prune=prune)]
        included = [resource for resource in resources if self.includes(resource.manifest)]
        if resources and not (included or prune):
            raise self._all_excluded([resource.manifest for resource in resources])
        return included

    def _documents(self, *, prune: bool) -> list[manifest.Document]:
        try:
            return load.load(
                self.paths,
                stdin=sys.stdin.buffer,
                kustomize_dir=self.kustomize_dir or None,
                overlay=self.overlay or None,
                overrides=self.overrides,
            )
        except errors.PlantonError as error:
            if prune and "empty" in error.metadata:
                # A folder that is empty by mistake, such as one that was not checked out, must not delete all that came from it.
                error.hint = "to delete the last resources of a folder: planton destroy KIND/NAME; planton get lists them"
            raise

    def _all_excluded(self, manifests: Sequence[message.Message]) -> errors.PlantonError:
        # A typo must not look like a cloud that is as it should be.
        metadata = [one.metadata for one in manifests]  # type: ignore[attr-defined]  # every manifest has metadata
        envs = {one.env for one in metadata}
        if self.env is not None and self.env not in envs:
            what, known = f"environment {self.env!r}", {env or "(none)" for env in envs}
        else:
            what = "labels " + ",".join(f"{key}={value}" for key, value in self.selector)
            known = {f"{key}={one.labels[key]}" for one in metadata for key, _ in self.selector if key in one.labels}
        listed = ", ".join(sorted(known)) or "none"
        return errors.PlantonError(
            f"none of the manifests given has the {what}; there are: {listed}",
            code=errors.Code.USAGE,
            reason=errors.Reason.USAGE,
            hint="correct --env and --selector, or give other manifests",
        )

    def _from_document(self, document: manifest.Document) -> load.Resource:
        origin = self._built_origin() if document.file.startswith(self.kustomize_dir or "\0") else origins.of_file(document.file)
        return load.Resource(document.message, self.config(document.kind), document.file, document=document, origin=origin)

    def _built_origin(self) -> str:
        return origins.of_folder(self.kustomize_dir) + (f"?overlay={self.overlay}" if self.overlay else "")

    def folders(self) -> list[str]:
        """Returns the names of the folders that are given as a whole.

        Raises:
            PlantonError: ``USAGE``: something else is given, too.
        """
        if self.inputs or not all(pathlib.Path(path).is_dir() for path in self.paths):
            raise errors.PlantonError(
                "--prune needs whole folders: what is missing in a single file is not known to be unwanted",
                code=errors.Code.USAGE,
                reason=errors.Reason.USAGE,
                hint="give a folder with -f DIR, or --kustomize-dir DIR",
            )
        return [*map(origins.of_folder, self.paths), *([self._built_origin()] if self.kustomize_dir else [])]

    def includes(self, given: message.Message) -> bool:
        """Returns whether ``--env`` and ``--selector`` include a manifest."""
        metadata = given.metadata  # type: ignore[attr-defined]  # every manifest has metadata
        return self.env in (None, metadata.env) and all(metadata.labels.get(key) == value for key, value in self.selector)

    def _from_input(self, path: str) -> load.Resource:
        given = _stack_input(path)
        config = given.provider_config
        for name in stack_input.secret_fields(config.DESCRIPTOR):
            # A secret that `planton stack-input` redacted comes from its original source.
            if getattr(config, name) == stack_input.REDACTED:
                config.ClearField(name)
        first = self.config(kinds.get(given.target.kind))
        if first is not None:
            config.MergeFrom(first)
        return load.Resource(given.target, config, path)

    def config_of(self, given: message.Message) -> message.Message | None:
        """Returns the provider config of ``-p`` for a manifest, or None."""
        return self.config(kinds.get(given.DESCRIPTOR.name))

    def config(self, kind: kinds.Kind) -> message.Message | None:
        """Returns the provider config of ``-p`` for a kind, or None.

        Raises:
            PlantonError: The file cannot be read or is not a provider config.
        """
        if not self.provider_config:
            return None
        data = _bytes(self.provider_config)
        return manifest.read_provider_config(data, file=self.provider_config, kind=kind)


def _stack_input(path: str) -> Any:  # a stack input of any kind
    from planton.manifest import convert  # most commands read no stack inputs

    data = _bytes(path)
    if convert.form_of(path) != convert.BINARY:
        return manifest.read_stack_input(data.decode("utf-8", errors="replace"), file=path)
    [found] = convert.read(data, file=path, form=convert.BINARY)
    if not convert.is_stack_input(found):
        raise errors.PlantonError(
            f"{path} holds a manifest, not a stack input",
            code=errors.Code.INVALID,
            reason=errors.Reason.STACK_INPUT_INVALID,
            hint=f"planton convert -f {path} --as stack-input makes one of it, with --to yaml a manifest for -f",
        )
    return found


def _bytes(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else pathlib.Path(path).read_bytes()
    except OSError as error:
        raise errors.PlantonError(
            f"cannot read {path}: {error.strerror}", code=errors.Code.USAGE, reason=errors.Reason.MANIFEST_UNREADABLE
        ) from None


def applied(names: Sequence[str], known: inventory.Inventory, sources: Sources, *, env: str | None) -> list[load.Resource]:
    """Returns the resources that ``KIND/NAME`` and manifests identify.

    Args:
        names: ``KIND/NAME`` of applied resources.
        known: The applied resources.
        sources: The manifests. Without names, they must not be empty.
        env: The environment of the names; None for any.

    Raises:
        PlantonError: ``USAGE``; ``STACK_NOT_FOUND``; ``AMBIGUOUS``; ``MANIFEST_INVALID``.
    """
    if sources.stack and not names:
        raise errors.PlantonError(
            "--stack says which KIND/NAME is meant, and none is given",
            code=errors.Code.USAGE,
            reason=errors.Reason.USAGE,
            hint="the stack of a manifest is what its labels say",
        )
    if not names:
        return sources.read()
    resources = sources.read() if sources.paths or sources.inputs else []
    for name in names:
        kind, own = identify.parse(name)
        found = known.get(kind, own, env, sources.stack)
        resources.append(load.Resource(found.manifest, sources.config(kind), str(found.stack), found.region, origin=found.origin))
    return resources
