"""The API as a client sees it, equal over REST and gRPC: a method with its fields and body, and a reply with a status and a body."""

import asyncio
import concurrent.futures
import contextlib
import datetime
import itertools
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import grpc
import httpx
import prometheus_client
from google.protobuf import any_pb2, json_format
from google.rpc import error_details_pb2

from planton_server import auth, calls, observe, settings
from planton_server.grpc import health, rpc_status
from planton_server.grpc import server as grpc_server
from planton_server.http import rest, roots
from planton_server.service import contexts, errors, methods, rendering, routes, workers
from planton_server.store import database, work

#: Seconds after which a call that does not return fails its test.
TIMEOUT_SECONDS = 60
#: The controllers that the tests' operator expects: none on gcp, civo, and digitalocean, one on aws, two on azure.
EXPECTED = {
    ("nodepool", "aws"): ("aws-controller",),
    ("nodepool", "azure"): ("azure-controller", "azure-network"),
    ("cluster", "aws"): ("aws-cluster-controller",),
}
CONTROLLER = "controller@system.local"
_SMALL = {
    "gcp": {"machineType": "n1-standard-4"},
    "aws": {"instanceType": "m5.xlarge"},
    "azure": {"vmSize": "Standard_D4s_v3"},
    "civo": {"size": "g4s.kube.medium"},
    "digitalocean": {"size": "s-2vcpu-4gb"},
}
_MAIN = {route.method: route for route in reversed(routes.routes())}


class Loop:
    """An event loop in a thread, which runs servers and clients while tests are plain functions."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, awaitable: Awaitable[Any]) -> Any:
        """Runs an awaitable and returns its result."""
        return self.begin(awaitable).result(TIMEOUT_SECONDS)

    def begin(self, awaitable: Awaitable[Any]) -> concurrent.futures.Future[Any]:
        """Starts an awaitable."""

        async def awaiting() -> Any:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(awaiting(), self._loop)

    def close(self) -> None:
        """Stops the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Clock:
    """A clock whose every reading is one millisecond later than the previous one."""

    def __init__(self) -> None:
        self._now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        self._elapsed = 0.0

    def __call__(self) -> datetime.datetime:
        self._now += datetime.timedelta(milliseconds=1)
        return self._now

    def elapsed(self) -> float:
        """Returns the elapsed seconds."""
        return self._elapsed

    def advance(self, seconds: float) -> None:
        """Moves the time forward."""
        self._now += datetime.timedelta(seconds=seconds)
        self._elapsed += seconds

    def put_back(self, seconds: float) -> None:
        """Moves the wall clock back; no time elapses."""
        self._now -= datetime.timedelta(seconds=seconds)


class Counted:
    """A database that counts its statements, reads apart from those of transactions.

    Attributes:
        failure: An error that every read raises, or None.
    """

    def __init__(self, within: database.Database) -> None:
        self._within = within
        self.name = within.name
        self.reads = self.writes = 0
        self.failure: Exception | None = None

    async def rows(self, statement: database.Statement, **values: Any) -> Sequence[database.Row]:
        if self.failure is not None:
            raise self.failure
        self.reads += 1
        return await self._within.rows(statement, **values)

    @contextlib.asynccontextmanager
    async def transaction(self):
        async with self._within.transaction() as transaction:
            yield _CountedTransaction(self, transaction)

    @contextlib.asynccontextmanager
    async def unit(self):
        async with self._within.unit() as transaction:
            yield _CountedTransaction(self, transaction)

    def watch(self, changed: Callable[[], None]) -> None:
        self._within.watch(changed)

    async def notify(self) -> None:
        await self._within.notify()

    def connections(self) -> tuple[int, int]:
        return self._within.connections()

    def is_writable(self) -> bool:
        return self._within.is_writable()

    async def close(self) -> None:
        await self._within.close()


class _CountedTransaction:
    def __init__(self, counted: Counted, within: database.Transaction) -> None:
        self.name = counted.name
        self._counted = counted
        self._within = within

    async def rows(self, statement: database.Statement, **values: Any) -> Sequence[database.Row]:
        self._counted.writes += 1
        return await self._within.rows(statement, **values)

    async def many(self, statement: database.Statement, values: Sequence[Mapping[str, Any]]) -> None:
        self._counted.writes += 1
        await self._within.many(statement, values)


