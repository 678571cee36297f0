"""The sandbox as a separate process, and the commands that start and stop it."""

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

from planton import errors
from planton.cli import sandbox as commands
from planton_sandbox import clouds, launch, variables
from support.sandbox import Sandbox


@pytest.fixture
def home(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A home whose sandbox is stopped after the test."""
    folder = tmp_path / "home"
    yield folder
    launch.stop(folder)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pathlib.Path]:
    """The home of a running sandbox, shared by tests that leave it running."""
    folder = tmp_path_factory.mktemp("launch") / "home"
    launch.start(folder)
    yield folder
    launch.stop(folder)


def _run(home: pathlib.Path, *arguments: str) -> testing.Result:
    return testing.CliRunner().invoke(commands.sandbox, arguments, env={"PLANTON_SANDBOX_HOME": str(home)})


def test_commands_report_that_no_sandbox_is_running(home: pathlib.Path) -> None:
    """`status` exits with 3, `env` with 1, and `stop` succeeds."""
    assert _run(home, "status").exit_code == 3
    assert _run(home, "env").exit_code == 1
    assert "No sandbox" in _run(home, "stop").output


def test_a_second_start_finds_the_running_sandbox(started: pathlib.Path) -> None:
    """`start` prints the process that is already running."""
    running = launch.status(started)
    assert running is not None
    second = json.loads(_run(started, "start", "-o", "json").output)
    assert (second["running"], second["pid"]) == (True, running.pid)


def _as_written_by_an_older_version(home: pathlib.Path, *lacking: str) -> None:
    """Rewrites the information file of a running sandbox without the cloud ``gcp`` and these fields."""
    info = json.loads((home / "sandbox.json").read_text(encoding="utf-8"))
    for field in ("clouds", "tokens", "files"):
        info.get(field, {}).pop("gcp", None)
    for field in lacking:
        del info[field]
    (home / "sandbox.json").write_text(json.dumps(info | {"version": "0.0.9"}), encoding="utf-8")


def test_a_sandbox_of_an_older_version_is_reported(home: pathlib.Path) -> None:
    """Without one of the clouds, its variables cannot be set. `stop` still ends it."""
    info = launch.start(home)
    for lacking in ((), ("files",)):
        _as_written_by_an_older_version(home, *lacking)
        for command in (("start",), ("env",), ("run", "--", "true")):
            reported = _run(home, *command).exception
            assert isinstance(reported, errors.PlantonError)
            assert (reported.reason, reported.code) == (errors.Reason.SANDBOX_OUTDATED, errors.Code.MISSING)
            assert all(text in reported.message for text in ("gcp", "0.0.9", str(info.pid)))
            assert "planton sandbox stop" in reported.hint
    assert _run(home, "stop").exit_code == 0
    assert _run(home, "start").exit_code == 0


def test_variables_are_about_every_cloud() -> None:
    """Each simulated cloud is required of a running sandbox."""
    assert set(variables.CLOUDS) == set(clouds.CLOUDS)


def test_env_prints_the_variables_of_every_client(started: pathlib.Path) -> None:
    """The variables have the endpoints and tokens of the sandbox."""
    running = launch.status(started)
    assert running is not None
    assert set(_run(started, "env").output.splitlines()) >= {
        f"export CIVO_API_URL='{running.clouds['civo']}'",
        "export CIVO_TOKEN='sandbox-token'",
        f"export DIGITALOCEAN_API_URL='{running.clouds['digitalocean']}'",
        "export DIGITALOCEAN_TOKEN='sandbox-token'",
        "export DIGITALOCEAN_ACCESS_TOKEN='sandbox-token'",
        "export GOOGLE_OAUTH_ACCESS_TOKEN='sandbox-token'",
        f"export GOOGLE_CONTAINER_CUSTOM_ENDPOINT='{running.clouds['gcp']}/v1beta1/'",
    }


def test_env_leaves_googles_own_credentials_alone(started: pathlib.Path) -> None:
    """A backend of states in Google's cloud, which reads them, must not get the sandbox's."""
    printed = _run(started, "env").output
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in printed
    assert "GOOGLE_CREDENTIALS" not in printed


def test_status_prints_the_files_of_the_clouds_command_lines(started: pathlib.Path) -> None:
    """The civo, doctl and gcloud command lines need their paths."""
    running = launch.status(started)
    assert running is not None
    printed = _run(started, "status").output
    assert all(path in printed for path in running.files.values())


def test_all_stand_in_plugins_are_served(started: pathlib.Path) -> None:
    """Pulumi attaches them through PULUMI_DEBUG_PROVIDERS."""
    running = launch.status(started)
    assert running is not None
    ports = running.providers
    expected = ",".join(f"{name}:{ports[name]}" for name in ("civo", "digitalocean", "gcp"))
    assert variables.debug_providers(running) == expected


def test_run_returns_the_exit_code_of_the_command(started: pathlib.Path) -> None:
    """The command gets the variables of the sandbox. A missing command is 127."""
    script = "import os; os._exit(len(os.environ['CIVO_TOKEN']))"
    assert _run(started, "run", "--", sys.executable, "-c", script).exit_code == len("sandbox-token")
    assert _run(started, "run", "--", "no-such-command").exit_code == 127


def test_stop_refuses_while_the_process_is_unknown(started: pathlib.Path) -> None:
    """The sandbox keeps running."""
    running = launch.status(started)
    saved = (started / "lock").read_text(encoding="ascii")
    (started / "lock").write_text("", encoding="ascii")
    try:
        with pytest.raises(launch.LaunchError, match="its process is not known"):
            launch.stop(started)
        assert _run(started, "stop").exit_code == 1
        assert launch.status(started) == running
    finally:
        (started / "lock").write_text(saved, encoding="ascii")


def test_a_killed_sandbox_restarts_at_the_same_urls(home: pathlib.Path) -> None:
    """It has the requested latency. A stale lock stops no other process."""
    first = launch.start(home)
    os.kill(first.pid, signal.SIGKILL)
    os.waitpid(first.pid, 0)
    assert _run(home, "status").exit_code == 3
    # The lock of a killed sandbox may name another program's process by now, which must not be stopped.
    (home / "lock").write_text(str(os.getpid()), encoding="ascii")
    assert not launch.stop(home)
    restarted = json.loads(_run(home, "start", "--latency", "realistic", "-o", "json").output)
    assert (restarted["clouds"], restarted["latency"]) == (first.clouds, "realistic")
    assert restarted["pid"] != first.pid


def test_stop_waits_for_the_end_of_the_process(home: pathlib.Path) -> None:
    """The information file is removed."""
    info = launch.start(home)
    assert _run(home, "reset").exit_code == 0
    assert "has stopped" in _run(home, "stop").output
    with pytest.raises(ProcessLookupError):
        os.kill(info.pid, 0)
    assert not (home / "sandbox.json").exists()
    assert not launch.stop(home)


def test_stop_kills_a_sandbox_that_does_not_respond(home: pathlib.Path) -> None:
    """Its lock shows that it is running."""
    info = launch.start(home)
    os.kill(info.pid, signal.SIGSTOP)
    (home / "sandbox.json").write_text("{", encoding="utf-8")
    assert launch.status(home) is None
    with pytest.raises(launch.LaunchError, match="does not answer"):
        launch.reset(home)
    # Only SIGKILL ends a suspended process.
    assert launch.stop(home, timeout=0.1)
    assert not launch.stop(home)


def test_a_failed_start_reports_the_reason(home: pathlib.Path) -> None:
    """A state file of another format is an error without a traceback."""
    home.mkdir()
    (home / "state.json").write_text('{"format": 99}', encoding="utf-8")
    failed = _run(home, "start")
    assert failed.exit_code == 1
    assert "format 99" in failed.output
    assert "Traceback" not in failed.output


def test_the_files_of_the_clouds_command_lines_are_private(sandbox: Sandbox) -> None:
    """They have the endpoint and token, and only their owner can read them."""
    doctl, civo = (pathlib.Path(variables.environment(sandbox.info)[name]) for name in ("DIGITALOCEAN_CONFIG", "CIVO_CONFIG"))
    assert yaml.safe_load(doctl.read_text(encoding="utf-8")) == {
        "access-token": "sandbox-token",
        "api-url": sandbox.digitalocean,
        "context": "default",
    }
    assert json.loads(civo.read_text(encoding="utf-8"))["meta"]["url"] == sandbox.civo
    assert [path.stat().st_mode & 0o077 for path in (doctl, civo)] == [0, 0]
