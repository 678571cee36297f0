"""Programs whose Pulumi is killed at a command of the test's choice, with the process that has started it."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import stat

from planton.engine import toolchain
from support import planton

#: Counts the commands of the engine. The one with the number in the file ``at`` is killed, with the program that has started it:
#: when a lock appears in the backend, or after it has ended.
_WRAPPER = """#!/bin/bash
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
    """A Pulumi of its own in a folder.

    Attributes:
        folder: The folder.
    """

    folder: pathlib.Path

    def arm(self, at: int) -> dict[str, str]:
        """Starts counting; returns the environment of a program that is killed at its n-th command of the engine."""
        (self.folder / "count").write_text("0", "utf-8")
        (self.folder / "at").write_text(str(at), "utf-8")
        return {"PATH": f"{self.folder}:{os.environ['PATH']}", "PLANTON_CACHE_DIR": str(self.folder / "cache")}


def killer(user: planton.Planton, when: str) -> Killer:
    """Returns what kills the programs of a user.

    Args:
        user: The user.
        when: ``lock``: when a lock appears in the backend; ``end``: after the command of the engine.
    """
    tools = toolchain.find()
    assert tools is not None, "the Pulumi command line is missing: run planton setup"
    folder = user.folder / "bin"
    folder.mkdir()
    launcher = tools.launcher_folder / "pulumi-resource-pulumi-python"
    (folder / launcher.name).symlink_to(launcher)
    program = folder / "pulumi"
    locks = user.folder / "data" / "state" / ".pulumi" / "locks"
    program.write_text(_WRAPPER.format(real=tools.pulumi, folder=folder, locks=locks, when=when), "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Killer(folder)
