"""``planton status``: locks of a backend that is a folder, and ``--watch`` with the time as an argument."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import socket
import subprocess
from collections.abc import Iterator

import pytest

from planton.cli import status, watching
from planton.config import settings
from planton.deploy import health, overview, runtime
from planton.engine import stacks
from planton.state import inventory
from support import overviews, world

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
STACK = "dev.CivoVpc.net"


@pytest.fixture
def run(tmp_path: pathlib.Path) -> runtime.Runtime:
    """The runtime of a backend that is an empty folder."""
    chosen = settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path)})
    return runtime.Runtime(chosen, world.TOOLS, inventory.Inventory(chosen, world.TOOLS))


def _lock(run: runtime.Runtime, process: int) -> None:
    assert run.settings.backend_folder is not None
    folder = run.settings.backend_folder.parent / "locks" / stacks.NO_OWNER / stacks.PROJECT / STACK
    folder.mkdir(parents=True)
    now = datetime.datetime.now(datetime.UTC).isoformat()
    lock = {"pid": process, "username": "ann", "hostname": socket.gethostname(), "timestamp": now}
    (folder / "lock.json").write_text(json.dumps(lock), "utf-8")


def _findings(run: runtime.Runtime, listed: overview.Filter | None = None) -> list[health.Finding]:
    return list(health.read(run, listed or overview.Filter(), now=NOW).findings)


def test_a_held_lock_is_a_note(run: runtime.Runtime) -> None:
    """An operation runs. It needs no action, so that all is well."""
    _lock(run, os.getpid())
    [finding] = _findings(run)
    assert (finding.level, finding.reason, finding.hint) == (health.Level.NOTE, "Locked", "")
    assert str(os.getpid()) in finding.message
    assert health.Health((), (finding,)).is_well


def test_a_lock_of_an_ended_process_is_a_warning_with_the_way_to_remove_it(run: runtime.Runtime) -> None:
    """It would refuse the next operation on another machine."""
    process = subprocess.Popen(["true"])
    process.wait()
    _lock(run, process.pid)
    [finding] = _findings(run)
    assert (finding.level, finding.resource) == (health.Level.WARNING, f"stack {stacks.PROJECT}/{STACK}")
    assert "does not run any more" in finding.message
    assert finding.hint == f"planton state unlock --stack {stacks.PROJECT}/{STACK}"
    assert finding.hint in "\n".join(status.lines(health.Health((), (finding,))))


def test_the_lock_of_an_unknown_stack_belongs_to_no_environment(run: runtime.Runtime) -> None:
    """A killed first operation leaves only a lock."""
    _lock(run, os.getpid())
    assert _findings(run, overview.Filter(env="prod")) == []


class _EndedError(Exception):
    """The user has pressed Ctrl-C."""


def test_a_watch_reads_again_after_each_interval() -> None:
    """It ends with the user's interruption."""
    waits: list[float] = []
    reads: Iterator[int] = iter(range(9))

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise _EndedError

    seen: list[int] = []
    with pytest.raises(_EndedError):
        seen.extend(watching.repeat(lambda: next(reads), 7.0, wait=wait))
    assert waits == [7.0, 7.0, 7.0]
    assert next(reads) == 3


def test_a_watch_prints_only_screens_that_differ(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal, a log shows each change once."""
    well = status.lines(health.Health((overviews.cluster("one"),), ()))
    finding = health.Finding(level=health.Level.ERROR, resource="r", reason="Missing", message="gone")
    bad = status.lines(health.Health((overviews.cluster("one"),), (finding,)))
    watching.screens([well, well, bad, bad, well])
    printed = capsys.readouterr().out
    assert (printed.count("All is well."), printed.count("1 error")) == (2, 1)
