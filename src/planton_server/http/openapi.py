"""The OpenAPI 3.1 document, generated from the routes, the messages with their rules, and the comments of the protos.

Only facts that the protos lack are written here and in `openapi_parts`: headers, errors, routes outside the methods, and rules that depend
on stored state. These rules, and all rules that JSON Schema cannot express, are listed under ``x-rules``: a request that the schemas allow
is refused with 400 only because of one of them.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

from org.project_planton.cluster.v1 import method_pb2
from planton_server.http import examples, openapi_parts, schemas
from planton_server.service import request_rules, routes

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSION: Final = "3.1.1"
_DIALECT: Final = "https://spec.openapis.org/oas/3.1/dialect/base"
_ABOUT: Final = """\
Clusters and node pools of managed Kubernetes on five clouds, and the status that controllers report.

Bodies are strict: unknown fields, repeated keys and values of a wrong type are refused, and nothing is stored. The schemas show the \
canonical spelling of each field. Its names in snake_case and in camelCase are accepted too. `null` is the same as an absent field. \
A response lists all violations of the request.

The same methods are served over gRPC."""
_OF_LISTS: Final = {
    "list.page_token": "page_token must be the next_page_token of a page of the same list, with the same filters",
    "list.offset_or_page_token": "offset must not be set together with page_token",
}
_OF_UPDATES: Final = {"update.platform_stays": "spec.platform.type must not change"}
_OF_REPORTS: Final = {
    "status_report.observed_generation_exists": "observed_generation must not be greater than the resource's generation",
    "status_report.size": "a report has at most 64 KiB",
    "status_report.control_characters": "texts must contain no control characters except tabs and line feeds",
}
_OF_RECORDS: Final = {
    "audit_record.generation_exists": "generation must not be greater than the resource's generation",
    "audit_record.size": "a record has at most 64 KiB",
    "audit_record.control_characters": "texts must contain no control characters except tabs and line feeds",
}
_OF_AUDITS: Final = {"list.page_token": "page_token must be the next_page_token of a page of the same list"}
#: Method → rules that depend on stored state, or on more than one parameter.
STATE_RULES: Final[Mapping[str, Mapping[str, str]]] = {
    "ListClusters": _OF_LISTS,
    "ListNodePools": _OF_LISTS,
    "UpdateCluster": _OF_UPDATES,
    "UpdateNodePool": {**_OF_UPDATES, "update.cluster_stays": "cluster_id must not change"},
    "ReportClusterStatus": _OF_REPORTS,
    "ReportNodePoolStatus": _OF_REPORTS,
    "ListClusterEvents": _OF_AUDITS,
    "ListNodePoolEvents": _OF_AUDITS,
    "RecordClusterEvent": _OF_RECORDS,
    "RecordNodePoolEvent": _OF_RECORDS,
}
#: Rules that a body can violate although it matches its schema: JSON Schema does not cover repeated keys, depth and total size.
_TEXT_RULES: Final = ("json.duplicate_key", "json.too_deep", "json.too_large")
_Operation = dict[str, Any]


@functools.cache
def document(version: str) -> dict[str, Any]:
    """Returns the document of a version of the server, as JSON data. Do not change it: it is cached."""
    components = schemas.Components(route.answer_class.DESCRIPTOR for route in routes.routes())
    paths: dict[str, dict[str, _Operation]] = {}
    for route in routes.routes():
        paths.setdefault(path_of(route), {})[route.verb.lower()] = _operation(route, components)
    paths |= openapi_parts.root_paths()
    return {
        "openapi": _VERSION,
        "jsonSchemaDialect": _DIALECT,
        "info": {
            "title": "NodePool API",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            *_tags(),
            {"name": "Server", "description": "The health of the server, its version, its metrics and its documents."},
        ],
        "security": [{"bearer": []}, {"userEmail": []}],
        "paths": paths,
        "components": openapi_parts.components(components.schemas),
        "x-request-rules": dict(request_rules.RULES),
    }


def path_of(route: routes.Route) -> str:
    """Returns the path of a route with its parameters in the canonical spelling."""
    fields = route.request.DESCRIPTOR.fields_by_name
    return re.sub(r"\{(\w+)\}", lambda match: f"{{{fields[match[1]].json_name}}}", route.path)


def operation_id(route: routes.Route) -> str:
    """Returns the operation id of a route: the name of the method, with a suffix for the second route of a method."""
    name = route.method[0].lower() + route.method[1:]
    return f"{name}InCluster" if "cluster_id" in route.path_fields else name


def _tags() -> list[dict[str, str]]:
    names = dict.fromkeys(route.service for route in routes.routes())
    return [{"name": _tag(name), "description": schemas.comment_of(name)} for name in names]


def _tag(service: str) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", service.rpartition(".")[2].removesuffix("Service")).capitalize()
    return name if name == "Work" else f"{name}s"


def _operation(route: routes.Route, components: schemas.Components) -> _Operation:
    text = schemas.comment_of(f"{route.service}.{route.method}")
    operation: _Operation = {
        "operationId": operation_id(route),
        "tags": [_tag(route.service)],
        "summary": re.split(r"(?<=[.]) |: ", text, maxsplit=1)[0].rstrip("."),
        "description": text,
        "parameters": [*_parameters(route, components), *openapi_parts.header_parameters(route)],
        "responses": {
            str(route.success): _success(route, components),
            **openapi_parts.not_modified(route),
            **openapi_parts.errors_of(route),
        },
        "x-grpc-method": route.name,
    }
    if route.body_class is not None:
        operation["requestBody"] = _body(route, components)
    if route.caller != method_pb2.CALLER_UNSPECIFIED:
        operation["x-caller"] = "user" if route.caller == method_pb2.CALLER_USER else "controller"
    if rules := _rules(route):
        operation["x-rules"] = rules
    return operation


def _parameters(route: routes.Route, components: schemas.Components) -> list[dict[str, Any]]:
    fields = route.request.DESCRIPTOR.fields_by_name
    parameters = []
    for name in (*route.path_fields, *route.query):
        field: Any = fields[name]
        schema = components.values(field, strict=True)
        parameter = {"name": field.json_name, "in": "query", "description": schemas.comment(field), "schema": schema}
        if name in route.path_fields:
            # A path has no empty segments, so the alternative for an empty text does not apply.
            parameter |= {"in": "path", "required": True, "schema": schema.get("anyOf", [schema])[0]}
        parameters.append(parameter)
    return parameters


def _body(route: routes.Route, components: schemas.Components) -> dict[str, Any]:
    assert route.body_class is not None
    message_type = route.body_class.DESCRIPTOR
    schema = components.request(message_type)
    if needed := _only_in_body(route):
        parts = {name: components.values(message_type.fields_by_name[name], strict=True)["anyOf"][0] for name in needed}
        schema = schema | {"required": list(parts), "properties": parts}
    values = {name: {"value": value} for name, value in examples.BODIES[message_type.name].items()}
    return {"required": True, "content": {"application/json": {"schema": schema, "examples": values}}}


def _only_in_body(route: routes.Route) -> list[str]:
    """Returns the fields of the request that are in the body of this route, and in the path of another route of the method."""
    placed = {*route.path_fields, *route.query, route.body}
    return [field.name for field in route.request.DESCRIPTOR.fields if field.name not in placed]


def _rules(route: routes.Route) -> list[dict[str, str]]:
    rules = schemas.rules_of(route.request.DESCRIPTOR)
    rules += [{"id": name, "message": text} for name, text in STATE_RULES.get(route.method, {}).items()]
    if route.body:
        rules += [{"id": name, "message": request_rules.RULES[name]} for name in _TEXT_RULES]
    return rules


def _success(route: routes.Route, components: schemas.Components) -> dict[str, Any]:
    headers = openapi_parts.success_headers(route)
    if route.success == 204:  # noqa: PLR2004 - no content
        return {"description": "Success, without a body.", "headers": headers}
    message_type = route.answer_class.DESCRIPTOR
    content: dict[str, Any] = {"application/json": {"schema": components.answer(message_type)}}
    if route.method == "ListEvents":
        content["text/event-stream"] = {"schema": {"type": "string"}}
    response = {"description": schemas.comment(message_type), "headers": headers, "content": content}
    return response | ({"links": links} if (links := _links(route)) else {})


def _links(route: routes.Route) -> dict[str, Any]:
    """Returns the links of a created resource: the routes that have its id, and no other one, in their path."""
    if route.success != 201:  # noqa: PLR2004 - created
        return {}
    collection = f"/api/v1/{route.path.rpartition('/')[2]}/"
    links = {}
    for other in routes.routes():
        if other.path.startswith(f"{collection}{{") and len(other.path_fields) == 1:
            parameter = other.request.DESCRIPTOR.fields_by_name[other.path_fields[0]].json_name
            links[operation_id(other)] = {"operationId": operation_id(other), "parameters": {parameter: "$response.body#/id"}}
    return links
