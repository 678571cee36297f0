"""A user who has the official Civo plugin, one who has the sandbox's stand-in, and the `civo` command line of both."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

from planton.engine import toolchain
from support import planton
from support import sandbox as sandbox_support

PLUGIN = f"resource-civo-v{toolchain.PLUGINS['civo']}"
EXECUTABLE = "pulumi-resource-civo"
#: How the official plugin names itself to the cloud, and the stand-in as well.
AGENT = "terraform-provider-civo"
# Nothing answers there, so whatever a program asks of another host than this one fails at once.
_NOWHERE = "http://127.0.0.1:9"
_SECONDS = 120


def plugin_folder() -> pathlib.Path | None:
    """Return the folder of the official plugin, or None."""
    given = os.environ.get("PLANTON_OFFICIAL_PLUGIN_HOME")
    plugins = pathlib.Path(given).expanduser() / "plugins" if given else toolchain.plugin_folder(os.environ)
    return plugins / PLUGIN if (plugins / PLUGIN / EXECUTABLE).is_file() else None


def command_line() -> pathlib.Path | None:
    """Return the `civo` command line, or None."""
    found = os.environ.get("PLANTON_CIVO_CLI") or shutil.which("civo")
    return pathlib.Path(found).expanduser() if found and pathlib.Path(found).expanduser().is_file() else None


@dataclasses.dataclass(frozen=True, slots=True)
class User(planton.Planton):
    """A user with a Pulumi home of their own, whose programs reach this machine only."""

    home: pathlib.Path

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the user's shell."""
        # The plain attribute of the base class; super() does not reach through a class made anew for its slots.
        proxies = {"HTTPS_PROXY": _NOWHERE, "HTTP_PROXY": _NOWHERE, "NO_PROXY": "127.0.0.1,localhost"}
        return planton.Planton.environ.fget(self) | proxies | {"PULUMI_HOME": str(self.home)}  # type: ignore[attr-defined]

    def apply(self, *manifests: dict[str, Any], allow: tuple[str, ...] = ()) -> dict[str, str]:
        """Apply manifests and return what was done: resource → action."""
        options = [part for name in allow for part in ("--allow-replace", name)]
        return self.actions("apply", "-f", self.write("wanted.yaml", *manifests), "--yes", *options)

    def plan(self, *manifests: dict[str, Any]) -> dict[str, str]:
        """Return what an apply would do: resource → action."""
        return self.actions("plan", "-f", self.write("wanted.yaml", *manifests))

    def pools(self) -> dict[str, dict[str, Any]]:
        """Return the pools of the only cluster by their ids, as the cloud has them."""
        (cluster,) = self.sandbox.control.resources()["clusters"]
        return {pool["id"]: pool for pool in cluster["pools"]}

    def civo(self, *arguments: str) -> str:
        """Run the cloud's own command line and return what it prints."""
        executable = command_line()
        assert executable is not None
        done = subprocess.run(
            [executable, *arguments],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"civo {arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def civo_json(self, *arguments: str) -> Any:
        """Run the cloud's own command line and return the JSON that it prints."""
        return json.loads(self.civo(*arguments, "--output", "json"))

    def requests(self, since: int) -> list[dict[str, Any]]:
        """Return what the plugin has asked of the cloud after a mark."""
        return [each for each in self.sandbox.control.requests(since, "civo") if each["agent"].startswith(AGENT)]


@contextlib.contextmanager
def using(folder: pathlib.Path, plugin: pathlib.Path | None) -> Iterator[User]:
    """Run a sandbox and give its user, with the official plugin of a folder or with the stand-in."""
    home = folder / "pulumi"
    home.mkdir(parents=True)
    if plugin is not None:
        # Linked, not used in place: Pulumi writes into its home.
        installed = home / "plugins" / PLUGIN
        installed.mkdir(parents=True)
        for path in plugin.iterdir():
            (installed / path.name).symlink_to(path.resolve())
    with sandbox_support.running(folder / "sandbox", providers=plugin is None) as served:
        yield User(served, folder, home)
