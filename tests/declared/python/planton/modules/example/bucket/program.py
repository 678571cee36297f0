"""The program of ExampleBucket."""

from __future__ import annotations

from typing import Any

import pulumi
from planton.modules.example import bucket

from planton.modules import unsupported


class Bucket(pulumi.CustomResource):
    """The bucket, as the SDK of a plugin would declare it."""

    upload_url: pulumi.Output[str]

    def __init__(self, name: str, arguments: dict[str, Any]) -> None:
        """Registers the bucket."""
        super().__init__(bucket.KIND.type, name, {**arguments, "upload_url": None})


def resources(stack_input: Any) -> dict[str, pulumi.Input[object]]:  # an ExampleBucketStackInput
    """Creates the bucket and returns its outputs."""
    target = stack_input.target
    for warning in unsupported.warnings(target, bucket.UNSUPPORTED):
        pulumi.log.warn(warning)
    created = Bucket("bucket", {"name": target.spec.bucket_name, "sizeGib": target.spec.size_gib})
    return {"bucket_id": created.id, "upload_url": pulumi.Output.secret(created.upload_url)}
