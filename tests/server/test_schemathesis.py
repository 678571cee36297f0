"""The document is what the server does: schemathesis calls every operation with data of every kind and finds nothing to object to."""

import os
import pathlib
import subprocess
import sys
import time
import urllib.request

import pytest

_TESTS = pathlib.Path(__file__).parents[1]


@pytest.fixture
def address(tmp_path, free_port):
    """A server of its own, on an empty SQLite file."""
    environment = {**os.environ, "PLANTON_SERVER_DATABASE_URL": f"sqlite:///{tmp_path / 'server.db'}"}
    command = [sys.executable, "-m", "planton", "server", "start", "--port", str(free_port)]
    url = f"http://127.0.0.1:{free_port}"
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, env=environment, stdout=log, stderr=log) as server:
        try:
            _wait(f"{url}/ready", server)
            yield url
        finally:
            server.terminate()


@pytest.fixture
def free_port():
    import socket

    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


def _wait(url, server):
    for _ in range(300):
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


def test_schemathesis_finds_nothing(address, tmp_path):
    """No server error, no undocumented answer, no broken schema, nothing accepted that is wrong, nothing refused that is right."""
    schemathesis = pathlib.Path(sys.executable).with_name("schemathesis")
    # This check does not know x-rules: the hooks have one that does.
    without = "positive_data_acceptance"
    command = [
        schemathesis, "run", f"{address}/openapi.json", "--header", "X-User-Email: user@example.com", "--max-examples", "5",
        "--seed", "1", "--continue-on-failure", "--warnings", "off", "--exclude-checks", without, "--no-color",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(_TESTS), "SCHEMATHESIS_HOOKS": "support.schemathesis_hooks"}
    found = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-20_000:]
    assert "Tested: 2" in found.stdout
