"""A state as data: its resources, its file format, the stack that it belongs to."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.engine import states

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton.engine import stacks
    from planton.schema import references

#: The version of the format of states that Pulumi writes.
VERSION = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Stored:
    """A stack of a backend.

    Attributes:
        name: Its name.
        key: Whose state it is; None where it is not ours, or empty.
        resources: How many resources the state has, providers and the like left out.
        updated: When it was written, RFC 3339; empty where nothing was.
        clean: Whether the last operation has finished, as far as the state and this machine know.
        holders: Who holds it.
        problem: Why it cannot be read; empty where it can.
        empty: Whether it never had resources, and no operation runs.
    """

    name: stacks.StackName
    key: references.Key | None = None
    resources: int = 0
    updated: str = ""
    clean: bool = True
    holders: tuple[str, ...] = ()
    problem: str = ""
    empty: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a state.

    Attributes:
        name: Its name in the stack.
        type: Its Pulumi type.
        id: The cloud's id; empty if it has none.
        urn: Its URN.
        inputs: Its inputs, secrets redacted.
        outputs: Its outputs, secrets redacted.
    """

    name: str
    type: str
    id: str
    urn: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Resource:
        """Returns the resource of an entry of a state."""
        inputs, outputs = (redacted(data.get(part) or {}) for part in ("inputs", "outputs"))
        return cls(short_name(data), data["type"], data.get("id", ""), data["urn"], inputs, outputs)


def resources(deployment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the resources of a state, without the stack, providers and what planton notes."""
    hidden = ("pulumi:", states.SIGNATURE, states.RECORD)
    return [each for each in deployment.get("resources") or [] if not each["type"].startswith(hidden)]


def text(deployment: Mapping[str, Any]) -> str:
    """Returns a state as Pulumi exports it."""
    return json.dumps({"version": VERSION, "deployment": deployment}, indent=2) + "\n"


def parse(content: str) -> dict[str, Any]:
    """Returns the state in a file that Pulumi or planton has exported.

    Raises:
        PlantonError: ``STATE_UNFIT``.
    """
    try:
        data = json.loads(content)
        deployment = data["deployment"]
        version = int(data["version"])
        if all(isinstance(each["urn"], str) and isinstance(each["type"], str) for each in deployment.get("resources") or []):
            if version == VERSION:
                return dict(deployment)
            raise unfit(f"the state has format {version}; this release understands {VERSION}", "export it with this release")
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise unfit("the file is no exported state", "planton state export writes one")


def check(name: stacks.StackName, deployment: Mapping[str, Any]) -> None:
    """Checks that a state is one of a stack.

    Raises:
        PlantonError: ``STATE_UNFIT``, with the stack that it is of.
    """
    for resource in deployment.get("resources") or []:
        stack, _, remainder = resource["urn"].removeprefix("urn:pulumi:").partition("::")
        project = remainder.partition("::")[0]
        if (stack, project) != (name.stack, name.project):
            raise unfit(
                f"the state is one of {project}/{stack}, not of {name}",
                "name the stack that it is of; planton state move renames one afterwards",
            )


def unfit(message: str, hint: str) -> errors.PlantonError:
    """Returns the error for a state that does not allow the operation."""
    return errors.state_unfit(message, hint=hint)


def redacted(value: Any) -> Any:  # JSON data
    """Returns properties of a state with secrets replaced, and without what the engine and plugins keep for themselves."""
    if states.is_secret(value):
        return "[redacted]"
    if isinstance(value, dict):
        return {key: redacted(item) for key, item in value.items() if not key.startswith("__")}
    return [redacted(item) for item in value] if isinstance(value, list) else value


def short_name(resource: Mapping[str, Any]) -> str:
    """Returns the name of a resource in its stack, e.g. ``node_pool``."""
    return str(resource["urn"]).rsplit("::", 1)[-1]


def named(deployment: dict[str, Any], manifest: str) -> dict[str, Any]:
    """Returns a state in which the stored manifest is another one, as text."""
    changed = []
    for resource in deployment.get("resources") or []:
        for kind, part in (("pulumi:pulumi:Stack", "outputs"), (states.SIGNATURE, "inputs")):
            if resource["type"] == kind and states.MANIFEST in (resource.get(part) or {}):
                resource = {**resource, part: {**resource[part], states.MANIFEST: manifest}}  # noqa: PLW2901  # a changed copy
        changed.append(resource)
    return {**deployment, "resources": changed}
