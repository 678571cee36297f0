"""A user who has an official plugin, one who has the sandbox's stand-in, and the clouds' own command lines of both."""

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
from planton.schema import providers
from support import planton
from support import sandbox as sandbox_support

#: The clouds' own command lines, and the variables that may name their files.
COMMAND_LINES = {"civo": ("civo", "PLANTON_CIVO_CLI"), "digitalocean": ("doctl", "PLANTON_DOCTL")}
# Nothing answers there, so whatever a program asks of another host than this one fails at once.
_NOWHERE = "http://127.0.0.1:9"
_SECONDS = 120


def plugin_name(cloud: str) -> str:
    """Return the name of the folder in which Pulumi keeps a cloud's plugin."""
    return f"resource-{cloud}-v{providers.plugins()[cloud]}"


def plugin_folder(cloud: str) -> pathlib.Path | None:
    """Return the folder of a cloud's official plugin, or None."""
    given = os.environ.get("PLANTON_OFFICIAL_PLUGIN_HOME")
    plugins = pathlib.Path(given).expanduser() / "plugins" if given else toolchain.plugin_folder(os.environ)
    folder = plugins / plugin_name(cloud)
    return folder if (folder / f"pulumi-resource-{cloud}").is_file() else None


def command_line(cloud: str) -> pathlib.Path | None:
    """Return a cloud's own command line, or None."""
    name, variable = COMMAND_LINES[cloud]
    found = os.environ.get(variable) or shutil.which(name)
    return pathlib.Path(found).expanduser() if found and pathlib.Path(found).expanduser().is_file() else None


@dataclasses.dataclass(frozen=True, slots=True)
class User(planton.Planton):
    """A user of one cloud with a Pulumi home of their own, whose programs reach this machine only."""

    home: pathlib.Path
    cloud: str = "civo"

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the user's shell."""
        # The plain attribute of the base class; super() does not reach through a class made anew for its slots.
        proxies = {"HTTPS_PROXY": _NOWHERE, "HTTP_PROXY": _NOWHERE, "NO_PROXY": "127.0.0.1,localhost"}
        return planton.Planton.environ.fget(self) | proxies | {"PULUMI_HOME": str(self.home)}  # type: ignore[attr-defined]

    def apply(self, *manifests: dict[str, Any], allow: tuple[str, ...] = ()) -> dict[str, str]:
        """Apply manifests and return what was done: resource → action."""
        options = [part for name in allow for part in ("--allow-replace", name)]
        return self.actions("apply", "-f", self.write("environment.yaml", *manifests), "--yes", *options)

    def plan(self, *manifests: dict[str, Any]) -> dict[str, str]:
        """Return what an apply would do: resource → action."""
        return self.actions("plan", "-f", self.write("environment.yaml", *manifests))

    def pools(self) -> dict[str, dict[str, Any]]:
        """Return the pools of the only cluster by their names, as the cloud has them."""
        (cluster,) = self.sandbox.control.resources(self.cloud)["clusters"]
        # Civo's pools have their names for ids.
        return {pool.get("name") or pool["id"]: pool for pool in cluster["pools"]}

    def tool(self, *arguments: str) -> str:
        """Run the cloud's own command line and return what it prints."""
        executable = command_line(self.cloud)
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
        assert done.returncode == 0, f"{executable.name} {arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def tool_json(self, *arguments: str) -> Any:
        """Run the cloud's own command line and return the JSON that it prints."""
        return json.loads(self.tool(*arguments, "--output", "json"))


@contextlib.contextmanager
def using(folder: pathlib.Path, plugin: pathlib.Path | None, *, cloud: str = "civo") -> Iterator[User]:
    """Run a sandbox and give its user, with the official plugin of a folder or with the stand-in."""
    home = folder / "pulumi"
    home.mkdir(parents=True)
    if plugin is not None:
        # Linked, not used in place: Pulumi writes into its home.
        installed = home / "plugins" / plugin.name
        installed.mkdir(parents=True)
        for path in plugin.iterdir():
            (installed / path.name).symlink_to(path.resolve())
    with sandbox_support.running(folder / "sandbox", providers=plugin is None) as served:
        yield User(served, folder, home, cloud)
