"""The controller of docs/extend/writing-a-controller.md, run as its readers run it."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import sys
from collections.abc import Iterator

from support import serving, waiting

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "python" / "controller.py"
PAGE = pathlib.Path(__file__).parents[2] / "docs" / "extend" / "writing-a-controller.md"


@contextlib.contextmanager
def _controller(url: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, str(EXAMPLE), url])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_the_smallest_controller_serves_a_pool_for_its_life(tmp_path: pathlib.Path) -> None:
    """Created, scaled and deleted, by work that it claims; another process continues."""
    with serving.running(tmp_path) as server:
        cluster, pool = server.pool()

        def shows(phase: str, nodes: int) -> bool:
            status = server.call("GET", f"/nodepools/{pool}/status")
            reports = status["controller_status"]
            return status["status"]["phase"] == phase and [each["metadata"] for each in reports] == [{"active_nodes": nodes}]

        with _controller(server.url):
            waiting.until(lambda: shows("Ready", 3), "the pool to be ready")
        server.call("PUT", f"/nodepools/{pool}", {"spec": serving.POOL["spec"] | {"nodeCount": 5}})
        with _controller(server.url):
            waiting.until(lambda: shows("Ready", 5), "the pool to be scaled")
            server.call("DELETE", f"/nodepools/{pool}")
            waiting.until(
                lambda: server.client.get(f"/api/v1/nodepools?clusterId={cluster}&includeDeleting=true").json()["total"] == 0,
                "it to go",
            )


def test_the_page_names_the_example() -> None:
    """It is the program that this test runs."""
    assert "examples/python/controller.py" in PAGE.read_text("utf-8")
