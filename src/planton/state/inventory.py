"""The applied resources, read from the backend."""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format

from planton import errors
from planton.clouds import kubeconfigs
from planton.engine import outputs as engine_outputs
from planton.engine import stacks, state_errors, states, stored
from planton.schema import deletion, kinds, references

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.protobuf import message

    from planton.config import settings as engine_settings
    from planton.engine import toolchain
    from planton.schema import resource_names


#: The outputs that hold a kubeconfig in base64.
_KUBECONFIGS = ("kubeconfig_b64", "kubeconfig")


@dataclasses.dataclass(frozen=True, slots=True)
class Applied:
    """A resource that has been applied.

    Attributes:
        key: The key for look-ups.
        stack: The stack of its state.
        manifest: The applied manifest, references resolved; ``status.outputs`` holds the non-secret outputs.
        resources: The number of cloud resources in the stack.
        updated: When the state was written, RFC 3339; may be empty.
        region: The region of the stack's provider; may be empty.
        origin: The name of the folder that the manifest came from; may be empty.
        cluster: The id of the cluster whose node pools the stack has; empty where it has none.
        endpoint: The API address that it was applied to; empty for the cloud's own, None if it is unknown.
        ids: The cloud resources of the stack: type, id of the cluster of a pool or empty, id.
    """

    key: references.Key
    stack: stacks.StackName
    manifest: message.Message
    resources: int
    updated: str
    region: str
    origin: str = ""
    cluster: str = ""
    ids: frozenset[tuple[str, str, str]] = frozenset()
    endpoint: str | None = None

    @property
    def identity(self) -> str:
        """Its id in the cloud; empty if there is none."""
        return kinds.get(self.manifest.DESCRIPTOR.name).id(self.manifest)

    @property
    def complete(self) -> bool:
        """Whether it has outputs: an apply has finished, and the cloud still has what the kind is about."""
        return bool(self.identity)

    @property
    def protected(self) -> bool:
        """Whether the manifest, as it was applied, protects the resource against deletion."""
        return deletion.is_protected(self.manifest)


