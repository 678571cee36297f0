"""The document is what the server does: schemathesis calls every operation with data of every kind and finds nothing to object to."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from support import api_process

_TESTS = pathlib.Path(__file__).parents[1]


@pytest.fixture
def address(tmp_path):
    """A server of its own, on an empty SQLite file."""
    server = api_process.Process(f"sqlite:///{tmp_path / 'server.db'}")
    yield server.url
    server.stop()


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
    run = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-20_000:]
    tested = re.search(r"Tested: (\d+)", run.stdout)
    assert tested is not None, run.stdout
    assert int(tested[1]) > 20