class Server:
    """The API on one database, over REST and gRPC, in this process.

    Attributes:
        clock: Its clock.
        store: Its database, with counters.
        app: The REST API, as an ASGI application.
        rest: An HTTP client of the application.
        grpc: A channel to the gRPC server.
        url: The URL of the database.
    """

    def __init__(self, loop: Loop, url: str, **options: Any) -> None:
        self.loop = loop
        self.url = url
        self.clock = Clock()
        loop.run(self._open(**options))

    async def _open(
        self,
        *,
        trust: auth.Trust | None = None,
        policy: contexts.Policy | None = None,
        rate: float = 0.0,
        burst: int = 100,
        connections: int = 10,
        look: float = database.LOOK_SECONDS,
        timed_work: Callable[[], str] = lambda: "off",
        limits: work.Limits = work.DEFAULTS,
    ) -> None:
        self.store = Counted(await database.connect(self.url, connections=connections, look=look))
        observer = observe.Observer(prometheus_client.CollectorRegistry())
        observer.watch(timed_work)
        running = calls.Calls(
            methods.Service(self.store, policy or contexts.Policy(EXPECTED), workers.Workers(self.store, limits)),
            auth.Authenticator(trust or auth.Trust(header=True), self.store, self.clock.elapsed),
            calls.RateLimit(rate, burst),
            self.clock,
            self.clock.elapsed,
        )
        own = roots.routes(self.store, settings.Settings(self.url), observer, running.authenticator, timed_work)
        self.app = rest.application(running, roots=own, observer=observer, is_stopping=lambda: False)
        self.rest = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False), base_url="http://api", timeout=TIMEOUT_SECONDS
        )
        # A short interval, so that no test waits for it.
        healthy = health.Health(self.store, poll=0.05, timed_work=timed_work)
        self._served = grpc_server.serve(running, healthy, observer)
        self.port = self._served.add_insecure_port("127.0.0.1:0")
        await self._served.start()
        self.grpc = grpc.aio.insecure_channel(f"127.0.0.1:{self.port}")

    def close(self) -> None:
        """Closes the servers, the clients, and the database."""
        self.loop.run(self._close())

    async def _close(self) -> None:
        await self.rest.aclose()
        await self.grpc.close()
        await self._served.stop(None)
        await self.store.close()


class Reply(NamedTuple):
    """A response, in the terms of REST.

    Attributes:
        status: The HTTP status; over gRPC the status of the error's reason.
        body: The JSON data, over gRPC that of the message, or None.
        headers: The HTTP headers; empty over gRPC.
        grpc: The gRPC status; empty over REST.
    """

    status: int
    body: Any
    headers: Mapping[str, str]
    grpc: str = ""

    @property
    def error(self) -> dict[str, Any]:
        return self.body["error"]

    @property
    def rules(self) -> list[tuple[str, str]]:
        """The violations, as field and rule."""
        return [(violation["field"], violation["rule_id"]) for violation in self.error["violations"]]


