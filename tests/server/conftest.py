"""Two ways to the same API: over REST on SQLite, and over gRPC on PostgreSQL."""

import asyncio
import contextlib

import pytest
import uvicorn

from planton_server.http import connections
from support import api, raw_http, sqlite_file, waiting


@pytest.fixture(scope="session")
def loop():
    made = api.Loop()
    yield made
    made.close()


@pytest.fixture(scope="session")
def new_url(request, tmp_path_factory):
    """Makes an empty database of an engine, with its tables, and returns its URL."""

    def make(engine: str) -> str:
        if engine == "postgresql":
            cluster = request.getfixturevalue("cluster")
            return cluster.url(cluster.create(request.getfixturevalue("migrated")))
        return sqlite_file.create(tmp_path_factory.mktemp("api") / "server.db")

    return make


@pytest.fixture(scope="session")
def servers(loop, new_url):
    """Returns the server on an engine; one for all tests, each of which has a user of its own."""
    made: dict[str, api.Server] = {}

    def server(engine: str) -> api.Server:
        if engine not in made:
            made[engine] = api.Server(loop, new_url(engine))
        return made[engine]

    yield server
    for one in made.values():
        one.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request):
    return request.param


@pytest.fixture
def server(servers, engine):
    """A server on each engine."""
    return servers(engine)


@pytest.fixture(params=["sqlite-rest", "postgresql-grpc"])
def client(servers, request):
    """A user who has nothing yet. No door knows the engine behind it, so each is tried with one of them."""
    engine, door = request.param.split("-")
    return api.Api(servers(engine), door)


@pytest.fixture
def rest(servers):
    """The same over REST on SQLite, for what is of no other way, or the same on all."""
    return api.Api(servers("sqlite"), "rest")


@pytest.fixture
def private(loop, new_url):
    """Makes servers with options of their own."""
    made: list[api.Server] = []

    def make(engine: str = "sqlite", **options) -> api.Server:
        made.append(api.Server(loop, new_url(engine), **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def limits():
    """The limits of the connections of :func:`wire`: a short timeout."""
    return connections.Limits(seconds=0.4)


@pytest.fixture
def wire(loop, limits):
    """Opens connections to a server with limits."""
    protocol = type("Limited", (connections.Protocol,), {"limits": limits})
    config = uvicorn.Config(raw_http.app, port=0, http=protocol, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    opened: list[raw_http.Client] = []
    raw_http.app.released = asyncio.Event()  # type: ignore[attr-defined]

    async def connect(data: bytes = b"") -> raw_http.Client:
        port = server.servers[0].sockets[0].getsockname()[1]
        opened.append(raw_http.Client(*await asyncio.open_connection("127.0.0.1", port)))
        return await opened[-1].send(data)

    async def serve() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await server.serve()

    serving = loop.begin(serve())
    waiting.until(lambda: server.started, "the server")
    yield connect

    async def end() -> None:
        server.should_exit = True
        raw_http.app.released.set()
        for one in opened:
            one.writer.close()

    loop.run(end())
    serving.result(waiting.TIMEOUT_SECONDS)
