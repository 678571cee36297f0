"""Four ways to the same API: over REST or gRPC, on SQLite or PostgreSQL."""

import pytest

from planton.store import schema
from support import api


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
        url = f"sqlite:///{tmp_path_factory.mktemp('api') / 'server.db'}"
        schema.migrate(url)
        return url

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


@pytest.fixture(params=["rest", "grpc"])
def door(request):
    return request.param


@pytest.fixture
def server(servers, engine):
    """A server on each engine."""
    return servers(engine)


@pytest.fixture
def client(server, door):
    """A user who has nothing yet, each of the four ways."""
    return api.Api(server, door)


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
