"""The parts of the OpenAPI document that the protos lack: headers, errors, authentication, and the routes outside the methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from org.project_planton.cluster.v1 import method_pb2
from planton_server.service import errors
from planton_server.service.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton_server.service import routes

_TEXT: Final = {"type": "string"}
_TIME: Final = {"type": "string", "format": "date-time"}
_HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "X-Request-Id": {
        "description": "The id of the request, which is in the log too: the value of the same request header, else a new id.",
        "required": True,
        "schema": _TEXT,
    },
    "ETag": {
        "description": "The version of the resource, for `If-Match` and `If-None-Match`.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[^"]*"$'},
    },
    "Location": {"description": "The path of the created resource.", "required": True, "schema": _TEXT},
    "Retry-After": {
        "description": "Seconds after which to retry.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit-Limit": {
        "description": "The maximum number of requests at once. If the server has a rate limit, other responses have this header too.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit-Remaining": {
        "description": "The number of requests that remain.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit-Reset": {
        "description": "Seconds without a request after which all requests are available again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {"description": "The supported authentication scheme.", "required": True, "schema": _TEXT},
}
_PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "The id of the request, at most 128 printable ASCII characters. Default: an id that the server assigns.",
        "schema": _TEXT,
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A unique text of the caller. A repeated request with the same key gets the first response again, for 24 "
        "hours. Another body with the same key is a conflict.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "The `ETag` of the version that the caller has read. If the resource has another version, the request is refused.",
        "schema": {"type": "string", "pattern": r"\S"},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` of the version that the caller has. If the resource still has it, the response is 304 without a body.",
        "schema": _TEXT,
    },
    "LastEventId": {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "The id of the last event that the caller has received. The stream continues after it. Replaces `after`.",
        "schema": _TEXT,
    },
}
_WHEN: Final[Mapping[ErrorCode, str]] = {
    ErrorCode.VALIDATION_ERROR: "The request is invalid. `violations` lists all violations.",
    ErrorCode.UNAUTHENTICATED: "The caller is unknown: the request has no valid credentials.",
    ErrorCode.FORBIDDEN: "The caller is not allowed to do this: controllers change no specs, users report no status.",
    ErrorCode.NOT_FOUND: "The resource does not exist, or belongs to another user.",
    ErrorCode.CONFLICT: "The name is taken, the version is stale, or another operation must come first.",
    ErrorCode.PRECONDITION_FAILED: "`If-Match` does not name the current version of the resource.",
    ErrorCode.PAYLOAD_TOO_LARGE: "The body is larger than 1 MiB.",
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: "The `Content-Type` of the body is not JSON, or the body is compressed.",
    ErrorCode.RATE_LIMITED: "The caller exceeds its rate limit.",
    ErrorCode.INTERNAL: "The server failed. Its log has the reason, with the id of the request.",
    ErrorCode.UNAVAILABLE: "The server cannot answer now.",
}
_ERROR_HEADERS: Final[Mapping[ErrorCode, tuple[str, ...]]] = {
    ErrorCode.UNAUTHENTICATED: ("WWW-Authenticate",),
    ErrorCode.RATE_LIMITED: ("Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
}


def header_parameters(route: routes.Route) -> list[dict[str, str]]:
    """Returns the request headers that a route reads."""
    names = ["RequestId"]
    if _creates(route):
        names.append("IdempotencyKey")
    if _takes_version(route):
        names.append("IfMatch")
    if _gives_version(route):
        names.append("IfNoneMatch")
    if route.method == "ListEvents":
        names.append("LastEventId")
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def success_headers(route: routes.Route) -> dict[str, Any]:
    """Returns the headers of a success: a resource has its version, a new one also its path."""
    has_version = "resource_version" in route.answer_class.DESCRIPTOR.fields_by_name
    return _headers(["X-Request-Id", *(["ETag"] if has_version else []), *(["Location"] if _creates(route) else [])])


def not_modified(route: routes.Route) -> dict[str, Any]:
    """Returns the 304 response for a version that the caller already has, if the route supports it."""
    if not _gives_version(route):
        return {}
    return {"304": {"description": "The caller has this version.", "headers": _headers(["X-Request-Id", "ETag"])}}


def errors_of(route: routes.Route) -> dict[str, Any]:
    """Returns the errors of a route, by HTTP status."""
    codes = [ErrorCode.VALIDATION_ERROR, ErrorCode.UNAUTHENTICATED]
    if route.caller != method_pb2.CALLER_UNSPECIFIED:
        codes.append(ErrorCode.FORBIDDEN)
    if route.path_fields or (route.body_class is not None and "cluster_id" in route.body_class.DESCRIPTOR.fields_by_name):
        codes.append(ErrorCode.NOT_FOUND)
    if route.caller == method_pb2.CALLER_USER:
        codes.append(ErrorCode.CONFLICT)
    if _takes_version(route):
        codes.append(ErrorCode.PRECONDITION_FAILED)
    if route.body:
        codes += [ErrorCode.PAYLOAD_TOO_LARGE, ErrorCode.UNSUPPORTED_MEDIA_TYPE]
    codes += [ErrorCode.RATE_LIMITED, ErrorCode.INTERNAL, ErrorCode.UNAVAILABLE]
    return {str(code.http): {"$ref": f"#/components/responses/{code}"} for code in codes}


def _creates(route: routes.Route) -> bool:
    return route.success == 201  # noqa: PLR2004 - created


def _takes_version(route: routes.Route) -> bool:
    return route.verb in ("PUT", "DELETE") and route.caller == method_pb2.CALLER_USER


def _gives_version(route: routes.Route) -> bool:
    return route.verb == "GET" and bool(route.response_body)


def components(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the components: schemas of messages, errors, headers and security schemes."""
    return {
        "schemas": {**dict(sorted(schemas.items())), "Error": _error()},
        "responses": {code.value: _error_response(code, text) for code, text in _WHEN.items()},
        "parameters": dict(_PARAMETERS),
        "headers": dict(_HEADERS),
        "securitySchemes": {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "A token of `planton server token`, or a JWT of the OIDC provider that the server trusts.",
            },
            "userEmail": {
                "type": "apiKey",
                "in": "header",
                "name": "X-User-Email",
                "description": "The email address of the user. Accepted only on a loopback address, and from a trusted proxy "
                "(`--trusted-proxy`).",
            },
        },
    }


