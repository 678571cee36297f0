"""Locks of a backend that is a folder: whose they are, which of them are left behind, and what becomes of those."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import socket
import subprocess
from typing import Any

import pytest

from planton import errors
from planton.config import settings
from planton.engine import locks, stacks, toolchain
from planton.state import stores

NAME = stacks.StackName("planton", "dev.CivoVpc.net")
HERE = socket.gethostname()


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat()


def _dead() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def _put(folder: pathlib.Path, content: object, name: str = "lock.json") -> pathlib.Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def _lock(process: int, host: str = HERE, timestamp: str | None = None) -> dict[str, Any]:
    return {"pid": process, "username": "ann", "hostname": host, "timestamp": timestamp or _now()}


def test_the_lock_of_a_process_that_has_ended_is_removed(tmp_path: pathlib.Path) -> None:
    """On this machine, and with a line that says so."""
    process = _dead()
    path = _put(tmp_path, _lock(process))
    said: list[str] = []
    locks.release_stale(tmp_path, "a/b", said.append)
    assert not path.exists()
    assert said == [f"the lock of a/b was held by process {process} on {HERE}, which has ended; it is removed"]


def test_a_process_that_began_after_the_lock_was_taken_does_not_hold_it(tmp_path: pathlib.Path) -> None:
    """The system gives the number of a process that has ended to another one."""
    path = _put(tmp_path, _lock(os.getpid(), timestamp="2001-02-03T04:05:06Z"))
    locks.release_stale(tmp_path, "a/b", lambda _line: None)
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [_lock(os.getpid()), _lock(1, "elsewhere"), _lock(os.getpid(), timestamp="?")],
    ids=["here", "elsewhere", "no time"],
)
def test_the_lock_of_a_process_that_may_run_stays(content: dict[str, Any], tmp_path: pathlib.Path) -> None:
    """Whether one on another machine runs cannot be known here."""
    path = _put(tmp_path, content)
    locks.release_stale(tmp_path, "a/b", lambda _line: pytest.fail("nothing is to be removed"))
    assert path.exists()


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"pid": "x", "hostname": "h"}', '{"pid": 0, "hostname": "h"}', '{"pid": 1e99, "hostname": "h"}'],
)
def test_a_damaged_lock_is_named_with_its_path_and_the_way_out(content: str, tmp_path: pathlib.Path) -> None:
    """A power cut leaves an empty file; the engine would only say that JSON ends too early."""
    path = _put(tmp_path, content)
    with pytest.raises(errors.PlantonError, match="empty or damaged") as caught:
        locks.release_stale(tmp_path, "a/b", lambda _line: None)
    assert (caught.value.code, caught.value.reason) == (errors.Code.LOCKED, errors.Reason.STACK_LOCKED)
    assert str(path) in caught.value.message
    assert "planton state unlock --stack a/b" in caught.value.hint
    assert path.exists()


@pytest.fixture
def known(tmp_path: pathlib.Path) -> stores.Stores:
    """The states of a backend that is an empty folder, without a Pulumi."""
    chosen = settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path / "data")})
    return stores.Stores(chosen, toolchain.Toolchain(pathlib.Path("pulumi"), tmp_path, frozenset()))


def _folder(known: stores.Stores) -> pathlib.Path:
    return known.settings.data / "state" / ".pulumi" / "locks" / "organization" / NAME.project / NAME.stack


@pytest.mark.parametrize("content", ["", json.dumps(_lock(1, "elsewhere"))], ids=["damaged", "elsewhere"])
def test_a_stack_that_has_only_a_lock_is_listed_and_unlocked(content: str, known: stores.Stores) -> None:
    """A first operation that was killed leaves no state."""
    path = _put(_folder(known), content)
    (listed,) = known.all()
    assert (listed.name, listed.clean, listed.problem, len(listed.holders)) == (NAME, False, "", 1)
    known.unlock(NAME, force=False)
    assert not path.exists()
    assert known.all() == []


def test_a_lock_whose_holder_runs_is_removed_only_by_force(known: stores.Stores) -> None:
    """Two operations at once damage a state."""
    path = _put(_folder(known), _lock(os.getpid()))
    with pytest.raises(errors.PlantonError, match=f"held by process {os.getpid()}"):
        known.unlock(NAME, force=False)
    assert path.exists()
    known.unlock(NAME, force=True)
    assert not path.exists()


def test_a_lock_file_that_was_never_finished_is_removed_and_no_other(tmp_path: pathlib.Path) -> None:
    """A full disk leaves it empty, beside where the lock would be; the engine fails on it."""
    for name in ("a.json", "a.json.18ec953be6e9f608.tmp", "notes.tmp"):
        (tmp_path / name).touch()
    locks.remove_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "notes.tmp"]
