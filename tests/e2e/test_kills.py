"""``kill -9`` of planton and its engine at each command that planton runs: the next same command succeeds."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import signal
import stat
from collections.abc import Callable
from typing import Any

import pytest

from planton.engine import toolchain
from support import planton as support
from support.worlds import FILE, Worlds, applying

#: More commands than any operation of one resource runs.
MOST = 12
#: Counts the commands of the engine. The one with the number in the file ``at`` is killed, with planton, which has started it:
#: when a lock appears in the backend, or after it has ended.
WRAPPER = """#!/bin/bash
[ "$2" = version ] || [ "$1" = version ] && exec {real} "$@"
count=$(( $(cat {folder}/count) + 1 ))
echo $count > {folder}/count
[ "$count" = "$(cat {folder}/at)" ] || exec {real} "$@"
{real} "$@" &
engine=$!
[ {when} = end ] && wait $engine
while kill -0 $engine 2> /dev/null; do
  compgen -G "{locks}/*/*/*.json" > /dev/null && break
  sleep 0.01
done
kill -9 $PPID
kill -9 $engine 2> /dev/null
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Killer:
    """A user whose Pulumi is killed at a command of its own choice."""

    planton: support.Planton
    folder: pathlib.Path

    def run(self, at: int, *arguments: str) -> bool:
        """Run a command whose n-th command of the engine is killed; return whether it came to that."""
        (self.folder / "count").write_text("0", "utf-8")
        (self.folder / "at").write_text(str(at), "utf-8")
        environ = {"PATH": f"{self.folder}:{os.environ['PATH']}", "PLANTON_CACHE_DIR": str(self.folder / "cache")}
        done = self.planton.run(*arguments, code=None, **environ)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        return done.returncode != 0


def _killer(planton: support.Planton, when: str) -> Killer:
    tools = toolchain.find()
    assert tools is not None, "the Pulumi command line is missing: run planton setup"
    folder = planton.folder / "bin"
    folder.mkdir()
    launcher = tools.launcher_folder / "pulumi-resource-pulumi-python"
    (folder / launcher.name).symlink_to(launcher)
    program = folder / "pulumi"
    locks = planton.folder / "data" / "state" / ".pulumi" / "locks"
    program.write_text(WRAPPER.format(real=tools.pulumi, folder=folder, locks=locks, when=when), "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Killer(planton, folder)


@pytest.mark.parametrize("when", ["lock", "end"])
def test_an_apply_that_was_killed_anywhere_is_done_by_the_next_one(worlds: Worlds, when: str) -> None:
    """A first apply: nothing is made twice, and no lock is left."""

    def check(killer: Killer, at: int) -> bool:
        planton = killer.planton
        file = planton.write("n.yaml", support.network())
        is_killed = killer.run(at, "apply", "-f", file, "--yes")
        planton.run("apply", "-f", file, "--yes")
        assert planton.actions("plan", "-f", file) == {}
        assert [each["label"] for each in planton.sandbox.control.resources()["networks"]].count("net") == 1
        return is_killed

    assert _at_each(worlds, when, check) >= len(("init", "preview", "up"))


@pytest.mark.parametrize("when", ["lock", "end"])
def test_a_destroy_that_was_killed_anywhere_is_done_by_the_next_one(worlds: Worlds, when: str) -> None:
    """Nothing is left in the cloud, and no lock in the backend."""

    def check(killer: Killer, at: int) -> bool:
        planton = killer.planton
        is_killed = killer.run(at, "destroy", "-f", FILE, "--yes")
        if is_killed:
            planton.run("destroy", "-f", FILE, "--yes")
        assert [each["label"] for each in planton.sandbox.control.resources()["networks"]] == ["default"]
        assert planton.json("state", "list") == []
        return is_killed

    assert _at_each(worlds, when, check, support.network()) >= len(("destroy", "rm"))


def _at_each(worlds: Worlds, when: str, check: Callable[[Killer, int], bool], *applied: dict[str, Any]) -> int:
    # Each command is killed in a world of its own, until there are no more commands.
    for at in range(1, MOST):
        with worlds.user(*applying(*applied)) as planton:
            if not check(_killer(planton, when), at):
                return at - 1
    raise AssertionError(f"more than {MOST} commands")
