"""Google Cloud's API as the official plugin calls it: tokens, retries, operations, error texts."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import time
import typing
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from planton_sandbox.providers import sessions, transport, values, waiting

POLL: typing.Final = 10.0
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_NAMES = "devstorage.read_only logging.write monitoring service.management.readonly servicecontrol trace.append"
SCOPES: typing.Final = tuple(f"https://www.googleapis.com/auth/{name}" for name in _NAMES.split())
"""What nodes may do, unless a program sets it."""
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_AGENT = "google-api-go-client/0.5 Pulumi/3.0 (GPN:Pulumi; https://www.pulumi.com) pulumi-gcp/10.2.0"
_FINE = range(200, 300)
_BAD_REQUEST, _NOT_FOUND, _TOO_MANY = 400, 404, 429
_PASSING = (429, 500, 502, 503)
_RETRIED_FOR = 90  # seconds in which a passing error is retried
_LIFE = 3600  # seconds of a signed request for a token


class CloudError(sessions.Fault):
    """The cloud refused or could not be reached; the message is the client library's.

    Attributes:
        status: the HTTP status, or 0 without a readable answer.
        reason: the reason of the first error in the answer.
    """

    def __init__(self, text: str, status: int = 0, reason: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason

    @property
    def missing(self) -> bool:
        """Whether the resource does not exist."""
        return self.status == _NOT_FOUND

    @property
    def busy(self) -> bool:
        """Whether another operation excludes the request, so that it may succeed later."""
        return (self.status == _BAD_REQUEST and self.reason == "failedPrecondition") or self.status == _TOO_MANY


@dataclasses.dataclass(kw_only=True)
class Client:
    """The client of one provider.

    Attributes:
        container: the URL of the Kubernetes Engine API, without its version.
        compute: the URL of the Compute Engine API, with its version.
        token: an access token; empty to exchange the key for one.
        key: a service account's key file, or empty.
        project: the project of resources that name none.
        location: the zone or region of resources that name none.
        timing: how it waits; its gate is passed before each request.
        poll: the seconds between polls of an operation.
    """

    container: str
    compute: str
    token: str
    key: dict[str, values.Json]
    project: str
    location: str
    timing: waiting.Timing
    poll: float = POLL

    def get(self, name: str) -> values.Json:
        """Returns a resource of the Kubernetes Engine by its name, such as ``projects/…``.

        Raises:
            CloudError: The cloud refused, or there is no answer.
        """
        return self._send("GET", self._container(name), None)

    def compute_pages(self, path: str) -> typing.Iterator[values.Json]:
        """Returns the items of all pages of a list of the Compute Engine; raises like `get`."""
        query = ""
        while True:
            answer = self._send("GET", f"{self.compute}/{path}{query}", None)
            yield from answer.get("items") or ()
            token = answer.get("nextPageToken")
            if not token:
                return
            query = f"?{urllib.parse.urlencode({'pageToken': token})}"

    def change(self, method: str, name: str, body: dict[str, values.Json] | None, activity: str, *, limit: float) -> None:
        """Sends a change, retries it while another operation excludes it, and waits for its operation.

        Args:
            method: the HTTP method.
            name: the name of the resource, with a verb if there is one.
            body: the body, if there is one.
            activity: what the operation does, for errors.
            limit: the seconds after which to give up.

        Raises:
            CloudError: The cloud refused.
            Fault: The operation failed or took too long.
        """
        self.wait(self.start(method, name, body, limit=limit), name, activity, limit=limit)

    def start(
        self, method: str, name: str, body: dict[str, values.Json] | None, *, limit: float = 0, anything: bool = False
    ) -> values.Json:
        """Sends a change and returns its operation; raises like `get`.

        Args:
            method: the HTTP method.
            name: the name of the resource, with a verb if there is one.
            body: the body, if there is one.
            limit: the seconds in which it is retried while another operation excludes it.
            anything: it is retried whatever the error is.
        """
        pause, spent = 0.5, 0.0
        while True:
            try:
                return self._send(method, self._container(name), body)
            except CloudError as error:
                if not (error.busy or anything) or spent >= limit:
                    raise
            self.timing.pause(pause)
            spent += pause
            pause = min(pause * 2, POLL)

    def wait(self, operation: values.Json, name: str, activity: str, *, limit: float) -> None:
        """Waits for an operation of a resource; raises like `change`."""
        project, location = name.split("/")[1], name.split("/")[3]
        path = f"projects/{project}/locations/{location}/operations/{operation['name']}"
        spent = 0.0
        while operation.get("status") != "DONE":
            if spent > limit:
                state = operation.get("status")
                raise sessions.Fault(
                    f"Error waiting for {activity}: timeout while waiting for state to become 'DONE' "
                    f"(last state: '{state}', timeout: {limit / 60:g}m0s)"
                )
            operation = self.get(path)
            if operation.get("status") != "DONE":
                self.timing.pause(self.poll)
                spent += self.poll
        if operation.get("statusMessage"):
            raise sessions.Fault(f"Error waiting for {activity}: {operation['statusMessage']}")

    def _container(self, name: str) -> str:
        return f"{self.container}/v1beta1/{name}"

    def _send(self, method: str, address: str, body: dict[str, values.Json] | None) -> values.Json:
        self.timing.gate()
        headers = {"User-Agent": _AGENT, "Accept-Encoding": "gzip", "Authorization": f"Bearer {self._access_token()}"}
        encoded = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        if encoded is not None:
            headers["Content-Type"] = "application/json"
        address = f"{address}{'&' if '?' in address else '?'}alt=json&prettyPrint=false"
        answer = self._retried(lambda: _exchange(method, address, encoded, headers))
        if answer.status not in _FINE:
            raise _refusal(answer)
        try:
            return json.loads(answer.text)
        except ValueError as error:
            raise CloudError(str(error)) from error

    def _retried(self, exchange: typing.Callable[[], transport.Answer]) -> transport.Answer:
        """Returns the answer to a request, which is repeated after an error that may pass."""
        pause, following, spent = 0.5, 0.5, 0.0
        while True:
            answer = exchange()
            if answer.status not in _PASSING or spent + pause > _RETRIED_FOR:
                return answer
            self.timing.pause(pause)
            spent += pause
            pause, following = pause + following, pause

    def _access_token(self) -> str:
        if not self.token and self.key:
            self.token = _exchange_key(self.key)
        return self.token


@contextlib.contextmanager
def reading(noun: str) -> typing.Iterator[None]:
    """Prefixes errors of a read with the plugin's text, except that of a missing resource.

    Raises:
        CloudError: The resource is missing.
        Fault: The cloud refused.
    """
    try:
        yield
    except CloudError as error:
        if error.missing:
            raise
        raise sessions.Fault(f"Error when reading or editing {noun}: {error}") from error


@contextlib.contextmanager
def explained(prefix: str) -> typing.Iterator[None]:
    """Prefixes the client library's errors with the plugin's text.

    Raises:
        Fault: The cloud refused.
    """
    try:
        yield
    except CloudError as error:
        raise sessions.Fault(f"{prefix}{error}") from error


def compact(body: dict[str, values.Json]) -> dict[str, values.Json]:
    """Removes empty values, as the library does for fields that are not forced."""
    return {key: value for key, value in body.items() if value}


def _exchange(method: str, address: str, body: bytes | None, headers: dict[str, str]) -> transport.Answer:
    try:
        return transport.exchange(method, address, body=body, headers=headers)
    except transport.FAILURES as error:
        reason = "EOF" if isinstance(error, transport.DROPPED) else str(error)
        if isinstance(error, ConnectionRefusedError):
            reason = f"dial tcp {urllib.parse.urlsplit(address).netloc}: connect: connection refused"
        raise CloudError(f'{method.capitalize()} "{address}": {reason}') from error


def _refusal(answer: transport.Answer) -> CloudError:
    try:
        error = json.loads(answer.text)["error"]
        message, errors = error["message"], error.get("errors") or []
    except (ValueError, KeyError, TypeError):
        return CloudError(f"googleapi: got HTTP response code {answer.status} with body: {answer.text}", answer.status)
    reason = str(errors[0].get("reason") or "") if errors else ""
    return CloudError(f"googleapi: Error {answer.status}: {message}{f', {reason}' if reason else ''}", answer.status, reason)


def _exchange_key(key: dict[str, values.Json]) -> str:
    """Returns an access token for a service account's key.

    Raises:
        CloudError: The cloud refused the key.
    """
    now = int(time.time())
    claims = {"iss": key["client_email"], "scope": _SCOPE, "aud": key["token_uri"], "iat": now, "exp": now + _LIFE}
    head = {"alg": "RS256", "typ": "JWT", "kid": key.get("private_key_id", "")}
    content = f"{_part(json.dumps(head).encode())}.{_part(json.dumps(claims).encode())}"
    private = serialization.load_pem_private_key(key["private_key"].encode(), password=None)
    if not isinstance(private, rsa.RSAPrivateKey):
        raise CloudError("the private key is no RSA key")
    signature = private.sign(content.encode(), padding.PKCS1v15(), hashes.SHA256())
    form = urllib.parse.urlencode({"grant_type": _GRANT, "assertion": f"{content}.{_part(signature)}"}).encode()
    answer = _exchange("POST", key["token_uri"], form, {"Content-Type": "application/x-www-form-urlencoded"})
    if answer.status not in _FINE:
        raise CloudError(f"oauth2: cannot fetch token: {answer.status} {answer.reason}\nResponse: {answer.text}", answer.status)
    return str(json.loads(answer.text)["access_token"])


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
