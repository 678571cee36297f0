"""What the stack itself has, read through the engine: by its name in the cloud it could be another one, or not be found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

if TYPE_CHECKING:
    from collections.abc import Mapping

_READ = "pulumi:pulumi:readStackResourceOutputs"


def resource(type_: str) -> Mapping[str, Any] | None:
    """Returns the properties of the stack's resource of a type as the state has them; None where it has none.

    They are those of before this run, and of the last look at the cloud.
    """
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    found = pulumi.runtime.invoke(_READ, {"stackName": name}).value or {}
    listed = (found.get("outputs") or {}).values()
    return next((each["outputs"] for each in listed if each["type"] == type_ and each["outputs"].get("id")), None)
