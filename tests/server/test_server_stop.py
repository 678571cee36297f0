"""What a server does at a stop before it ends."""

from __future__ import annotations

import pathlib
import signal
import subprocess
import sys

import httpx
import pytest

from planton.cli import server_database
from support import serving, sqlite_file, waiting

#: Runs a server that asks itself something before it stops.
_PROGRAM = """
import sys, urllib.request
from planton_server import server, settings

url, port, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def ask():
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        print(answer.status, flush=True)

if __name__ == "__main__":
    server.run(settings.Settings(url, port=port, grpc_port=0, workers=workers, trusted_header=True), before_stop=ask)
"""


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_requests_are_answered_until_the_controllers_have_stopped(
    tmp_path: pathlib.Path, workers: int, number: signal.Signals
) -> None:
    """The function that is called at a signal still gets an answer; the server ends when it has returned."""
    url = sqlite_file.create(tmp_path / "server.db")
    server_database.migrate(url)
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM, "utf-8")
    port = serving.free_port()
    command = [sys.executable, str(program), url, str(port), str(workers)]
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process,
    ):
        try:
            waiting.until(lambda: serving.responds(client), "the server")
            process.send_signal(number)
            output, _ = process.communicate(timeout=waiting.TIMEOUT_SECONDS)
        finally:
            process.kill()
    assert (output, process.returncode) == ("200\n", 0)
