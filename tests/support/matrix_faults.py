"""The faults of the fault matrix: each interrupts one operation in the middle of one request."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from support import disk, matrix_world, waiting

#: Ends a broken test only.
_SECONDS = 180.0
Strike = Callable[["Struck"], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """A fault.

    Attributes:
        name: For the table.
        description: For the page.
        rule: What the sandbox does to the request, or None.
        strike: The action while that request is held, or None.
        outside: A change of the cloud before the operation; returns the function that reverts it.
        races: Whether the engine continues for a moment, so that its last writes vary.
        slowly: Whether Pulumi retries for half a minute before it fails.
    """

    name: str
    description: str
    rule: dict[str, Any] | None = None
    strike: Strike | None = None
    outside: Callable[[matrix_world.World], Callable[[], None]] | None = None
    races: bool = False
    slowly: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Struck:
    """An operation with a held request.

    Attributes:
        world: The world of the operation.
        process: The command.
        provider: The process of the attached provider; None for a provider of the sandbox.
        undo: The callbacks that end the fault.
    """

    world: matrix_world.World
    process: subprocess.Popen[str]
    provider: subprocess.Popen[str] | None
    undo: contextlib.ExitStack


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """The result of a command.

    Attributes:
        code: The exit code; below 0 the signal that ended the command.
        reasons: The reasons of its errors.
        text: Its output.
    """

    code: int
    reasons: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        """Returns the result for the table."""
        if self.code < 0:
            return "killed"
        return " ".join([f"exit {self.code}", *self.reasons])


def descendants(parent: int) -> list[int]:
    """Returns the child processes of a process and theirs, parents first."""
    processes = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            pid, parent_of_pid = int(entry.parent.name), int(entry.read_text().rsplit(")", 1)[1].split()[1])
            if parent_of_pid == parent:
                processes += [pid, *descendants(pid)]
    return processes


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text("utf-8").replace("\0", " ")
    return ""


def _alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def _engine(struck: Struck) -> int:
    return next(pid for pid in descendants(struck.process.pid) if pathlib.Path(_command(pid).split(" ", 1)[0]).name == "pulumi")


def _kill_command(struck: Struck) -> None:
    struck.process.kill()


def _kill_engine(struck: Struck) -> None:
    os.kill(_engine(struck), signal.SIGKILL)


def _kill_provider(struck: Struck) -> None:
    dynamic = [pid for pid in descendants(struck.process.pid) if "pulumi.dynamic" in _command(pid) and "python" in _command(pid)]
    if dynamic:
        # The number of a pool's nodes is set by planton's dynamic provider, which the engine starts.
        for pid in dynamic:
            os.kill(pid, signal.SIGKILL)
    else:
        assert struck.provider is not None
        struck.provider.kill()


def _fill_disk(struck: Struck) -> None:
    for pid in (struck.process.pid, *descendants(struck.process.pid)):
        with contextlib.suppress(ProcessLookupError):
            disk.fill(pid)


def _lose_backend(struck: Struck) -> None:
    # Like a network share that disappears: the path is no folder any more.
    state = struck.world.user.folder / "data" / "state"
    moved = state.with_name("state.away")
    state.rename(moved)
    state.write_text("", "utf-8")

    def restore() -> None:
        state.unlink()
        moved.rename(state)

    struck.undo.callback(restore)


def _quota(world: matrix_world.World) -> Callable[[], None]:
    zero, default = world.cloud.limits
    world.user.sandbox.control.outside("quota", cloud=world.cloud.name, **zero)
    return lambda: world.user.sandbox.control.outside("quota", cloud=world.cloud.name, **default)


def _stuck(world: matrix_world.World) -> Callable[[], None]:
    world.user.sandbox.control.outside("stuck", cloud=world.cloud.name, count=1)
    return lambda: world.user.sandbox.control.outside("unstuck", cloud=world.cloud.name)


_HOLD = {"action": "hold"}
_FAULTS = (
    Fault(
        "429, Retry-After",
        "429 twice, with the time to wait",
        {"action": "status", "status": 429, "headers": {"Retry-After": "1"}, "times": 2},
    ),
    Fault("429", "429 to every request", {"action": "status", "status": 429, "times": 0}),
    Fault("500", "500 to every request", {"action": "status", "status": 500, "times": 0}),
    Fault("timeout", "no answer", {"action": "timeout", "seconds": 0.2, "times": 0}),
    Fault("dropped before", "disconnected before the cloud acts", {"action": "drop", "times": 0}),
    Fault("dropped after", "the cloud acts, the answer is lost once", {"action": "drop_after"}),
    Fault("slow", "half a second of delay", {"action": "slow", "seconds": 0.5}),
    Fault("quota", "the account's quota is used up", outside=_quota),
    Fault("stuck", "the cluster stays in BUILDING", outside=_stuck),
    Fault("planton killed", "`kill -9` of `planton` during the request", _HOLD, _kill_command, races=True),
    Fault("engine killed", "`kill -9` of `pulumi` during the request", _HOLD, _kill_engine),
    Fault("provider killed", "`kill -9` of the plugin during the request", _HOLD, _kill_provider),
    Fault("disk full", "no file can grow, from the middle of the request", _HOLD, _fill_disk, slowly=True),
    Fault("backend lost", "the state's folder is replaced by a file", _HOLD, _lose_backend, slowly=True),
)
FAULTS = {fault.name: fault for fault in _FAULTS}


@contextlib.contextmanager
def _attached(world: matrix_world.World) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serves the cloud's provider as a process, like the official plugin; yields it and the value that attaches it."""
    info = world.user.sandbox.info
    command = [sys.executable, "-m", "planton_sandbox.providers", world.cloud.name, "--endpoint", info.clouds[world.cloud.name]]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **world.user.environ})
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def run(world: matrix_world.World, arguments: tuple[str, ...], fault: Fault, *, method: str, path: str) -> Result:
    """Runs a command while matching requests meet a fault, then ends the fault."""
    with contextlib.ExitStack() as undo:
        if fault.outside is not None:
            undo.callback(fault.outside(world))
        provider, attached = undo.enter_context(_attached(world)) if fault.strike is _kill_provider else (None, "")
        variables = {"PULUMI_DEBUG_PROVIDERS": attached} if attached else {}
        if fault.rule is not None:
            rule = world.user.sandbox.control.fault(cloud=world.cloud.name, method=method, path=path, **fault.rule)
            undo.callback(_remove, world, rule)
        if fault.strike is None:
            result = _result(world.user.run(*arguments, "--output", "json", code=None, **variables))
        else:
            process = world.user.start(*arguments, "--output", "json", **variables)
            waiting.until(lambda: _struck(world, rule) or process.poll() is not None, "the request")
            started = descendants(process.pid)
            fault.strike(Struck(world, process, provider, undo))
            _remove(world, rule)
            out, err = process.communicate(timeout=_SECONDS)
            # The state is inspected only after all processes have ended.
            waiting.until(lambda: not any(map(_alive, started)), "the end of the processes of a killed command")
            result = result_of(process.returncode, out, err)
        if fault.rule is not None:
            assert _seen(world, rule), f"the fault struck nothing: {result.text}"
    return result


