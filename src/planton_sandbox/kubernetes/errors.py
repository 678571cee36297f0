"""Errors of the Kubernetes API, in its own words and reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planton_sandbox.kubernetes import resources

Object = dict[str, Any]
Cause = Mapping[str, str]


class ApiError(Exception):
    """A refused request: an HTTP status and the ``Status`` object of the answer."""

    def __init__(self, code: int, reason: str, message: str, *, details: Mapping[str, Any] | None = None) -> None:
        """Creates an error."""
        super().__init__(message)
        self.code = code
        self.status = failure(code, reason, message, details=details)


def failure(code: int, reason: str, message: str, *, details: Mapping[str, Any] | None = None) -> Object:
    """Returns the ``Status`` object of a refused request."""
    body: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    return body | {"reason": reason, "details": dict(details or {}), "code": code}


def success(details: Mapping[str, Any] | None = None, *, code: int = 200) -> Object:
    """Returns the ``Status`` object of a request that needs no other answer."""
    body: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": code}
    return body | ({"details": dict(details)} if details else {})


def _details(resource: resources.Resource, name: str) -> Object:
    return {"name": name, "group": resource.group, "kind": resource.plural}


def not_found(resource: resources.Resource, name: str) -> ApiError:
    """The object does not exist."""
    return ApiError(404, "NotFound", f'{resource.title} "{name}" not found', details=_details(resource, name))


def no_resource() -> ApiError:
    """There is no such path."""
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def exists(resource: resources.Resource, name: str) -> ApiError:
    """An object with this name exists."""
    return ApiError(409, "AlreadyExists", f'{resource.title} "{name}" already exists', details=_details(resource, name))


def conflict(resource: resources.Resource, name: str, why: str = "") -> ApiError:
    """The object has changed since the client read it."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {resource.title} "{name}": {why}'
    return ApiError(409, "Conflict", message, details=_details(resource, name))


def apply_conflict(causes: Sequence[Cause], message: str) -> ApiError:
    """Server-side apply would change fields of other managers."""
    return ApiError(409, "Conflict", message, details={"causes": list(causes)})


def bad_request(message: str) -> ApiError:
    """The request is malformed."""
    return ApiError(400, "BadRequest", message)


def invalid(resource: resources.Resource, name: str, problems: Sequence[tuple[str, str, str]]) -> ApiError:
    """The object is invalid; each problem has a field, a reason such as ``FieldValueRequired``, and a message."""
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    texts = [f"{field}: {message}" for field, _, message in problems]
    joined = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    causes = [{"reason": reason, "message": message, "field": field} for field, reason, message in problems]
    details = {"name": name, "group": resource.group, "kind": resource.kind, "causes": causes}
    return ApiError(422, "Invalid", f'{kind} "{name}" is invalid: {joined}', details=details)


def forbidden(resource: resources.Resource, name: str, why: str, *, causes: Sequence[Cause] = ()) -> ApiError:
    """The server does not allow the request, whoever sends it."""
    details = _details(resource, name) | ({"causes": list(causes)} if causes else {})
    return ApiError(403, "Forbidden", f'{resource.title} "{name}" is forbidden: {why}', details=details)


def method_not_allowed() -> ApiError:
    """The resource does not have this verb."""
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def unsupported_media(kind: str, supported: Sequence[str]) -> ApiError:
    """The body has a type that the server does not read."""
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(supported)}"
    return ApiError(415, "UnsupportedMediaType", message if kind else f"{message}; it has no Content-Type")


def disruption(budget: str, why: str) -> ApiError:
    """A PodDisruptionBudget does not allow the eviction."""
    causes = [{"reason": "DisruptionBudget", "message": why}]
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    return ApiError(429, "TooManyRequests", message, details={"causes": causes, "name": budget})


def too_large(limit: int) -> ApiError:
    """The body or object is too large."""
    return ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def full(what: str) -> ApiError:
    """The sandbox keeps no more objects."""
    return ApiError(500, "InternalError", f"Internal error occurred: etcdserver: mvcc: database space exceeded ({what})")


def expired(version: int, oldest: int) -> ApiError:
    """The resource version is older than the history."""
    return ApiError(410, "Expired", f"too old resource version: {version} ({oldest})")
