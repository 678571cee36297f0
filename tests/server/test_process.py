"""The server as users run it: what was acknowledged survives it, streams and requests end well, nobody spoofs."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from support import api, api_process

USER = {"x-user-email": "user@example.com"}
CONNECTIONS, WRITES, KILLED_AFTER = 16, 3000, 1000


@pytest.fixture
def start():
    """Starts servers, which have stopped at the end."""
    started = []

    def begin(url, *options, port=0):
        started.append(api_process.Process(url, *options, port=port))
        return started[-1]

    yield begin
    for one in started:
        one.stop()


@pytest.fixture
def process(start, new_url):
    return start(new_url("sqlite"))


def client(process, **headers):
    limits = httpx.Limits(max_connections=CONNECTIONS)
    return httpx.AsyncClient(base_url=f"{process.url}/api/v1", headers=USER | headers, timeout=api.TIMEOUT_SECONDS, limits=limits)


async def new_cluster(connection, name="c"):
    answer = await connection.post("/clusters", json={"name": name, "spec": {"platform": {"type": "gcp"}}})
    return answer.json()["id"]


class Load:
    """Writes of many connections, during which the server is killed.

    Attributes:
        acknowledged: The node pools that the server said it had created.
        events: What a consumer has read meanwhile.
        cursor: Where it will go on.
    """

    def __init__(self, process):
        self._process = process
        self._numbers = iter(range(WRITES))
        self.acknowledged = set()
        self.events = []
        self.cursor = ""

    async def run(self):
        async with client(self._process) as connection:
            cluster = await new_cluster(connection)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._consume(connection))
                for _ in range(CONNECTIONS):
                    group.create_task(self._write(connection, cluster))

    async def _write(self, connection, cluster):
        with contextlib.suppress(httpx.TransportError):
            for number in self._numbers:
                answer = await connection.post(f"/clusters/{cluster}/nodepools", json=api.pool(name=f"p{number}"))
                assert answer.status_code == 201
                self.acknowledged.add(answer.json()["id"])
                if len(self.acknowledged) == KILLED_AFTER:
                    await asyncio.to_thread(self._process.kill)

    async def _consume(self, connection):
        with contextlib.suppress(httpx.TransportError):
            while True:
                await self.read(connection)

    async def read(self, connection):
        """Reads a page of events, and returns whether there was any."""
        page = (await connection.get("/events", params={"after": self.cursor, "limit": 50})).json()
        self.events += page["events"]
        self.cursor = page["next_cursor"]
        return bool(page["events"])


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_kill(loop, start, new_url, engine):
    """Of a server that is killed while it writes, each acknowledged write is there with its event, and a consumer goes on."""
    url = new_url(engine)
    load = Load(start(url))
    loop.run(load.run())
    assert KILLED_AFTER <= len(load.acknowledged) < WRITES
    assert load.cursor, "it was killed while a consumer read"

    async def look():
        stored, token = [], None
        async with client(start(url)) as connection:
            while token is None or token:
                page = (
                    await connection.get("/nodepools", params={"limit": 100} | ({"page_token": token} if token else {}))
                ).json()
                stored += [pool["id"] for pool in page["nodepools"]]
                token = page.get("next_page_token", "")
            while await load.read(connection):
                pass
        return stored, page["total"]

    stored, total = loop.run(look())
    assert load.acknowledged <= set(stored)
    assert len(stored) == len(set(stored)) == total
    created = [event["resource"]["id"] for event in load.events if event["type"] == "nodepool.created"]
    assert sorted(created) == sorted(stored), "each write has its event and each event its write"
    assert len({event["id"] for event in load.events}) == len(load.events)


async def events_of(stream):
    """Yields the events of a stream as its fields."""
    fields = {}
    async for line in stream.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        if "data" in fields:
            yield fields
        fields = {}


def test_stream(loop, process):
    """A stream tells of events as they happen, goes on from the last one that its reader knows, and ends when the server stops."""

    async def run():
        async with client(process, accept="text/event-stream") as connection, contextlib.AsyncExitStack() as stack:
            first = await new_cluster(connection, "a")
            stream = await stack.enter_async_context(connection.stream("GET", "/events"))
            assert stream.headers["content-type"].startswith("text/event-stream")
            events = events_of(stream)
            seen = [await anext(events)]
            second = await new_cluster(connection, "b")
            seen.append(await anext(events))
            resumed = await stack.enter_async_context(
                connection.stream("GET", "/events", headers={"last-event-id": seen[0]["id"]})
            )
            again = await anext(events_of(resumed))
            process.signal()
            rest = [event async for event in events]
            return first, second, seen, again, rest

    first, second, seen, again, rest = loop.run(run())
    data = [json.loads(event["data"]) for event in seen]
    assert [each["resource"]["id"] for each in data] == [first, second]
    assert [(event["event"], event["id"]) for event in seen] == [("cluster.created", each["cursor"]) for each in data]
    assert again == seen[1]
    assert rest == []
    assert process.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_graceful_stop(loop, process, number):
    """A request that has begun gets its answer although the server was told to stop, and the server ends with success."""

    async def run():
        body = json.dumps({"name": "c", "spec": {"platform": {"type": "gcp"}}}).encode()
        half, go = len(body) // 2, asyncio.Event()

        async def slowly():
            yield body[:half]
            await go.wait()
            yield body[half:]

        async with client(process) as connection:
            await connection.get("/info")
            headers = {"content-type": "application/json"}
            sending = asyncio.ensure_future(connection.post("/clusters", content=slowly(), headers=headers))
            async with client(process) as other:
                # The server has begun with the first request when it answers a later one.
                await other.get("/info")
            process.signal(number)
            await asyncio.to_thread(process.wait_for, "Shutting down")
            go.set()
            return await sending

    answer = loop.run(run())
    assert answer.status_code == 201
    assert process.stop() == 0


def test_watched_health_ends_with_the_server(loop, start, new_url):
    """Who watches the health over gRPC learns that the server stops, and does not hold it up."""
    port = api_process.free_port()
    process = start(new_url("sqlite"), f"--grpc-port={port}")

    async def run():
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=api.TIMEOUT_SECONDS)
            seen = []
            async for answer in watch:
                seen.append(answer.status)
                if len(seen) == 1:
                    process.signal()
            return seen

    assert loop.run(run()) == [health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING]
    assert process.stop() == 0


def test_an_address_of_ipv6(loop, start, new_url):
    """Both doors are there too."""
    port = api_process.free_port()
    process = start(new_url("sqlite"), "--host=::1", f"--grpc-port={port}")

    async def run():
        async with grpc.aio.insecure_channel(f"[::1]:{port}") as channel:
            served = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=api.TIMEOUT_SECONDS)
        async with httpx.AsyncClient(headers=USER, timeout=api.TIMEOUT_SECONDS) as connection:
            return served.status, (await connection.get(f"http://[::1]:{process.port}/api/v1/nodepools")).status_code

    assert loop.run(run()) == (health_pb2.HealthCheckResponse.SERVING, 200)


def test_trusted_header_only_where_it_can_be_trusted(tmp_path):
    """The server does not listen beyond this machine in a mode in which anybody could be anybody."""
    command = [
        sys.executable,
        "-m",
        "planton",
        "server",
        "start",
        "--host=0.0.0.0",
        "--auth=header",
        f"--database-url=sqlite:///{tmp_path}/a.db",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=api_process.TIMEOUT_SECONDS, check=False)
    assert done.returncode == 2
    assert "--trusted-proxy" in done.stderr


def test_token_mode(loop, start, new_url):
    """In token mode the header names nobody, on loopback too."""
    process = start(new_url("sqlite"), "--auth=token")

    async def run():
        async with client(process) as connection:
            return await connection.get("/nodepools"), await connection.get("/health")

    refused, healthy = loop.run(run())
    assert (refused.status_code, healthy.status_code) == (401, 200)


def test_log_is_json(loop, start, new_url):
    """Each line of the log is an object, and none has what a node runs when it starts."""
    process = start(new_url("sqlite"))

    async def run():
        async with client(process) as connection:
            cluster = await new_cluster(connection)
            body = api.pool("aws", cloud={"userData": "the-user-data"})
            return await connection.post(f"/clusters/{cluster}/nodepools", json=body)

    assert loop.run(run()).status_code == 201
    assert process.stop() == 0
    lines = [json.loads(line) for line in process.lines if line.startswith("{")]
    requests = [line for line in lines if line.get("route") == "/api/v1/clusters/{cluster_id}/nodepools"]
    assert [(line["status"], line["caller"]) for line in requests] == [(201, "user@example.com")]
    assert "the-user-data" not in "".join(process.lines)
