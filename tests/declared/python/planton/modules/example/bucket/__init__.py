"""ExampleBucket: a bucket in an object store."""

from __future__ import annotations

from planton.modules import unsupported
from planton.schema import kinds

KIND = kinds.Declaration(
    main="bucket",
    type="example:index/bucket:Bucket",
    noun="bucket",
    cloud_name="spec.bucket_name",
    losses=frozenset({kinds.Loss.DELETE}),
    fields={"name": "bucketName", "sizeGib": "sizeGib"},
)
UNSUPPORTED = (unsupported.Unsupported("spec.tags", unsupported.Level.WARN, "Example buckets have no tags"),)
