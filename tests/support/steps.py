"""Steps that a user with an official plugin and a user with its stand-in take one after the other."""

from __future__ import annotations

import abc
import dataclasses
import functools
import json
from collections.abc import Callable
from typing import Any, TypeVar

from support import comparing, official


@dataclasses.dataclass
class World(abc.ABC):
    """One of the two users. The class of a cloud adds the current fields of its manifests."""

    user: official.User

    @abc.abstractmethod
    def manifests(self) -> tuple[dict[str, Any], ...]:
        """Returns the current manifests."""

    def run(self, *arguments: str) -> tuple[int, Any]:
        """Runs a command on all manifests, and returns exit code and JSON output, or else stderr."""
        file = self.user.write("all.yaml", *self.manifests())
        completed = self.user.run(*arguments, "-f", file, "--output", "json", code=None)
        return completed.returncode, json.loads(completed.stdout) if completed.stdout else completed.stderr

    def apply(self, *options: str) -> tuple[int, Any]:
        """Applies all manifests."""
        return self.run("apply", "--yes", *options)

    def outside(self, action: str, *, cluster: str = "dev", **body: Any) -> None:
        """Changes a cluster outside of planton."""
        self.user.sandbox.control.outside(action, cloud=self.user.cloud, cluster=cluster, **body)

    def fault(self, method: str, path: str, *, status: int = 500, times: int = 1) -> None:
        """Lets requests of the cloud fail, always if ``times`` is 0."""
        self.user.sandbox.control.fault(
            cloud=self.user.cloud, method=method, path=path, action="status", status=status, times=times
        )


W = TypeVar("W", bound=World)


def effects(step: Callable[[W], Any], worlds: tuple[W, W]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Takes a step in both worlds, and returns its effects with the plugin and with the stand-in."""
    real, stand_in = (comparing.effects(world.user, functools.partial(step, world)) for world in worlds)
    return real, stand_in


def create(world: World) -> Any:
    """Creates everything."""
    return world.apply()


def plan_without_changes(world: World) -> Any:
    """Plans what is applied already."""
    return world.run("plan")


def refresh(world: World) -> Any:
    """Reads everything from the cloud."""
    return world.run("refresh")


def repair(world: World) -> Any:
    """Undoes drift."""
    return world.apply("--refresh")


def destroy(world: World) -> Any:
    """Deletes everything."""
    return world.run("destroy", "--yes")
