"""``planton`` without a command: what to do next in this folder."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
from typing import TYPE_CHECKING

import planton
from planton import errors
from planton.cli import render
from planton.config import contexts, credentials, folders
from planton.manifest import files
from planton.schema import providers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The number of files that are looked at: the folder may be anything, such as a home.
_MOST_FILES = 500
_SANDBOX = (
    ("planton sandbox start", "simulated clouds, to try everything without an account"),
    ('eval "$(planton sandbox env)"', "uses them in this shell"),
)
_LARGEST_BYTES = 1024**2
#: The API version of a manifest: at the beginning of a line in YAML, anywhere in JSON.
_MANIFEST = re.compile(rb'^(?:"?apiVersion"?|.*"apiVersion") *: *"?[a-z-]+\.project-planton\.org/', re.MULTILINE)


@dataclasses.dataclass(frozen=True, slots=True)
class Situation:
    """What there is in a folder, and on this machine.

    Attributes:
        manifests: The files with manifests.
        problems: The number of their violations.
        without_account: The clouds of the manifests that there is no account for.
        has_sandbox: Whether this shell uses the sandbox.
        has_state: Whether resources were applied to the backend of this machine.
    """

    manifests: tuple[str, ...] = ()
    problems: int = 0
    without_account: tuple[str, ...] = ()
    has_sandbox: bool = False
    has_state: bool = False


def show() -> None:
    """Prints the situation and the next steps."""
    situation = look(pathlib.Path(), os.environ)
    render.echo_lines(lines(situation))


def look(folder: pathlib.Path, environ: Mapping[str, str]) -> Situation:
    """Returns the situation in a folder. Nothing is changed, and no cloud is asked."""
    contents = dict(_manifests(folder))
    used = [
        each for each in providers.all_providers().values() if any(each.api_group.encode() in text for text in contents.values())
    ]
    try:
        problems = len(planton.validate(tuple(contents))) if contents else 0
        context = contexts.choose("", environ)
    except errors.PlantonError:
        problems, context = 1, contexts.Context()
    missing = [
        each.name for each in used if not credentials.variables_in(each.name, environ) and each.name not in context.credentials
    ]
    stacks = folders.data(environ) / "state" / ".pulumi" / "stacks"
    return Situation(
        tuple(contents),
        problems,
        tuple(missing),
        has_sandbox=bool(environ.get(credentials.SANDBOX_VARIABLE)),
        has_state=any(stacks.glob("*/*.json")),
    )


def _manifests(folder: pathlib.Path) -> Iterator[tuple[str, bytes]]:
    candidates = (path for pattern in ("*", "*/*") for path in sorted(folder.glob(pattern)))
    chosen = [
        path for path in candidates if files.is_manifest(path.name) and not any(part.startswith(".") for part in path.parts)
    ]
    for path in chosen[:_MOST_FILES]:
        try:
            content = path.read_bytes() if path.is_file() and path.stat().st_size <= _LARGEST_BYTES else b""
        except OSError:
            continue
        if _MANIFEST.search(content):
            yield str(path), content


def lines(situation: Situation) -> Iterator[str]:
    """Yields the situation and the commands to run next."""
    count = len(situation.manifests)
    manifests_here = f"{count} file{'' if count == 1 else 's'} with manifests here" if count else "No manifests here"
    yield f"{manifests_here}{_state(situation)}."
    yield ""
    yield from (f"  {command:<34} {text}" for command, text in _steps(situation))
    yield ""
    yield "All commands: planton --help"


def _state(situation: Situation) -> str:
    if situation.problems:
        return f", {situation.problems} problem{'' if situation.problems == 1 else 's'}"
    if situation.without_account:
        return f", valid; no account for {' and '.join(situation.without_account)}"
    return ", valid" if situation.manifests else ""


def _steps(situation: Situation) -> Iterator[tuple[str, str]]:
    if not situation.manifests:
        yield "planton init", "asks for cloud, region and size, and writes manifests"
        if not situation.has_sandbox:
            yield from _SANDBOX
    elif situation.problems:
        yield "planton validate .", "shows each problem with its place"
    elif situation.without_account:
        yield from _SANDBOX
        for provider in situation.without_account:
            yield f"export {providers.get(provider).variables}=…", "your own account; planton doctor checks it"
    else:
        yield "planton plan -f .", "shows what would change, and changes nothing"
        yield "planton apply -f .", "shows the plan, asks, and applies it"
    if situation.has_state:
        yield "planton get", "shows what has been applied"
