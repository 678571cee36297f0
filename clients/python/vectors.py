"""Reads and writes what every language must agree on: ``vectors.py IN_DIR OUT_DIR``. ``tests/vectors/README.md`` says what a vector is."""

from __future__ import annotations

import base64
import json
import pathlib
import sys
from typing import Any

import protovalidate
from google.protobuf import descriptor_pool, json_format, message_factory

from org.project_planton.cluster.v1 import credential_pb2  # noqa: F401  # as the kinds below
from org.project_planton.cluster.v1 import service_pb2 as clusters_pb2  # noqa: F401  # as the kinds below
from org.project_planton.nodepool.v1 import service_pb2 as node_pools_pb2  # noqa: F401  # as above
from org.project_planton.work.v1 import service_pb2 as work_pb2  # noqa: F401  # as above
from planton import manifest
from planton.schema import kinds

FILES = ("manifests.json", "stack_inputs.json", "api_bodies.json")


def answer(vector: dict[str, Any]) -> dict[str, Any]:
    """Returns what this language makes of a vector."""
    name = vector["name"]
    kind = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(vector["message"]))
    documents, wrong = manifest.read(vector.get("yaml", "").encode(), file=name)
    if "yaml" in vector and wrong:
        return {"name": name, "unreadable": True}
    from_json = json_format.ParseDict(vector["json"], kind())
    from_bytes = kind.FromString(base64.b64decode(vector["binary"]))
    read = documents[0].message if documents else from_json
    broken = [{"field": path(one.proto.field), "rule": one.proto.rule_id} for one in protovalidate.collect_violations(read)]
    return {
        "name": name,
        "json": json_format.MessageToDict(read),
        "binary": base64.b64encode(from_bytes.SerializeToString(deterministic=True)).decode("ascii"),
        "violations": sorted(broken, key=lambda one: (one["field"], one["rule"])),
        "same": read == from_json == from_bytes,
    }


def path(field: Any) -> str:  # protovalidate's FieldPath
    """Returns a field's path as protovalidate writes it in other languages."""
    text = ""
    for element in field.elements if field else ():
        text += ("." if text else "") + element.field_name
        if element.subscript is not None:
            key = element.subscript.value
            text += f"[{json.dumps(key, ensure_ascii=False) if isinstance(key, str) else str(key).lower()}]"
    return text


if __name__ == "__main__":
    for kind in kinds.all_kinds():
        _ = kind.message, kind.stack_input  # loads the types, which are found by name
    source, target = map(pathlib.Path, sys.argv[1:])
    for file in FILES:
        results = [answer(vector) for vector in json.loads((source / file).read_text("utf-8"))]
        (target / file).write_text(json.dumps(results, indent=1), "utf-8")
