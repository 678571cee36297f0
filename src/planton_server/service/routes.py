"""The routes of the API, read from its protos. REST, gRPC and the OpenAPI document use this list.

The option ``google.api.http`` of a method has its path, verb and body. The option ``org.project_planton.cluster.v1.method`` has the status
of a success, and who may call it.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import TYPE_CHECKING, Any, Final

from google.api import annotations_pb2
from google.protobuf import message_factory

from org.project_planton.cluster.v1 import credential_pb2, method_pb2
from org.project_planton.cluster.v1 import service_pb2 as clusters_pb2
from org.project_planton.nodepool.v1 import service_pb2 as node_pools_pb2
from org.project_planton.work.v1 import service_pb2 as works_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf import message

_FILES: Final = (clusters_pb2.DESCRIPTOR, credential_pb2.DESCRIPTOR, node_pools_pb2.DESCRIPTOR, works_pb2.DESCRIPTOR)
_PARAMETER: Final = re.compile(r"\{([a-z0-9_]+)\}")
_OK: Final = 200


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    """A route of a method over HTTP. A method may have several.

    Attributes:
        service: The service's full name.
        method: The method's name.
        verb: The HTTP method, in upper case.
        path: The path, with the names of fields of the request in braces.
        request: The request's class.
        response: The response's class.
        body: The field of the request that holds the body; empty without a body.
        response_body: The field of the response that is the answer; empty if the whole response is.
        success: The status of a success.
        caller: Who may call it.
        path_fields: The names of the request's fields in the path, in their order.
        query: The names of the request's fields that are query parameters, in the order of the proto.
    """

    service: str
    method: str
    verb: str
    path: str
    request: type[message.Message]
    response: type[message.Message]
    body: str
    response_body: str
    success: int
    caller: method_pb2.Caller.ValueType
    path_fields: tuple[str, ...]
    query: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the method in gRPC, ``/package.Service/Method``."""
        return f"/{self.service}/{self.method}"

    @property
    def body_class(self) -> type[message.Message] | None:
        """The class of the body; None without a body."""
        return _class(self.request, self.body) if self.body else None

    @property
    def answer_class(self) -> type[message.Message]:
        """The class of the answer."""
        return _class(self.response, self.response_body) if self.response_body else self.response


@functools.cache
def routes() -> tuple[Route, ...]:
    """Returns all routes, in the order of the protos. The first route of a method is its main one."""
    services = [service for file in _FILES for service in file.services_by_name.values()]
    return tuple(route for service in services for method in service.methods for route in _method_routes(service, method))


def _method_routes(service: Any, method: Any) -> Iterator[Route]:  # descriptors
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    options = method.GetOptions().Extensions[method_pb2.method]
    for binding in (rule, *rule.additional_bindings):
        verb = binding.WhichOneof("pattern")
        path = getattr(binding, verb)
        path_fields = tuple(_PARAMETER.findall(path))
        yield Route(
            service=service.full_name,
            method=method.name,
            verb=verb.upper(),
            path=path,
            request=message_factory.GetMessageClass(method.input_type),
            response=message_factory.GetMessageClass(method.output_type),
            body=binding.body,
            response_body=binding.response_body,
            success=options.success or _OK,
            caller=options.caller,
            path_fields=path_fields,
            query=_query(method.input_type, binding.body, path_fields),
        )


def _query(request: Any, body: str, path_fields: tuple[str, ...]) -> tuple[str, ...]:  # a message's descriptor
    """Returns the fields that are neither in the path nor in the body. A field whose name the body has too belongs to the body."""
    within = request.fields_by_name[body].message_type.fields_by_name if body else {}
    taken = {body, *path_fields, *within}
    return tuple(field.name for field in request.fields if field.name not in taken)


def _class(parent: type[message.Message], field: str) -> type[message.Message]:
    below: Any = parent.DESCRIPTOR.fields_by_name[field].message_type
    message_class: type[message.Message] = message_factory.GetMessageClass(below)
    return message_class
