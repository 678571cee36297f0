"""The sandbox as a process of its own, and the commands that start and stop it."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import sys
from collections.abc import Iterator

import pytest
import yaml
from click import testing

from planton.cli import sandbox as commands
from planton_sandbox import launch


@pytest.fixture
def home(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A home whose sandbox is stopped in the end."""
    folder = tmp_path / "home"
    yield folder
    launch.stop(folder)


def _run(home: pathlib.Path, *arguments: str) -> testing.Result:
    return testing.CliRunner().invoke(commands.sandbox, arguments, env={"PLANTON_SANDBOX_HOME": str(home)})


def test_a_life(home: pathlib.Path) -> None:
    """Start, start again, status, env, run, kill -9, start, reset and stop do what they say."""
    assert _run(home, "status").exit_code == 3
    assert _run(home, "env").exit_code == 1
    started = json.loads(_run(home, "start", "--output", "json").output)
    assert started["running"]
    assert json.loads(_run(home, "start", "-o", "json").output)["pid"] == started["pid"]
    exports = _run(home, "env").output.splitlines()
    assert f"export CIVO_API_URL='{started['clouds']['civo']}'" in exports
    assert "export CIVO_TOKEN='sandbox-token'" in exports
    assert f"export DIGITALOCEAN_API_URL='{started['clouds']['digitalocean']}'" in exports
    assert "export DIGITALOCEAN_TOKEN='sandbox-token'" in exports
    assert "export DIGITALOCEAN_ACCESS_TOKEN='sandbox-token'" in exports
    assert started["files"]["digitalocean"] in _run(home, "status").output
    script = "import os; os._exit(len(os.environ['CIVO_TOKEN']))"
    assert _run(home, "run", "--", sys.executable, "-c", script).exit_code == len("sandbox-token")
    assert _run(home, "run", "--", "no-such-command").exit_code == 127

    os.kill(started["pid"], signal.SIGKILL)
    os.waitpid(started["pid"], 0)
    assert _run(home, "status").exit_code == 3
    again = json.loads(_run(home, "start", "--latency", "realistic", "-o", "json").output)
    assert (again["clouds"], again["latency"]) == (started["clouds"], "realistic")
    assert again["pid"] != started["pid"]

    assert _run(home, "reset").exit_code == 0
    assert "has stopped" in _run(home, "stop").output
    assert "No sandbox" in _run(home, "stop").output
    assert not (home / "sandbox.json").exists()


def test_a_start_that_fails_says_why(home: pathlib.Path) -> None:
    """A state file of another format is an error with the reason, not a traceback on the terminal."""
    home.mkdir()
    (home / "state.json").write_text('{"format": 99}', encoding="utf-8")
    failed = _run(home, "start")
    assert failed.exit_code == 1
    assert "format 99" in failed.output
    assert "Traceback" not in failed.output


def test_the_clients_configuration(home: pathlib.Path) -> None:
    """The files for the clouds' command lines name the endpoints and are for the owner only."""
    info = launch.start(home)
    doctl = pathlib.Path(launch.environment(info)["DIGITALOCEAN_CONFIG"])
    assert yaml.safe_load(doctl.read_text(encoding="utf-8")) == {
        "access-token": "sandbox-token",
        "api-url": info.clouds["digitalocean"],
        "context": "default",
    }
    assert doctl.stat().st_mode & 0o077 == 0
    path = pathlib.Path(launch.environment(info)["CIVO_CONFIG"])
    config = json.loads(path.read_text(encoding="utf-8"))
    assert config["meta"]["url"] == info.clouds["civo"]
    assert path.stat().st_mode & 0o077 == 0


def test_a_sandbox_that_does_not_answer_is_stopped(home: pathlib.Path) -> None:
    """It is told by its lock and not by an answer; its process is gone then."""
    info = launch.start(home)
    os.kill(info.pid, signal.SIGSTOP)
    (home / "sandbox.json").write_text("{", encoding="utf-8")
    assert launch.status(home) is None
    with pytest.raises(launch.LaunchError, match="does not answer"):
        launch.reset(home)
    # A process that stands still hears SIGKILL alone.
    assert launch.stop(home, timeout=0.1)
    assert not launch.stop(home)


def test_a_process_that_has_stopped_is_gone(home: pathlib.Path) -> None:
    """When that is said, and not soon after."""
    info = launch.start(home)
    assert launch.stop(home)
    with pytest.raises(ProcessLookupError):
        os.kill(info.pid, 0)
    assert not launch.stop(home)


def test_a_process_that_is_not_known_is_reported(home: pathlib.Path) -> None:
    """Nobody else is killed, and nobody is told that it is gone."""
    info = launch.start(home)
    kept = (home / "lock").read_text(encoding="ascii")
    (home / "lock").write_text("", encoding="ascii")
    with pytest.raises(launch.LaunchError, match="its process is not known"):
        launch.stop(home)
    assert _run(home, "stop").exit_code == 1
    assert launch.status(home) == info
    (home / "lock").write_text(kept, encoding="ascii")


def test_the_process_of_another_one_is_left_alone(home: pathlib.Path) -> None:
    """A sandbox that was killed leaves a number that may be another process's by now."""
    info = launch.start(home)
    os.kill(info.pid, signal.SIGKILL)
    os.waitpid(info.pid, 0)
    (home / "lock").write_text(str(os.getpid()), encoding="ascii")
    assert not launch.stop(home)
