"""What the stack itself has: by its name in the cloud it could be another one, or not be found."""

from __future__ import annotations

import contextlib
import contextvars
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


def resource(type_: str, *, wait: Callable[[float], None] = time.sleep) -> Mapping[str, Any] | None:
    """Returns the properties of the stack's resource of a type as the state has them; None where it has none.

    They are those of before this run, and of the last look at the cloud.
    """
    found = (each.get("outputs") or {} for each in _resources(wait) if each["type"] == type_)
    return next((outputs for outputs in found if outputs.get("id")), None)


def _resources(wait: Callable[[float], None]) -> list[dict[str, Any]]:
    known = _STATE.get()
    return _read(wait) if known is None else list(known.get("resources") or [])


def _read(wait: Callable[[float], None]) -> list[dict[str, Any]]:
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    for pause in _WAITS:
        with contextlib.suppress(Exception):  # pulumi raises a bare one for a failed function call
            return _ask(name)
        wait(pause)
    return _ask(name)


def _ask(name: str) -> list[dict[str, Any]]:
    found = pulumi.runtime.invoke(_READ, {"stackName": name}).value or {}
    return list((found.get("outputs") or {}).values())
