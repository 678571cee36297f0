"""Answers → JSON text for REST, and messages for gRPC.

The names of fields come from the protos, and `rendering.is_always_written` decides which empty fields are shown. The store holds specs,
conditions and reports as JSON text. REST copies that text, because parsing and writing it for fifty node pools takes longer than
reading them from the database.
"""

from __future__ import annotations

import functools
import json
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any, Final

from google.protobuf import message, message_factory

from org.project_planton.cluster.v1 import audit_pb2, cluster_pb2, credential_pb2, status_pb2
from org.project_planton.cluster.v1 import service_pb2 as clusters_pb2
from org.project_planton.nodepool.v1 import event_pb2, nodepool_pb2
from org.project_planton.nodepool.v1 import service_pb2 as node_pools_pb2
from org.project_planton.work.v1 import service_pb2 as works_pb2
from org.project_planton.work.v1 import work_pb2
from planton.manifest import json_data, json_values
from planton_server.service import answers, bodies, rendering

#: Class of answers → the class of its message.
MESSAGES: Final[dict[Any, type[message.Message]]] = {
    bodies.AuditEvent: audit_pb2.AuditEvent,
    bodies.AuditPage: clusters_pb2.ListClusterEventsResponse,
    bodies.Credential: credential_pb2.Credential,
    bodies.Credentials: credential_pb2.ListCredentialsResponse,
    bodies.CredentialField: credential_pb2.CredentialField,
    bodies.ClusterCredential: credential_pb2.GetClusterCredentialResponse,
    bodies.Cluster: cluster_pb2.Cluster,
    bodies.ClusterPage: clusters_pb2.ListClustersResponse,
    bodies.ClusterStatus: clusters_pb2.GetClusterStatusResponse,
    bodies.ControllerStatus: status_pb2.ControllerStatus,
    bodies.Event: event_pb2.Event,
    bodies.EventPage: node_pools_pb2.ListEventsResponse,
    bodies.EventResource: event_pb2.EventResource,
    bodies.NodePool: nodepool_pb2.NodePool,
    bodies.NodePoolPage: node_pools_pb2.ListNodePoolsResponse,
    bodies.NodePoolStatus: node_pools_pb2.GetNodePoolStatusResponse,
    bodies.Replacement: event_pb2.Replacement,
    bodies.Status: status_pb2.Status,
    bodies.AcceptedResult: work_pb2.AcceptedResult,
    bodies.Claimed: works_pb2.ClaimWorkResponse,
    bodies.FinishedWork: works_pb2.FinishWorkResponse,
    bodies.Held: works_pb2.RenewWorkResponse,
    bodies.HeldWork: work_pb2.HeldWork,
    bodies.Process: work_pb2.Process,
    bodies.Processes: works_pb2.ListProcessesResponse,
    bodies.Work: work_pb2.Work,
    bodies.WorkError: work_pb2.WorkError,
    bodies.WorkItem: work_pb2.WorkItem,
    bodies.WorkPage: works_pb2.ListWorkResponse,
}
#: Type → the form of its values in JSON, for values that need no escapes.
_PLAIN: Final[dict[Any, str]] = {int: "{}", bodies.Json: "{}", bodies.Time: '"{}"', bodies.Duration: '"{}"'}
#: Writes a JSON string in quotes.
_text: Final = json.encoder.encode_basestring
_Value = Any  # a value of the type that the answer's class declares


def to_json(body: bodies.Body | bodies.Event) -> str:
    """Returns an answer as JSON without spaces."""
    kind: Any = type(body)
    return _writer(kind)(body)


def to_message(answer: answers.Answer, response: type[message.Message], field: str) -> message.Message:
    """Returns an answer as a message.

    Args:
        answer: The answer.
        response: The class of the response.
        field: The field of the response that holds the body; empty if the body is the whole response.
    """
    if answer.body is None:
        return response()
    values = _values(answer.body)
    return response(**{field: _class(response.DESCRIPTOR.fields_by_name[field])(**values)}) if field else response(**values)


