"""The Pulumi CLI and its plugins: existing ones, else installed into the user's cache folder.

A fit command line on PATH comes before one installed earlier. Without either, :mod:`planton.engine.installing` installs it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from planton.config import folders
from planton.engine import environment, installing, launchers
from planton.schema import providers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class Toolchain:
    """What operations need.

    Attributes:
        pulumi: The command line.
        launcher_folder: The folder of the launcher for dynamic resources, to be on PATH.
        plugins: The providers whose official plugin is installed.
        language_host: What runs the program of a project at ``pulumi up``; None if there is none.
    """

    pulumi: pathlib.Path
    launcher_folder: pathlib.Path
    plugins: frozenset[str]
    language_host: pathlib.Path | None = None


def find(environ: Mapping[str, str] | None = None) -> Toolchain | None:
    """Returns the toolchain if it is complete, else None. Runs at most one short program."""
    environ = os.environ if environ is None else environ
    pulumi = _installed(environ) or fit_on_path(environ)
    if pulumi is None:
        return None
    launcher = _launcher(pulumi, environ)
    host = launchers.language_host(pulumi, installing.home(environ) / "bin", environ)
    return Toolchain(pulumi, launcher.parent, installed_plugins(environ), host) if launcher is not None else None


def setup(
    progress: Callable[[str], None],
    environ: Mapping[str, str] | None = None,
    *,
    ways: Mapping[str, installing.Way] = installing.WAYS,
) -> Toolchain:
    """Returns the toolchain, and installs what is missing. Two processes may call it at once.

    Args:
        progress: Receives one line per step.
        environ: The environment; that of the process where None.
        ways: Name → way to install the command line, in the order to try them.

    Raises:
        PlantonError: ``TOOLCHAIN_MISSING``: no way to get a command line works here; each is named with its reason.
    """
    environ = os.environ if environ is None else environ
    with _one_at_a_time(folders.private(folders.cache(environ)) / "setup.lock"):
        pulumi = fit_on_path(environ) or _installed(environ) or installing.install(progress, environ, ways)
        own = installing.home(environ) / "bin"
        launcher = _launcher(pulumi, environ) or launchers.write_dynamic(own)
        host = launchers.language_host(pulumi, own, environ) or launchers.write_language_host(own)
        _try_plugins(pulumi, progress, environ)
    return Toolchain(pulumi, launcher.parent, installed_plugins(environ), host)


@contextlib.contextmanager
def _one_at_a_time(path: pathlib.Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def fit_on_path(environ: Mapping[str, str]) -> pathlib.Path | None:
    """Returns the ``pulumi`` on PATH if its version is fit, else None."""
    path = shutil.which("pulumi", path=environ.get("PATH"))
    version = version_of(pathlib.Path(path)) if path else None
    fit = version is not None and version[0] == installing.VERSION[0] and version >= installing.VERSION
    return pathlib.Path(path) if path and fit else None


def version_of(pulumi: pathlib.Path) -> tuple[int, ...] | None:
    """Returns the version that a ``pulumi`` reports, or None if it reports none."""
    environ = environment.for_engine(os.environ) | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run([pulumi, "version"], capture_output=True, text=True, timeout=60, check=True, env=environ)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", done.stdout)
    return tuple(int(part) for part in match.groups()) if match else None


def _installed(environ: Mapping[str, str]) -> pathlib.Path | None:
    # Written last and renamed into place: if it exists, it is complete.
    pulumi = installing.home(environ) / "bin" / "pulumi"
    return pulumi if pulumi.is_file() else None


def _launcher(pulumi: pathlib.Path, environ: Mapping[str, str]) -> pathlib.Path | None:
    adjacent = pulumi.resolve().parent / launchers.DYNAMIC
    own = installing.home(environ) / "bin" / launchers.DYNAMIC
    return next((path for path in (adjacent, own) if path.is_file()), None)


def plugin_folder(environ: Mapping[str, str]) -> pathlib.Path:
    """Returns the folder where Pulumi keeps its plugins."""
    return environment.pulumi_home(environ) / "plugins"


def installed_plugins(environ: Mapping[str, str]) -> frozenset[str]:
    """Returns the providers whose official plugin is in Pulumi's plugin folder or on PATH."""
    folder = plugin_folder(environ)
    return frozenset(
        name
        for name, version in providers.plugins().items()
        if (folder / f"resource-{name}-v{version}").is_dir() or shutil.which(f"pulumi-resource-{name}", path=environ.get("PATH"))
    )


def _try_plugins(pulumi: pathlib.Path, progress: Callable[[str], None], environ: Mapping[str, str]) -> None:
    for name, version in providers.plugins().items():
        if name in installed_plugins(environ):
            continue
        progress(f"installing the official {name} plugin {version}")
        done = subprocess.run(
            [pulumi, "plugin", "install", "resource", name, version],
            capture_output=True,
            text=True,
            check=False,
            env=_for_plugins(environ),
        )
        if done.returncode:
            progress("  not possible here; against the sandbox, its stand-in serves")


def _for_plugins(environ: Mapping[str, str]) -> dict[str, str]:
    # GitHub limits anonymous downloads.
    named = {name: environ[name] for name in ("GITHUB_TOKEN",) if name in environ}
    return environment.for_engine(environ) | named | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