class Inventory:
    """The applied resources of one backend."""

    def __init__(self, settings: engine_settings.Settings, tools: toolchain.Toolchain) -> None:
        self._settings = settings
        self._tools = tools
        self._damaged: dict[stacks.StackName, errors.PlantonError] = {}

    def find(self, key: references.Key) -> Applied | None:
        """Returns the applied resource with a key, or None; of several, the one whose apply completed.

        It reads the derived stack first, then stacks named by labels, then all. In backends other than a folder each read is
        slow, so a complete derived stack is trusted.

        Raises:
            PlantonError: ``RESOURCE_AMBIGUOUS``, with the candidates; the state of the resource is damaged.
        """
        derived = self.read(stacks.derived(key.kind, key.name, key.env))
        matches = [derived] if derived is not None and derived.key == key else []
        if not (matches and matches[0].complete and self._settings.backend_folder is None):
            matches += self._under(key, [name for name in self.names if not _is_derived(name)])
        matches = matches or [applied for applied in self.all() if applied.key == key]
        matches = [applied for applied in matches if applied.complete] or matches
        if len(matches) > 1:
            raise _ambiguous(str(key), matches, "planton state forget --stack PROJECT/STACK leaves one out, and deletes nothing")
        return matches[0] if matches else None

    def _under(self, key: references.Key, names: Iterable[stacks.StackName]) -> list[Applied]:
        return [each[0] for each in map(self._readable, names) if each is not None and each[0].key == key]

    def get(self, named: resource_names.ResourceName, env: str | None, stack: str = "") -> Applied:
        """Returns the resource that ``KIND/NAME`` identifies.

        Args:
            named: Its name.
            env: The environment; None for any.
            stack: ``PROJECT/STACK``; empty for any.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``; ``RESOURCE_AMBIGUOUS``, with the candidates; the state of the resource is damaged.
        """
        matches = [
            applied
            for applied in self.all()
            if named.matches(applied.key)
            and env in (None, applied.key.env)
            and (not stack or stacks.parse(stack).matches(applied.stack))
        ]
        if not matches:
            self._check_own_state(named, env)
            where = ", ".join(f"{option} {value}" for option, value in (("env", env), ("stack", stack)) if value)
            raise state_errors.not_applied(str(named) + (f" ({where})" if where else ""))
        if len(matches) > 1:
            raise _ambiguous(str(named), matches, _distinction(matches))
        return matches[0]

    def _check_own_state(self, named: resource_names.ResourceName, env: str | None) -> None:
        ends = tuple(f".{kind.name}.{named.name}" for kind in named.kinds)
        for stack, error in self._damaged.items():
            if stack.stack.endswith(ends) and env in (None, stack.stack.partition(".")[0]):
                raise error

    def all(self) -> list[Applied]:
        """Returns all applied resources by key. A damaged state is reported and skipped."""
        return [applied for applied, _state in self.all_with_states()]

    def all_with_states(self) -> list[tuple[Applied, dict[str, Any]]]:
        """Returns all applied resources by key, each with its state. A damaged state is reported and skipped."""
        # Not `names`: this command may have created stacks since it looked for a reference.
        readable = (self._readable(name) for name in self._listed())
        return sorted((each for each in readable if each is not None), key=lambda each: each[0].key)

    def _readable(self, name: stacks.StackName) -> tuple[Applied, dict[str, Any]] | None:
        # A damaged state must not stop the commands on other stacks.
        try:
            return self._read(name)
        except errors.PlantonError as error:
            # A later release may have written outputs that this one does not know.
            if not isinstance(error, state_errors.StateDamagedError) and error.reason is not errors.Reason.OUTPUT_INVALID:
                raise
            if name not in self._damaged:
                self._damaged[name] = error
                self._settings.progress(f"! {name} is skipped: {error.message}")
            return None

    @functools.cached_property
    def names(self) -> list[stacks.StackName]:
        """The names of all stacks of the backend at the first use, those of others too."""
        return self._listed()

    def _listed(self) -> list[stacks.StackName]:
        folder = self._settings.backend_folder
        if folder is not None:
            return [stacks.StackName(path.parent.name, path.stem) for path in sorted(folder.glob("*/*.json"))]
        return [_parsed(name) for name in stored.stack_names(self._settings, self._tools)]

    def read(self, name: stacks.StackName) -> Applied | None:
        """Returns the resource of a stack; None if the stack is empty or not planton's.

        Raises:
            StateDamagedError: The state does not have the form that Pulumi and planton write.
        """
        stack = self._read(name)
        return None if stack is None else stack[0]

    def _read(self, name: stacks.StackName) -> tuple[Applied, dict[str, Any]] | None:
        try:
            deployment = self.open(name).export()
        except errors.PlantonError as error:
            if error.reason is errors.Reason.STACK_NOT_FOUND:
                return None
            raise
        applied = self.understand(name, deployment)
        return None if applied is None else (applied, deployment)

    def understand(self, name: stacks.StackName, deployment: Mapping[str, Any]) -> Applied | None:
        """Returns the resource in a state, or None if the state is empty or not planton's."""
        outputs = states.outputs(deployment)
        values = outputs if isinstance(outputs.get(states.MANIFEST), str) else states.signature(deployment)
        text = values.get(states.MANIFEST)
        if not isinstance(text, str):
            return None
        try:
            data = json.loads(text)
            kind = kinds.find(str(data.get("kind")))
            if kind is None:
                return None
            manifest: Any = json_format.ParseDict(data, kind.message(), ignore_unknown_fields=True)
        except (ValueError, AttributeError, json_format.ParseError):
            raise state_errors.StateDamagedError(
                f"the state of {name} holds a manifest that cannot be read",
                reason=errors.Reason.ENGINE_FAILED,
                hint=f"planton state export --stack {name} prints it; restore a copy of it with planton state import",
                metadata={"stack": str(name)},
            ) from None
        plain = {field: value for field, value in outputs.items() if not states.is_secret(value)}
        manifest.status.outputs.CopyFrom(engine_outputs.parse(kind, plain))
        custom = sum(bool(resource.get("custom")) for resource in deployment.get("resources") or [])
        updated = str((deployment.get("manifest") or {}).get("time", ""))
        return Applied(
            references.key(manifest),
            name,
            manifest,
            custom,
            updated,
            states.region(deployment),
            str(values.get(states.ORIGIN) or ""),
            states.cluster(deployment),
            states.ids(deployment),
            states.endpoint(deployment),
        )

    def open(self, name: stacks.StackName) -> stored.StoredStack:
        """Returns a stack of the backend, whether it exists or not."""
        return stored.StoredStack(name, self._settings, self._tools)

    def is_applied(self, manifest: message.Message) -> bool:
        """Returns whether a manifest's stack exists."""
        return self.open(stacks.name_of(manifest)).exists()

    def outputs(self, applied: Applied) -> message.Message:
        """Returns the outputs of a resource, secrets decrypted.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``: no apply has finished; the state cannot be decrypted.
        """
        require_complete(applied)
        opened = self.open(applied.stack)
        outputs = engine_outputs.parse(kinds.get(applied.key.kind), opened.outputs())
        _clean_kubeconfigs(outputs)
        return outputs


def _clean_kubeconfigs(outputs: Any) -> None:  # of any kind; only clusters have one
    for name in _KUBECONFIGS:
        encoded = getattr(outputs, name, "")
        if not encoded:
            continue
        try:
            text = kubeconfigs.parse(base64.b64decode(encoded, validate=True).decode()).text()
        except (ValueError, errors.PlantonError):
            # An unusable text must not pass for a kubeconfig. `planton kubeconfig` gives the reason.
            outputs.ClearField(name)
        else:
            setattr(outputs, name, base64.b64encode(text.encode()).decode())


def require_complete(applied: Applied) -> None:
    """Makes sure that a resource has outputs.

    Raises:
        PlantonError: ``STACK_NOT_FOUND``: no apply has finished.
    """
    if not applied.complete:
        raise errors.stack_not_found(
            f"{applied.key} has no outputs: its apply did not finish, or it is missing from the cloud",
            subject=str(applied.key),
            hint="run planton apply again to continue",
        )


def _distinction(matches: list[Applied]) -> str:
    if len({applied.key.kind for applied in matches}) == len(matches):
        return f"write the kind in full: {', '.join(f'{each.key.kind}/{each.key.name}' for each in matches)}"
    return "add --env ENV" if len({applied.key for applied in matches}) == len(matches) else "add --stack PROJECT/STACK"


def _ambiguous(resource: str, matches: Iterable[Applied], hint: str) -> errors.PlantonError:
    return errors.resource_ambiguous(
        f"{resource} is ambiguous: " + "; ".join(f"env {each.key.env or '(none)'}, stack {each.stack}" for each in matches),
        hint=hint,
    )


def _is_derived(name: stacks.StackName) -> bool:
    return name.project == stacks.PROJECT and any(f".{kind.name}." in name.stack for kind in kinds.all_kinds())


def _parsed(name: str) -> stacks.StackName:
    parsed = stacks.parse(name)
    return dataclasses.replace(parsed, organization="") if parsed.organization in (stacks.PROJECT, stacks.NO_OWNER) else parsed
