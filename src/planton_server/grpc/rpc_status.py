"""``google.rpc.Status``, the wire form of a gRPC error with details (https://google.aip.dev/193).

It is built here, outside of the process's pool of descriptors. Pulumi's SDK has a proto of the same name in another file, and a
descriptor pool accepts only one of them. A program could not use both the engine and this server or its client.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_F: Final = descriptor_pb2.FieldDescriptorProto


def _status_class() -> Any:  # a class of messages
    file = descriptor_pb2.FileDescriptorProto(name="status.proto", package="google.rpc", syntax="proto3")
    status = file.message_type.add(name="Status")
    status.field.add(name="code", number=1, type=_F.TYPE_INT32, label=_F.LABEL_OPTIONAL)
    status.field.add(name="message", number=2, type=_F.TYPE_STRING, label=_F.LABEL_OPTIONAL)
    # On the wire a message has the form of bytes. Each is a google.protobuf.Any.
    status.field.add(name="details", number=3, type=_F.TYPE_BYTES, label=_F.LABEL_REPEATED)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("google.rpc.Status"))


#: ``code``, ``message`` and ``details``, each detail a serialized ``google.protobuf.Any``.
Status: Final = _status_class()
