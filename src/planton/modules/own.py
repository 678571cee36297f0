"""The resources of the stack itself, from its state. A look-up by name could find another resource, or none."""

from __future__ import annotations

import contextlib
import contextvars
import json
import time
from typing import TYPE_CHECKING, Any

import pulumi

from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_READ = "pulumi:pulumi:readStackResourceOutputs"
#: Seconds before each retry: while the engine writes the state into a folder, the state may be incomplete.
WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)
_STATE: contextvars.ContextVar[Mapping[str, Any] | None] = contextvars.ContextVar("state", default=None)
_IMPORTED: contextvars.ContextVar[frozenset[str]] = contextvars.ContextVar("imported", default=frozenset())
_MARKER: contextvars.ContextVar[str] = contextvars.ContextVar("marker", default="")
_HAS_TOKEN: contextvars.ContextVar[bool] = contextvars.ContextVar("has_token", default=False)
#: The prefix of the tag that identifies the resources of an operation.
CREATION_TAG = "planton-creation:"


@contextlib.contextmanager
def state(deployment: Mapping[str, Any] | None, *, marker: str = "", imported: Iterable[str] = ()) -> Iterator[None]:
    """Runs a program with the state of its stack before the run. Without it, the engine reads the state.

    Args:
        deployment: The state; None if it was not read yet.
        marker: The tag for resources that the program creates; empty for none.
        imported: The names of the resources that the run imports.
    """
    token, tag, passed = _STATE.set(deployment), _MARKER.set(marker), _HAS_TOKEN.set(True)
    adopted = _IMPORTED.set(frozenset(imported))
    try:
        yield
    finally:
        _IMPORTED.reset(adopted)
        _STATE.reset(token)
        _MARKER.reset(tag)
        _HAS_TOKEN.reset(passed)


def has_token() -> bool:
    """Returns whether the engine passes the account's token to dynamic resources, so that the state needs no copy of it."""
    return _HAS_TOKEN.get()


def is_imported(name: str) -> bool:
    """Returns whether the run imports the resource with this name in the stack, which is in the cloud, but not in the state."""
    return name in _IMPORTED.get()


def creation_tags(type_: str, name: str) -> list[str]:
    """Returns the tag of a resource's creation: from the state, else of the operation that creates it; may be empty.

    A resource that was created without a tag never gets one, because that would be an update.

    Args:
        type_: The Pulumi type.
        name: The resource's name in the stack.
    """
    for each in _resources(time.sleep):
        if each["type"] == type_ and str(each.get("urn")).endswith(f"::{name}") and (each.get("outputs") or {}).get("id"):
            tags = each["outputs"].get("tags") or ()
            texts = tags.split() if isinstance(tags, str) else tags
            return [tag for tag in texts if str(tag).startswith(CREATION_TAG)]
    return [_MARKER.get()] if _MARKER.get() else []


def resource(type_: str, name: str = "", *, wait: Callable[[float], None] = time.sleep) -> Mapping[str, Any] | None:
    """Returns the properties of the stack's resource of a type from the state; None if it has none.

    They are from before this run, as of the last refresh.

    Args:
        type_: The type.
        name: The resource's name in the stack; empty for any.
        wait: Sleeps so many seconds before it retries to read the state.
    """
    listed = _resources(wait)
    named = (each for each in listed if each["type"] == type_ and name in ("", str(each.get("urn")).rsplit("::", 1)[-1]))
    properties = (each.get("outputs") or {} for each in named)
    return next((outputs for outputs in properties if outputs.get("id")), None)


def applied(*, wait: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    """Returns the spec of the last applied manifest of the stack, as JSON data; empty if there is none."""
    stacks = (each for each in _resources(wait) if each["type"] == "pulumi:pulumi:Stack")
    text = next(((each.get("outputs") or {}).get("manifest") for each in stacks), None)
    spec: dict[str, Any] = (json.loads(text) if isinstance(text, str) else {}).get("spec") or {}
    return spec


def _resources(wait: Callable[[float], None]) -> list[dict[str, Any]]:
    state = _STATE.get()
    return _read(wait) if state is None else list(state.get("resources") or [])


def keeps_name(type_: str, resource_name: str, *, cluster_id: object, name: str, name_property: str = "name") -> bool:
    """Returns whether a replaced pool must be deleted before the new one can be created.

    Both can exist at once only with a new name in the same cluster. Otherwise the old pool may be deleted with its old cluster.

    Args:
        type_: The pool's type.
        resource_name: Its name in the stack.
        cluster_id: The id of its cluster; unknown here for the stack's own cluster.
        name: Its name in the cloud, from the manifest.
        name_property: The property that holds the name.
    """
    before = resource(type_, resource_name)
    kind = kinds.of_type(type_)
    cluster_property = "clusterId" if kind is None else kind.declared.cluster_property
    return before is None or before.get(cluster_property) != cluster_id or before.get(name_property) == name


def _read(wait: Callable[[float], None]) -> list[dict[str, Any]]:
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    for pause in WAITS:
        with contextlib.suppress(Exception):  # pulumi raises a plain Exception for a failed function call
            return _resources_of(name)
        wait(pause)
    return _resources_of(name)


def _resources_of(name: str) -> list[dict[str, Any]]:
    answer = pulumi.runtime.invoke(_READ, {"stackName": name}).value or {}
    return [{**each, "urn": urn} for urn, each in (answer.get("outputs") or {}).items()]
