"""What a state says: Pulumi's deployment as JSON data, read without starting anything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from planton import clouds
from planton.schema import kinds

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping

#: The outputs of a stack that keep the manifest and the folder it came from.
MANIFEST = "manifest"
ORIGIN = "origin"
#: The type of the resource that says the same from the beginning of the first apply.
SIGNATURE = "planton:index:Manifest"
#: The type of the resource that records an apply from its beginning, so that every machine can read it.
RECORD = "planton:index:Apply"
#: Its input that identifies the apply. It is an output too, when the program has ended.
RECORD_ID = "id"
#: How Pulumi marks an encrypted value in a state.
_SECRET_KEY = "4dabf18193072939515e22adb298388d"  # noqa: S105  # the name of a mark


def deployment(content: str) -> dict[str, Any]:
    """Returns the deployment in a state file, as Pulumi's backend in a folder writes it.

    Raises:
        ValueError: The content is not such a file.
    """
    data: Any = json.loads(content)
    try:
        latest: Any = data["checkpoint"].get("latest") or {}
        resources = latest.get("resources") or []
        is_sound = isinstance(latest, dict) and all(isinstance(each["type"], str) for each in resources)
    except (KeyError, TypeError, AttributeError):
        is_sound = False
    if not is_sound:
        raise ValueError("no checkpoint, or resources without a type")
    return dict(latest)


def is_whole(path: pathlib.Path) -> bool:
    """Returns whether a file holds a readable state."""
    return bool(_read(path))


def is_unencrypted(path: pathlib.Path) -> bool:
    """Returns whether a file holds the state of a stack in which no operation has chosen an encryption yet."""
    state = _read(path)
    return state is not None and not state.get("secrets_providers")


def _read(path: pathlib.Path) -> dict[str, Any] | None:
    try:
        return deployment(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def outputs(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the outputs of the stack; a secret is what ``is_secret`` says."""
    for resource in deployment.get("resources") or []:
        if resource["type"] == "pulumi:pulumi:Stack":
            return dict(resource.get("outputs") or {})
    return {}


def signature(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the properties of the resource that an apply begins with; empty if it is missing."""
    for resource in deployment.get("resources") or []:
        if resource["type"] == SIGNATURE:
            return dict(resource.get("inputs") or {})
    return {}


def is_secret(value: object) -> bool:
    """Returns whether a value of a state is encrypted."""
    return isinstance(value, dict) and _SECRET_KEY in value


def cluster(deployment: Mapping[str, Any]) -> str:
    """Returns the cloud's id of the cluster of a state: its own, else that of its node pools; empty if it has neither."""
    own = (str(each["id"]) for each in cloud_resources(deployment) if kinds.has_role(each["type"], kinds.Role.CLUSTER))
    used = (kinds.cluster_of(each) for each in deployment.get("resources") or [])
    return next(own, None) or next(filter(None, used), "")


def ids(deployment: Mapping[str, Any]) -> frozenset[tuple[str, str, str]]:
    """Returns the type, the cluster id (of pools, else empty) and the id of every resource that a plugin manages."""
    resources = [each for each in deployment.get("resources") or [] if each.get("custom") and each.get("id")]
    return frozenset((each["type"], kinds.cluster_of(each), str(each["id"])) for each in resources)


def region(deployment: Mapping[str, Any]) -> str:
    """Returns the region of the stack's provider; empty where it has none."""
    for resource in deployment.get("resources") or []:
        if resource["type"].startswith("pulumi:providers:") and resource.get("inputs", {}).get("region"):
            return str(resource["inputs"]["region"])
    return ""


def endpoint(deployment: Mapping[str, Any]) -> str | None:
    """Returns the API address of the stack's provider; empty for the cloud's own, None if the state has no provider."""
    for resource in deployment.get("resources") or []:
        inputs = resource.get("inputs") or {}
        if resource["type"].startswith("pulumi:providers:") and "token" in inputs:
            return str(inputs.get("apiEndpoint") or "")
    return None


def cloud_resources(deployment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the resources of a state that stand for something in the cloud."""
    return [
        resource
        for resource in deployment.get("resources") or []
        if resource.get("custom") and clouds.is_resource(resource["type"]) and resource.get("id")
    ]


def pool_sizes(deployment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the resources of a state that hold the number of nodes of a pool."""
    return [
        each for each in deployment.get("resources") or [] if (each.get("outputs") or {}).get("actual_node_count") is not None
    ]


def without(deployment: Mapping[str, Any], urns: set[str]) -> dict[str, Any]:
    """Returns a state without some resources and without those that depend on them."""
    removed = set(urns)
    is_growing = True
    resources = list(deployment.get("resources") or [])
    while is_growing:
        more = {
            resource["urn"]
            for resource in resources
            if resource["urn"] not in removed
            and (removed & set(resource.get("dependencies") or []) or resource.get("parent") in removed)
        }
        removed |= more
        is_growing = bool(more)
    return {**deployment, "resources": [resource for resource in resources if resource["urn"] not in removed]}


def name_of(resource: Mapping[str, Any]) -> str:
    """Returns the name of a resource in its stack."""
    return short_name(str(resource["urn"]))


def short_name(urn: str) -> str:
    """Returns the name of a resource in its stack."""
    return urn.rsplit("::", 1)[-1]


def type_and_name(urn: str) -> tuple[str, str]:
    """Returns the type and the name in the stack of a resource."""
    return urn.split("::")[-2].rsplit("$", maxsplit=1)[-1], urn.rsplit("::", 1)[-1]


def pending(deployment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the operations that a killed engine has left in a state."""
    return list(deployment.get("pending_operations") or [])


def half_updated(deployment: Mapping[str, Any]) -> bool:
    """Returns whether an update has failed in a way that left planned values in the state."""
    return any(resource.get("initErrors") for resource in cloud_resources(deployment))


def autoscaled(deployment: Mapping[str, Any]) -> bool:
    """Returns whether a cloud's autoscaler decides the number of nodes of a pool of a state."""
    outputs = [each.get("outputs") or {} for each in cloud_resources(deployment)]
    return any(each.get("autoScale") or (each.get("nodePool") or {}).get("autoScale") for each in outputs)


def lacks_bounds(deployment: Mapping[str, Any]) -> bool:
    """Returns whether an autoscaled pool of a state has another lower bound in the cloud than in its inputs."""
    for each in cloud_resources(deployment):
        inputs, outputs = each.get("inputs") or {}, each.get("outputs") or {}
        for desired, actual in ((inputs, outputs), (inputs.get("nodePool") or {}, outputs.get("nodePool") or {})):
            if desired.get("autoScale") and desired.get("minNodes") != actual.get("minNodes"):
                return True
    return False
