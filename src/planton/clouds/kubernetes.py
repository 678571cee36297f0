"""Objects in the Kubernetes API of a cluster: lists, server-side apply, patches and deletion.

Only the address, the certificates and the token of a kubeconfig are used (`planton.clouds.kubeconfigs`).
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import ssl
import tempfile
import urllib.parse
from typing import TYPE_CHECKING, Any, Final

from planton import errors
from planton.base import web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planton.clouds import kubeconfigs

#: The field manager of what planton applies.
MANAGER: Final = "planton"
_NOT_FOUND, _FIRST_REFUSAL = 404, 300
_LONGEST_TEXT: Final = 300
#: Objects of a page.
_PAGE: Final = 500
#: Kind → name of its resources in paths, for kinds whose plural is irregular.
_PLURALS: Final = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"}


@dataclasses.dataclass(frozen=True)
class Api:
    """The Kubernetes API of a cluster.

    Attributes:
        entry: Its address and the user's credential.
        send: Sends a request; tests pass their own.
    """

    entry: kubeconfigs.Entry
    send: Callable[..., web.Answer] = dataclasses.field(default=web.request, repr=False, compare=False)

    def get(self, path: str) -> Any:  # JSON data
        """Returns the object at a path, or None if there is none.

        Raises:
            PlantonError: ``API_SERVER_CLOSED``: the API does not answer, or refuses.
        """
        return self._exchange("GET", path)

    def list(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Returns the objects of all pages of a list; none if the cluster does not have such objects.

        Args:
            path: The path of the list.
            query: Query parameters, such as ``fieldSelector``.

        Raises:
            PlantonError: ``API_SERVER_CLOSED``: the API does not answer, or refuses.
        """
        items: list[dict[str, Any]] = []
        parameters: dict[str, str | int] = {**query, "limit": _PAGE}
        while True:
            page = self._exchange("GET", f"{path}?{urllib.parse.urlencode(parameters)}") or {}
            items += page.get("items") or []
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return items
            parameters["continue"] = str(token)

    def merge(self, path: str, changes: Mapping[str, Any]) -> None:
        """Changes fields of an existing object; None removes a field.

        Raises:
            PlantonError: ``API_SERVER_CLOSED``: the API does not answer, or refuses; ``status`` in its metadata is 404 for a missing object.
        """
        self._exchange("PATCH", path, json.dumps(changes).encode(), "application/merge-patch+json")

    def create(self, path: str, item: Mapping[str, Any]) -> None:
        """Creates an object at the path of a list or of a subresource.

        Raises:
            PlantonError: ``API_SERVER_CLOSED``: the API does not answer, or refuses with the ``status`` and the ``text`` of its metadata.
        """
        self._exchange("POST", path, json.dumps(item).encode())

    def apply(self, item: Mapping[str, Any]) -> None:
        """Creates or changes an object, by server-side apply. Fields of other managers are taken over.

        Raises:
            PlantonError: ``API_SERVER_CLOSED``: the API does not answer, or refuses.
        """
        query = urllib.parse.urlencode({"fieldManager": MANAGER, "force": "true"})
        # JSON is YAML, too.
        self._exchange("PATCH", f"{path_of(item)}?{query}", json.dumps(item).encode(), "application/apply-patch+yaml")

    def delete(self, item: Mapping[str, Any], *, grace: int | None = None) -> None:
        """Deletes an object, if it exists.

        Args:
            item: The object, by ``apiVersion``, ``kind`` and ``metadata``.
            grace: The grace period of a pod in seconds; None for its own.

        Raises:
            PlantonError: ``API_SERVER_CLOSED``: the API does not answer, or refuses.
        """
        query = "" if grace is None else f"?gracePeriodSeconds={grace}"
        self._exchange("DELETE", f"{path_of(item)}{query}")

    def _exchange(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> Any:  # JSON data
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = kind
        if self.entry.token:
            headers["Authorization"] = f"Bearer {self.entry.token}"
        url = f"{self.entry.server.rstrip('/')}{path}"
        try:
            answer = self.send(method, url, headers=headers, body=body, context=self._context)
            if answer.status == _NOT_FOUND and method in ("GET", "DELETE"):
                return None
            if answer.status >= _FIRST_REFUSAL:
                text = _message(answer)
                metadata = {"status": str(answer.status), "text": text}
                raise self._failed(f"refused {method} {path}: {answer.status} {text}", metadata)
            return answer.json()
        except web.NoAnswerError as error:
            raise self._failed(f"did not answer {method} {path}: {error}") from None

    @functools.cached_property
    def _context(self) -> ssl.SSLContext | None:
        if not self.entry.server.startswith("https:"):
            return None
        try:
            return authenticated(self.entry)
        except (ssl.SSLError, ValueError) as error:
            raise self._failed(f"has a certificate that cannot be used: {error}") from None

    def _failed(self, how: str, metadata: dict[str, str] | None = None) -> errors.PlantonError:
        return errors.api_server_closed(
            f"the Kubernetes API at {self.entry.server} {how}",
            hint="open the API server's port to this machine, then run the same command again",
            metadata=metadata or {},
        )


def trusting(entry: kubeconfigs.Entry) -> ssl.SSLContext:
    """Returns the TLS settings of a client that trusts a cluster's API server, and presents no certificate.

    Raises:
        SSLError: The authority is not a certificate.
        ValueError: The authority is not text.
    """
    return ssl.create_default_context(cadata=base64.b64decode(entry.authority).decode() or None)


def authenticated(entry: kubeconfigs.Entry) -> ssl.SSLContext:
    """Returns the TLS settings of a client that also presents the user's certificate, if the kubeconfig has one.

    Raises:
        SSLError: The authority, the certificate or the key cannot be used.
        ValueError: One of them is not text.
    """
    context = trusting(entry)
    if entry.certificate and entry.key:
        # OpenSSL reads certificates from files only; this one has mode 0600.
        with tempfile.NamedTemporaryFile("w", suffix=".pem", encoding="ascii") as file:
            file.write("\n".join(base64.b64decode(part).decode() for part in (entry.certificate, entry.key)))
            file.flush()
            context.load_cert_chain(file.name)
    return context


def path_of(item: Mapping[str, Any]) -> str:
    """Returns the path of an object."""
    version, metadata = str(item["apiVersion"]), item["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    namespace = f"/namespaces/{_quoted(metadata['namespace'])}" if metadata.get("namespace") else ""
    kind = str(item["kind"])
    return f"{root}{namespace}/{_PLURALS.get(kind, f'{kind.lower()}s')}/{_quoted(metadata['name'])}"


def _quoted(text: object) -> str:
    return urllib.parse.quote(str(text), safe="")


def _message(answer: web.Answer) -> str:
    try:
        status = answer.json()
        # The causes of a refused eviction name the disruption budget.
        causes = [str(each["message"]) for each in (status.get("details") or {}).get("causes") or ()]
        text = " ".join((str(status["message"]), *causes))
    except (web.NoAnswerError, AttributeError, KeyError, TypeError):
        text = answer.text
    return text[:_LONGEST_TEXT]