@functools.cache
def _fields(view: Any) -> tuple[tuple[Any, Any], ...]:  # the descriptor of a field, and a type, as hints have it
    """Returns the field of the proto and the type, without None, for each field of a class of answers."""
    described = MESSAGES[view].DESCRIPTOR
    hints = typing.get_type_hints(view, vars(bodies) | {"Sequence": Sequence})
    return tuple((described.fields_by_name[name], _required(kind)) for name, kind in hints.items())


def _required(kind: Any) -> Any:  # a type, as hints have it
    if typing.get_origin(kind) in {types.UnionType, typing.Union}:
        (kind,) = [part for part in typing.get_args(kind) if part is not type(None)]
    return kind


@functools.cache
def _writer(kind: Any) -> Callable[[_Value], str]:  # a type, as hints have it
    """Returns the function that writes values of a type as JSON."""
    if kind in _PLAIN:
        return str
    if kind is str:
        return _text
    if kind is bool:
        return lambda value: "true" if value else "false"
    if typing.get_origin(kind) is Sequence:
        write = _writer(typing.get_args(kind)[0])
        return lambda values: f"[{','.join(map(write, values))}]"
    return _compiled(kind)


def _compiled(view: Any) -> Callable[[_Value], str]:
    """Returns the function that writes a class of answers as JSON.

    The function is compiled from the names of the fields, as `collections.namedtuple` compiles a class. A loop over the same
    declarations takes three times as long, which slows a page of fifty node pools by a tenth.
    """
    pieces, writers = [], {}
    for index, (field, kind) in enumerate(_fields(view)):
        value = f"{{view[{index}]}}"
        if kind not in _PLAIN:
            writers[f"write_{index}"] = _writer(kind)
            value = f"{{write_{index}(view[{index}])}}"
        key = f'{"," if index else "{{"}"{field.json_name}":'
        piece = "f" + repr(key + _PLAIN.get(kind, "{}").format(value))
        is_always_written = index == 0 or rendering.is_always_written(field, sparse=False)
        pieces.append(piece if is_always_written else f"({piece} if view[{index}] else '')")
    source = f"lambda view: ''.join(({', '.join(pieces)}, '}}'))"
    write: Callable[[_Value], str] = eval(source, writers)  # noqa: S307  # the source holds names of the protos only
    return write


def _values(view: Any) -> dict[str, Any]:  # an answer; values by the type of their field
    """Returns the arguments that create the message of an answer."""
    kind_of_view: Any = type(view)
    return {
        field.name: _converted(field, kind, value)
        for (field, kind), value in zip(_fields(kind_of_view), view, strict=True)
        if value or not field.has_presence
    }


def _converted(field: Any, kind: Any, value: _Value) -> Any:  # the descriptor of a field, a type, and a value of it
    if kind is bodies.Json:
        return _parsed(field, value)
    if kind is bodies.Time:
        return json_values.parse_time(value)
    if kind is bodies.Duration:
        return json_values.parse_duration(value)
    if typing.get_origin(kind) is Sequence:
        return [_values(item) if isinstance(item, tuple) else item for item in value]
    return _values(value) if isinstance(value, tuple) else value


def _parsed(field: Any, text: str) -> Any:  # the descriptor of a field, and a value of its type
    """Returns the value of a field whose JSON text the store holds."""
    if field.message_type is None or field.message_type.full_name == "google.protobuf.Struct":
        return json.loads(text)
    return [_decoded(field, json.dumps(item)) for item in json.loads(text)] if field.is_repeated else _decoded(field, text)


def _decoded(field: Any, text: str) -> message.Message:  # the descriptor of a field
    """Returns the message that a stored JSON text describes.

    Raises:
        ValueError: The text does not match the schema.
    """
    decoded, violations = json_data.read(text.encode(), _class(field))
    if violations:
        raise ValueError(f"the stored {field.full_name} does not match its schema: {violations[0].path} {violations[0].message}")
    return decoded


def _class(field: Any) -> type[message.Message]:
    message_class: type[message.Message] = message_factory.GetMessageClass(field.message_type)
    return message_class