def finish(world: matrix_world.World, arguments: tuple[str, ...]) -> Result:
    """Runs a command without a fault."""
    return _result(world.user.run(*arguments, "--output", "json", code=None))


def _result(done: subprocess.CompletedProcess[str]) -> Result:
    return result_of(done.returncode, done.stdout, done.stderr)


def _remove(world: matrix_world.World, rule: int) -> None:
    # Held requests are answered now, those of dead clients too.
    struck = _struck(world, rule)
    world.user.sandbox.control.call("DELETE", f"/faults/{rule}")
    waiting.until(lambda: _seen(world, rule) >= struck, "the response to the held request")


def _struck(world: matrix_world.World, rule: int) -> int:
    rules = world.user.sandbox.control.call("GET", "/faults")["faults"]
    return next((int(each["struck"]) for each in rules if each["id"] == rule), 0)


def _seen(world: matrix_world.World, rule: int) -> int:
    return sum(each["fault"] == rule for each in world.user.sandbox.control.requests(0, world.cloud.name))


def result_of(code: int, out: str, err: str) -> Result:
    """Returns the result of a command with ``--output json``."""
    assert "Traceback" not in err, err
    assert "unexpected" not in err, err
    data = json.loads(out) if out.strip() else {}
    reported = [data.get("error"), *(each["error"] for each in data.get("resources", ()))]
    return Result(code, tuple(sorted({str(each["reason"]) for each in reported if each})), out + err)