def _headers(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _error_response(code: ErrorCode, text: str) -> dict[str, Any]:
    example = _EXAMPLES.get(code) or errors.ApiError(code, text).envelope()
    schema = {
        "allOf": [{"$ref": "#/components/schemas/Error"}],
        "properties": {"error": {"properties": {"code": {"const": code.value}}}},
    }
    return {
        "description": text,
        "headers": _headers(["X-Request-Id", *_ERROR_HEADERS.get(code, ())]),
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def _error() -> dict[str, Any]:
    violation = {
        "type": "object",
        "properties": {
            "field": {
                "type": "string",
                "description": "The path of the field, e.g. `spec.taints[0].key`; empty for the whole request.",
            },
            "rule_id": {"type": "string", "description": "The id of the rule. It is stable."},
            "message": {"type": "string", "description": "The condition that must hold."},
        },
        "required": ["field", "rule_id", "message"],
    }
    properties = {
        "code": {"type": "string", "enum": [code.value for code in ErrorCode]},
        "message": {"type": "string", "description": "A short text."},
        "details": {"type": "string", "description": "Details; may be empty."},
        "violations": {"type": "array", "items": violation, "minItems": 1, "description": "The violated rules."},
    }
    error = {"type": "object", "properties": properties, "required": ["code", "message", "details"]}
    return {
        "type": "object",
        "description": "The body of every error.",
        "properties": {"error": error},
        "required": ["error"],
    }


_EXAMPLES: Final[Mapping[ErrorCode, dict[str, Any]]] = {
    ErrorCode.VALIDATION_ERROR: errors.invalid(
        [errors.violation("name", "required", "value is required")], noun="nodepool"
    ).envelope(),
    ErrorCode.NOT_FOUND: errors.not_found("NodePool").envelope(),
    ErrorCode.CONFLICT: errors.already_exists("NodePool with name 'production-workers' already exists in cluster").envelope(),
}


def root_paths() -> dict[str, Any]:
    """Returns the routes outside the methods. They need no authentication."""
    health, info = _object(_HEALTH), _object(dict.fromkeys(("service", "version", "environment", "api_version"), _TEXT))
    return {
        "/health": {"get": _root("getHealth", "Returns the health of the server", health, can_be_unhealthy=True)},
        "/api/v1/health": {"get": _root("getHealthOfVersion", "Returns the health of the server", health, can_be_unhealthy=True)},
        "/ready": {
            "get": _root(
                "getReady", "Returns whether the server accepts requests", _object({"status": _TEXT}), can_be_unhealthy=True
            )
        },
        "/info": {"get": _root("getInfo", "Returns the version of the server", info)},
        "/api/v1/info": {"get": _root("getInfoOfVersion", "Returns the version of the server", info)},
        "/metrics": {"get": _root("getMetrics", "Returns the metrics of the server for Prometheus", _TEXT, "text/plain")},
        "/openapi.json": {"get": _root("getOpenApi", "Returns this document", {"type": "object"})},
        "/docs": {"get": _root("getDocs", "Returns this document as an HTML page", _TEXT, "text/html")},
    }


_HEALTH: Final[Mapping[str, Any]] = {
    "status": {"type": "string", "enum": ["healthy", "unhealthy"]},
    "service": _TEXT,
    "version": _TEXT,
    "timestamp": _TIME,
    "components": {
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "properties": {"status": {"type": "string", "enum": ["healthy", "unhealthy", "off"]}, "reason": _TEXT},
            "required": ["status"],
        },
    },
}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def _root(
    name: str, summary: str, schema: Mapping[str, Any], kind: str = "application/json", *, can_be_unhealthy: bool = False
) -> dict[str, Any]:
    response = {"headers": _headers(["X-Request-Id"]), "content": {kind: {"schema": schema}}}
    responses: dict[str, Any] = {"200": {"description": "Success.", **response}}
    if can_be_unhealthy:
        responses["503"] = {
            "description": "The server is unhealthy, for example because its database is unreachable.",
            **response,
        }
    return {
        "operationId": name,
        "tags": ["Server"],
        "summary": summary,
        "security": [],
        "responses": responses | {"500": {"$ref": f"#/components/responses/{ErrorCode.INTERNAL}"}},
    }
