"""Users of an official plugin or of the sandbox's stand-in, and the clouds' own command lines."""

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

#: The clouds' own command lines, and the variables with their paths.
COMMAND_LINES = {"civo": ("civo", "PLANTON_CIVO_CLI"), "digitalocean": ("doctl", "PLANTON_DOCTL")}
# Nothing listens there, so a request to any other host fails at once.
_NOWHERE = "http://127.0.0.1:9"
_SECONDS = 120


def plugin_name(cloud: str) -> str:
    """Returns the name of the folder of a cloud's plugin in Pulumi's home."""
    return f"resource-{cloud}-v{providers.plugins()[cloud]}"


def plugin_folder(cloud: str) -> pathlib.Path | None:
    """Returns the folder of a cloud's official plugin, or None."""
    home = os.environ.get("PLANTON_OFFICIAL_PLUGIN_HOME")
    plugins = pathlib.Path(home).expanduser() / "plugins" if home else toolchain.plugin_folder(os.environ)
    folder = plugins / plugin_name(cloud)
    return folder if (folder / f"pulumi-resource-{cloud}").is_file() else None


def command_line(cloud: str) -> pathlib.Path | None:
    """Returns a cloud's own command line, or None."""
    name, variable = COMMAND_LINES[cloud]
    path = os.environ.get(variable) or shutil.which(name)
    return pathlib.Path(path).expanduser() if path and pathlib.Path(path).expanduser().is_file() else None


@dataclasses.dataclass(frozen=True, slots=True)
class User(planton.Planton):
    """A user of one cloud with a Pulumi home, whose programs cannot reach other machines."""

    home: pathlib.Path
    cloud: str = "civo"

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the user's shell."""
        # Not super(): it does not work in a class that is recreated for its slots.
        proxies = {"HTTPS_PROXY": _NOWHERE, "HTTP_PROXY": _NOWHERE, "NO_PROXY": "127.0.0.1,localhost"}
        return planton.Planton.environ.fget(self) | proxies | {"PULUMI_HOME": str(self.home)}  # type: ignore[attr-defined]

    def apply(self, *manifests: dict[str, Any], allow: tuple[str, ...] = ()) -> dict[str, str]:
        """Applies manifests and returns the changes: resource → action."""
        options = [part for name in allow for part in ("--allow-replace", name)]
        return self.actions("apply", "-f", self.write("manifests.yaml", *manifests), "--yes", *options)

    def plan(self, *manifests: dict[str, Any]) -> dict[str, str]:
        """Returns the planned changes: resource → action."""
        return self.actions("plan", "-f", self.write("manifests.yaml", *manifests))

    def pools(self) -> dict[str, dict[str, Any]]:
        """Returns the pools of the only cluster in the cloud, by name."""
        (cluster,) = self.sandbox.control.resources(self.cloud)["clusters"]
        # The ID of a Civo pool is its name.
        return {pool.get("name") or pool["id"]: pool for pool in cluster["pools"]}

    def tool(self, *arguments: str) -> str:
        """Runs the cloud's own command line and returns its output."""
        executable = command_line(self.cloud)
        assert executable is not None
        completed = subprocess.run(
            [executable, *arguments],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert completed.returncode == 0, (
            f"{executable.name} {arguments}: exit {completed.returncode}\n{completed.stdout}\n{completed.stderr}"
        )
        return completed.stdout

    def tool_json(self, *arguments: str) -> Any:
        """Runs the cloud's own command line and returns its JSON output."""
        return json.loads(self.tool(*arguments, "--output", "json"))


@contextlib.contextmanager
def using(folder: pathlib.Path, plugin: pathlib.Path | None, *, cloud: str = "civo") -> Iterator[User]:
    """Runs a sandbox and yields its user, with the official plugin of a folder or with the stand-in."""
    home = folder / "pulumi"
    home.mkdir(parents=True)
    if plugin is not None:
        # A link, because Pulumi writes into its home.
        installed = home / "plugins" / plugin.name
        installed.mkdir(parents=True)
        for path in plugin.iterdir():
            (installed / path.name).symlink_to(path.resolve())
    with sandbox_support.running(folder / "sandbox", providers=plugin is None) as sandbox:
        yield User(sandbox, folder, home, cloud)


@contextlib.contextmanager
def pair(folder: pathlib.Path, plugin: pathlib.Path, *, cloud: str = "civo") -> Iterator[tuple[User, User]]:
    """Yields a user with the official plugin of a folder, and one with the stand-in. Each has a sandbox."""
    with using(folder / "official", plugin, cloud=cloud) as real, using(folder / "stand-in", None, cloud=cloud) as stand_in:
        yield real, stand_in
