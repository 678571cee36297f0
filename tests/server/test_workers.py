"""Several workers are one server: what one of them writes, a stream at another tells."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from support import serving, waiting

STREAM = {"Accept": "text/event-stream"}


def worker(server: serving.Server, answer: httpx.Response) -> int:
    """Return the process that gives an answer: it has the other end of the answer's connection."""
    mine = answer.extensions["network_stream"].get_extra_info("client_addr")[1]
    ends = f":{httpx.URL(server.url).port:04X}", f":{mine:04X}"
    lines = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    [inode] = [line[9] for line in lines if (line[1][-5:], line[2][-5:]) == ends]
    return next(process for process in _processes() if f"socket:[{inode}]" in _open(process))


def _processes() -> list[int]:
    return [int(one.name) for one in pathlib.Path("/proc").glob("[0-9]*")]


def _open(process: int) -> set[str]:
    """Return what a process has open; files that are closed meanwhile, and processes of others, do not count."""
    targets = set()
    with contextlib.suppress(OSError):
        for link in list(pathlib.Path(f"/proc/{process}/fd").iterdir()):
            with contextlib.suppress(OSError):
                targets.add(str(link.readlink()))
    return targets


def events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """Yield what a stream tells."""
    for line in answer.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


@pytest.mark.skipif(not pathlib.Path("/proc/net/tcp").exists(), reason="who has a connection is read from /proc")
def test_a_stream_tells_what_another_worker_wrote(new_url, engine: str, tmp_path: pathlib.Path) -> None:
    """Streams at both workers tell of one write, so at least one of them of the other worker's."""
    options = ("--database-url", new_url(engine), "--workers", "2", "--tick", "0")
    with serving.running(tmp_path, *options) as server:
        waiting.until(lambda: len(server.lines("Application startup complete.")) == 2, "both workers")
        with server.client.stream("GET", "/api/v1/events", headers=STREAM) as first:
            # While its worker stands still, only the other one can take a connection.
            held = worker(server, first)
            os.kill(held, signal.SIGSTOP)
            try:
                second = server.client.send(server.client.build_request("GET", "/api/v1/events", headers=STREAM), stream=True)
            finally:
                os.kill(held, signal.SIGCONT)
            assert worker(server, second) != held
            cluster, pool = server.pool()
            ids = [[next(stream)["resource"]["id"] for _ in range(2)] for stream in (events(first), events(second))]
            assert ids == [[cluster, pool]] * 2
            second.close()
        assert server.stop() == 0
