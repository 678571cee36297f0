"""What the spec of a node pool says that its cloud cannot do, for the clouds without controllers of this project.

The contract accepts these values. Without an explanation they would look as if they had an effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The clouds that are explained here. Controllers explain the others.
PLATFORMS: Final = frozenset({"aws", "azure"})
#: The size in GiB of the snapshot that the nodes of an EKS node group start from.
_IMAGE: Final = 20
#: The fields of `spec.autoscaling` that a single pool has in no cloud.
_OWN: Final = ("targetCPUUtilization", "targetMemoryUtilization", "scaleDownDelay", "scaleUpDelay")


def texts(platform: str, spec: Mapping[str, Any]) -> list[str]:
    """Returns an explanation for each impossible value, with its path.

    Args:
        platform: The cloud.
        spec: The spec of a resource as JSON data.
    """
    own = (spec.get("platform") or {}).get(platform) or {}
    scaling = spec.get("autoscaling") or {}
    values = _of_aws(own, scaling) if platform == "aws" else _of_azure(own) if platform == "azure" else ()
    return [*values, *_of_autoscaling(scaling)]


def _of_aws(own: Mapping[str, Any], scaling: Mapping[str, Any]) -> Iterator[str]:
    size = own.get("volumeSize")
    if size is not None and size < _IMAGE:
        yield f"platform.aws.volumeSize: {size} GiB is less than the {_IMAGE} GiB of the image of EKS's nodes, which do not start then"
    if own.get("volumeType") in ("io1", "io2"):
        yield f"platform.aws.volumeType: {own['volumeType']} needs a number of IOPS, for which the API has no field"
    if scaling.get("enabled"):
        yield (
            "autoscaling: a node group has bounds, and nothing scales it without Cluster Autoscaler or Karpenter in the cluster"
        )


def _of_azure(own: Mapping[str, Any]) -> Iterator[str]:
    kind = own.get("osDiskType")
    if kind:
        yield (
            f"platform.azure.osDiskType: AKS has no {kind} for nodes; it has managed and ephemeral disks, and vmSize decides the "
            "performance"
        )


def _of_autoscaling(scaling: Mapping[str, Any]) -> Iterator[str]:
    if not scaling.get("enabled"):
        return
    for name in _OWN:
        if scaling.get(name):
            yield f"autoscaling.{name}: no autoscaler of this cloud has it for a single pool"
