"""``kill -9`` of planton and its engine at each command that planton runs: the next same command succeeds."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

from support import kills
from support import planton as support
from support.worlds import FILE, Worlds, applying

#: More commands than any operation of one resource runs.
MOST = 12


def _run(planton: support.Planton, killer: kills.Killer, at: int, *arguments: str) -> bool:
    """Runs a command whose n-th command of the engine is killed; returns whether it came to that."""
    done = planton.run(*arguments, code=None, **killer.arm(at))
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


@pytest.mark.parametrize("when", ["lock", "end"])
def test_an_apply_that_was_killed_anywhere_is_done_by_the_next_one(worlds: Worlds, when: str) -> None:
    """A first apply: nothing is made twice, and no lock is left."""

    def check(planton: support.Planton, killer: kills.Killer, at: int) -> bool:
        file = planton.write("n.yaml", support.network())
        is_killed = _run(planton, killer, at, "apply", "-f", file, "--yes")
        planton.run("apply", "-f", file, "--yes")
        assert planton.actions("plan", "-f", file) == {}
        assert [each["label"] for each in planton.sandbox.control.resources()["networks"]].count("net") == 1
        return is_killed

    assert _at_each(worlds, when, check) >= len(("preview", "up"))


@pytest.mark.parametrize("when", ["lock", "end"])
def test_a_destroy_that_was_killed_anywhere_is_done_by_the_next_one(worlds: Worlds, when: str) -> None:
    """Nothing is left in the cloud, and no lock in the backend."""

    def check(planton: support.Planton, killer: kills.Killer, at: int) -> bool:
        is_killed = _run(planton, killer, at, "destroy", "-f", FILE, "--yes")
        if is_killed:
            planton.run("destroy", "-f", FILE, "--yes")
        assert [each["label"] for each in planton.sandbox.control.resources()["networks"]] == ["default"]
        assert planton.json("state", "list") == []
        return is_killed

    assert _at_each(worlds, when, check, support.network()) >= len(("destroy",))


def _at_each(
    worlds: Worlds, when: str, check: Callable[[support.Planton, kills.Killer, int], bool], *applied: dict[str, Any]
) -> int:
    # Each command is killed in a world of its own, until there are no more commands.
    for at in range(1, MOST):
        with worlds.user(*applying(*applied)) as planton:
            if not check(planton, kills.killer(planton, when), at):
                return at - 1
    raise AssertionError(f"more than {MOST} commands")
