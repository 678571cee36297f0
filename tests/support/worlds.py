"""Environments that are applied once by a worker of pytest, and copied for each test.

An apply starts Pulumi three times for each resource; a copy takes milliseconds. States name folders and ports, so that every copy
goes into the same folder, and the ports of its sandbox stay reserved between tests.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib
import shutil
from collections.abc import Callable, Iterator
from typing import Any

from planton_sandbox import files, ports
from support import planton as support

#: The file that a world is applied from.
FILE = "world.yaml"
#: Returns the user who has applied manifests: the fixture ``applied``.
Applied = Callable[..., support.Planton]


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """A step from one world to the next.

    Attributes:
        key: Its name, which is the same for the same step.
        take: Changes the world.
    """

    key: str
    take: Callable[[support.Planton], object]


class Worlds:
    """Worlds of one worker, of which one lives at a time. Each is created on the one before it, at its first use."""

    def __init__(self, folder: pathlib.Path) -> None:
        """Creates none yet."""
        self._kept = folder / "kept"
        self._live = folder / "live"
        self._folders: dict[tuple[str, ...], pathlib.Path] = {}
        self._ports = ports.Ports()

    @contextlib.contextmanager
    def applied(self, *manifests: dict[str, Any], speed: float = 1.0, passphrase: bool = False) -> Iterator[support.Planton]:
        """Gives a user who has applied manifests, in this order, from the file `FILE`.

        Args:
            manifests: The manifests; one for each resource.
            speed: How much faster than this machine's the time of the sandbox runs.
            passphrase: Whether states are encrypted with a passphrase.
        """
        first = [Step("use a passphrase", _use_a_passphrase)] if passphrase else []
        with self.user(*first, *applying(*manifests), speed=speed) as user:
            yield user

    @contextlib.contextmanager
    def user(self, *steps: Step, speed: float = 1.0) -> Iterator[support.Planton]:
        """Gives the user of a world that steps lead to.

        Args:
            steps: The steps, from an empty account.
            speed: How much faster than this machine's the time of the sandbox runs.
        """
        self._put_back(steps)
        with support.using(self._live, speed=speed) as user:
            yield user

    def close(self) -> None:
        """Releases the ports."""
        self._ports.close()

    def _put_back(self, steps: tuple[Step, ...]) -> None:
        key = tuple(step.key for step in steps)
        if key not in self._folders:
            self._create(steps)
            folder = self._kept / str(len(self._folders))
            shutil.copytree(self._live, folder)
            self._reserve_ports()
            self._folders[key] = folder
        shutil.rmtree(self._live)
        shutil.copytree(self._folders[key], self._live)

    def _create(self, steps: tuple[Step, ...]) -> None:
        if steps:
            self._put_back(steps[:-1])
        with support.using(self._live) as user:
            for step in steps[-1:]:
                step.take(user)

    def _reserve_ports(self) -> None:
        # A port that is bound and does not listen is given to nobody; the sandbox, which names it, may listen on it.
        state = json.loads((self._live / "sandbox" / files.STATE).read_text("utf-8"))
        for port in (*state["ports"].values(), *_cluster_ports(state["clouds"])):
            assert self._ports.reserve(port) == port, f"port {port} is taken"


def applying(*manifests: dict[str, Any]) -> list[Step]:
    """Returns the steps that apply manifests, one after the other."""
    return [Step(json.dumps(manifest, sort_keys=True), _Apply(manifests[: at + 1])) for at, manifest in enumerate(manifests)]


def _use_a_passphrase(user: support.Planton) -> None:
    (user.folder / support.CONTEXTS).unlink()


@dataclasses.dataclass(frozen=True, slots=True)
class _Apply:
    manifests: tuple[dict[str, Any], ...]

    def __call__(self, user: support.Planton) -> None:
        user.run("apply", "-f", user.write(FILE, self.manifests[-1]), "--yes")
        user.write(FILE, *self.manifests)


def _cluster_ports(data: Any) -> Iterator[int]:  # of a state file
    if isinstance(data, dict):
        for name, value in data.items():
            if name == "port" and isinstance(value, int):
                yield value
            else:
                yield from _cluster_ports(value)
    elif isinstance(data, list):
        for each in data:
            yield from _cluster_ports(each)