class Api:
    """A caller of one server over one protocol.

    Attributes:
        server: The server.
        door: ``rest`` or ``grpc``.
        user: The default caller.
    """

    _users = itertools.count()

    def __init__(self, server: Server, door: str) -> None:
        self.server = server
        self.door = door
        self.user = f"user-{next(self._users)}@example.com"

    def call(self, method: str, body: Any = None, **fields: Any) -> Reply:
        """Calls a method.

        Args:
            method: Its name.
            body: The body of the route.
            fields: Other fields of the request by name, ``caller`` (of this request), ``if_match``, ``key`` (the idempotency key).
        """
        return self.server.loop.run(self.calling(method, body, **fields))

    def together(self, requests: Sequence[tuple[str, Any, dict[str, Any]]]) -> list[Reply]:
        """Makes concurrent calls, and returns their responses in the order of the calls."""

        async def gathered() -> list[Reply]:
            return await asyncio.gather(*(self.calling(method, body, **fields) for method, body, fields in requests))

        return self.server.loop.run(gathered())

    async def calling(
        self,
        method: str,
        body: Any = None,
        *,
        caller: str = "",
        if_match: str | None = None,
        key: str | None = None,
        **fields: Any,
    ) -> Reply:
        """Calls a method, on the event loop."""
        headers = {"authorization": caller} if caller.startswith("Bearer ") else {"x-user-email": caller or self.user}
        headers |= {"if-match": if_match} if if_match is not None else {}
        headers |= {"idempotency-key": key} if key is not None else {}
        if self.door == "rest":
            return await self._rest(_route(method, fields), body, headers, fields)
        return await self._grpc(_MAIN[method], body, headers, fields)

    async def _rest(self, route: routes.Route, body: Any, headers: dict[str, str], fields: dict[str, Any]) -> Reply:
        path = route.path.format(**{name: fields[name] for name in route.path_fields})
        names = route.request.DESCRIPTOR.fields_by_name
        query = {names[name].json_name: value for name, value in fields.items() if name not in route.path_fields}
        parameters = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in query.items()}
        response = await self.server.rest.request(
            route.verb, path, params=parameters, headers=headers, json=body if route.body else None
        )
        return Reply(response.status_code, response.json() if response.content else None, response.headers)

    async def _grpc(self, route: routes.Route, body: Any, headers: dict[str, str], fields: dict[str, Any]) -> Reply:
        names = route.request.DESCRIPTOR.fields_by_name
        data = {names[name].json_name: value for name, value in fields.items()}
        if route.body:
            data[names[route.body].json_name] = body
        request = json_format.ParseDict(data, route.request())
        called = self.server.grpc.unary_unary(
            route.name, request_serializer=route.request.SerializeToString, response_deserializer=route.response.FromString
        )
        try:
            data = rendering.to_data(await called(request, metadata=tuple(headers.items()), timeout=TIMEOUT_SECONDS))
        except grpc.aio.AioRpcError as error:
            return _failed(error)
        return Reply(route.success, (data[names_of(route)] if route.response_body else data) or None, {}, "OK")

    def create(self, method: str, body: Any, **fields: Any) -> dict[str, Any]:
        """Creates a resource, which must succeed, and returns it."""
        reply = self.call(method, body, **fields)
        assert reply.status == 201, reply.body
        return reply.body

    def cluster(self, platform: str = "gcp", *, caller: str = "", **changes: Any) -> dict[str, Any]:
        """Creates a cluster and returns it."""
        name = f"cluster-{next(self._users)}"
        return self.create("CreateCluster", {"name": name, "spec": {"platform": {"type": platform}}, **changes}, caller=caller)

    def pool(
        self, platform: str = "gcp", *, cluster: str = "", name: str = "workers", caller: str = "", **spec: Any
    ) -> dict[str, Any]:
        """Creates a node pool and returns it, in a new cluster by default."""
        cluster = cluster or self.cluster(platform, caller=caller)["id"]
        return self.create("CreateNodePool", pool(platform, name=name, **spec), cluster_id=cluster, caller=caller)

    def report(self, resource: Mapping[str, Any], controller: str = "a-controller", **report: Any) -> Reply:
        """Reports the status of a resource; ``conditions`` maps types to statuses or full conditions."""
        method = "ReportNodePoolStatus" if "cluster_id" in resource else "ReportClusterStatus"
        caller = report.pop("caller", CONTROLLER)
        body = {"controller_name": controller, "observed_generation": resource["generation"], **report}
        body["conditions"] = [
            {"type": kind, "status": value} if isinstance(value, str) else value
            for kind, value in report.get("conditions", {}).items()
        ]
        return self.call(method, body, id=resource["id"], caller=caller)

    def events(self, *, caller: str = "", after: str = "", limit: int = 1000) -> list[dict[str, Any]]:
        """Returns the events that are visible to a caller."""
        return self.call("ListEvents", caller=caller, after=after, limit=limit).body["events"]


def pool(platform: str = "gcp", *, name: str = "workers", cloud: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """Returns the body of a small node pool.

    Args:
        platform: The cloud.
        name: The pool's name.
        cloud: Further fields of the cloud's object.
        spec: Further fields of the spec.
    """
    own = {**_SMALL[platform], **(cloud or {})}
    return {"name": name, "spec": {"nodeCount": 3, **spec, "platform": {"type": platform, platform: own}}}


def names_of(route: routes.Route) -> str:
    """Returns the key of the body in a response."""
    return route.response.DESCRIPTOR.fields_by_name[route.response_body].json_name


def _route(method: str, fields: Mapping[str, Any]) -> routes.Route:
    """Returns the route of a method for which all path fields are set."""
    return next(
        route for route in routes.routes() if route.method == method and all(fields.get(name) for name in route.path_fields)
    )


def _failed(error: grpc.aio.AioRpcError) -> Reply:
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    status = rpc_status.Status.FromString(details)
    info, violations = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in map(any_pb2.Any.FromString, status.details):
        detail.Unpack(info)
        detail.Unpack(violations)
    assert info.domain == grpc_server.DOMAIN, error
    body: dict[str, Any] = {"code": info.reason, "message": status.message, "details": info.metadata.get("details", "")}
    assert (status.code, status.message) == (error.code().value[0], error.details())
    if violations.field_violations:
        body["violations"] = [
            {"field": violation.field, "rule_id": violation.reason, "message": violation.description}
            for violation in violations.field_violations
        ]
    return Reply(errors.ErrorCode(info.reason).http, {"error": body}, {}, error.code().name)
