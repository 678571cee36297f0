"""What the stack itself has: by its name in the cloud it could be another one, or not be found."""

from __future__ import annotations

import contextlib
import contextvars
import json
import time
from typing import TYPE_CHECKING, Any

import pulumi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_READ = "pulumi:pulumi:readStackResourceOutputs"
#: Seconds before each further try: while the engine writes the state into a folder, it may read half of it.
_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)
_STATE: contextvars.ContextVar[Mapping[str, Any] | None] = contextvars.ContextVar("state", default=None)
_MARKER: contextvars.ContextVar[str] = contextvars.ContextVar("marker", default="")
#: Begins the tag by which what an operation has created can be recognized.
CREATION_TAG = "planton-creation:"


@contextlib.contextmanager
def state(deployment: Mapping[str, Any] | None, *, marker: str = "") -> Iterator[None]:
    """Lets a program run with the state of its stack as it was before, where somebody has read it; else the engine is asked.

    Args:
        deployment: The state, or None.
        marker: The tag for what the program creates; empty for none.
    """
    token, tag = _STATE.set(deployment), _MARKER.set(marker)
    try:
        yield
    finally:
        _STATE.reset(token)
        _MARKER.reset(tag)


def creation_tags(type_: str, name: str) -> list[str]:
    """Returns the tag of a resource's creation, or nothing: that of the state, else that of the operation that creates it.

    What was created without such a tag never gets one, which would be an update.

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
    """Returns the properties of the stack's resource of a type as the state has them; None where it has none.

    They are those of before this run, and of the last look at the cloud.

    Args:
        type_: The type.
        name: The resource's name in the stack; empty for any.
        wait: Waits so many seconds, before a further try to read the state.
    """
    listed = _resources(wait)
    named = (each for each in listed if each["type"] == type_ and name in ("", str(each.get("urn")).rsplit("::", 1)[-1]))
    found = (each.get("outputs") or {} for each in named)
    return next((outputs for outputs in found if outputs.get("id")), None)


def applied(*, wait: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    """Returns the spec of the manifest that the stack was last applied with, as JSON data; empty where there is none."""
    stacks = (each for each in _resources(wait) if each["type"] == "pulumi:pulumi:Stack")
    text = next(((each.get("outputs") or {}).get("manifest") for each in stacks), None)
    spec: dict[str, Any] = (json.loads(text) if isinstance(text, str) else {}).get("spec") or {}
    return spec


def _resources(wait: Callable[[float], None]) -> list[dict[str, Any]]:
    known = _STATE.get()
    return _read(wait) if known is None else list(known.get("resources") or [])


def keeps_name(type_: str, resource_name: str, *, cluster_id: object, name: str, name_property: str = "name") -> bool:
    """Returns whether a replaced pool must be deleted before the new one can be created.

    Only a new name in the same cluster lets both exist at once. In another cluster the old pool may be gone with the old one.

    Args:
        type_: The pool's type.
        resource_name: Its name in the stack.
        cluster_id: The id of its cluster; of the stack's own cluster it is not known here.
        name: Its name in the cloud, as the manifest has it.
        name_property: The property that holds the name.
    """
    before = resource(type_, resource_name)
    return before is None or before.get("clusterId") != cluster_id or before.get(name_property) == name


def _read(wait: Callable[[float], None]) -> list[dict[str, Any]]:
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    for pause in _WAITS:
        with contextlib.suppress(Exception):  # pulumi raises a bare one for a failed function call
            return _ask(name)
        wait(pause)
    return _ask(name)


def _ask(name: str) -> list[dict[str, Any]]:
    found = pulumi.runtime.invoke(_READ, {"stackName": name}).value or {}
    return [{**each, "urn": urn} for urn, each in (found.get("outputs") or {}).items()]
