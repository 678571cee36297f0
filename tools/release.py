"""Builds what a release publishes into dist/: wheel, sdist, pinned requirements, SBOM and checksums. `make release` calls it.

The same commit gives the same files: times come from the commit, and lists are sorted.
"""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import os
import pathlib
import re
import shutil
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING

from cyclonedx.model import bom, component, dependency
from cyclonedx.model import license as licenses
from cyclonedx.output import json as cyclonedx_json
from packageurl import PackageURL
from packaging import requirements

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

ROOT = pathlib.Path(__file__).resolve().parents[1]
NAME = "project-planton"
#: The extra of which all dependencies are listed.
EXTRA = "all"


def normal(name: str) -> str:
    """Returns a distribution's name in the form in which names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def needs(name: str, extras: Collection[str] = ()) -> Iterator[requirements.Requirement]:
    """Yields the requirements of an installed distribution on this platform."""
    for text in importlib.metadata.requires(name) or ():
        requirement = requirements.Requirement(text)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
            yield requirement


def closure() -> dict[str, set[str]]:
    """Returns distribution → the distributions that it needs, from ours with all extras on."""
    graph: dict[str, set[str]] = {}
    pending: list[tuple[str, frozenset[str]]] = [(NAME, frozenset({EXTRA}))]
    visited = set()
    while pending:
        name, extras = pending.pop()
        if (name, extras) in visited:
            continue
        visited.add((name, extras))
        for requirement in needs(name, extras):
            graph.setdefault(name, set()).add(normal(requirement.name))
            pending.append((normal(requirement.name), frozenset(requirement.extras)))
        graph.setdefault(name, set())
    # An extra of a distribution names the distribution itself.
    return {name: needed - {name} for name, needed in graph.items()}


def pinned(names: Collection[str], lock: str) -> dict[str, str]:
    """Returns distribution → its entry in the lock file, for the given distributions."""
    entries = re.findall(r"^(([A-Za-z0-9._-]+)==.*?)(?=^\S|\Z)", lock, re.MULTILINE | re.DOTALL)
    return {normal(name): entry.rstrip() for entry, name in entries if normal(name) in names}


def described(name: str) -> component.Component:
    """Returns a distribution as an entry of the SBOM."""
    version = importlib.metadata.version(name)
    expression = importlib.metadata.metadata(name).get("License-Expression")
    return component.Component(
        name=name,
        version=version,
        type=component.ComponentType.LIBRARY,
        bom_ref=f"{name}@{version}",
        purl=PackageURL("pypi", None, name, version),
        licenses=[licenses.LicenseExpression(expression)] if expression else [],
    )


def sbom(graph: Mapping[str, Collection[str]], when: datetime.datetime) -> str:
    """Returns the software bill of materials as CycloneDX JSON."""
    entries = {name: described(name) for name in sorted(graph)}
    entries[NAME].type = component.ComponentType.APPLICATION
    text = "\n".join(f"{entry.name} {entry.version}" for entry in entries.values())
    document = bom.Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, text),
        metadata=bom.BomMetaData(timestamp=when, component=entries[NAME]),
        components=[entry for name, entry in entries.items() if name != NAME],
        dependencies=[
            dependency.Dependency(
                entries[name].bom_ref, [dependency.Dependency(entries[each].bom_ref) for each in sorted(needed)]
            )
            for name, needed in sorted(graph.items())
        ],
    )
    return cyclonedx_json.JsonV1Dot6(document).output_as_string(indent=2) + "\n"


def checksums(files: Collection[pathlib.Path]) -> str:
    """Returns SHA-256 sums in the form that `sha256sum --check` reads."""
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(files))


def commit_time() -> datetime.datetime:
    """Returns the time of the newest commit."""
    completed = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True)
    return datetime.datetime.fromtimestamp(int(completed.stdout), datetime.UTC)


def main() -> None:
    """Builds into dist/, or ends with exit code 1 if there are uncommitted changes."""
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    if changed and "--dirty" not in sys.argv:
        sys.exit(f"release: commit these changes first, or pass --dirty:\n{changed.rstrip()}")
    when = commit_time()
    folder = ROOT / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    environ = {**os.environ, "SOURCE_DATE_EPOCH": str(int(when.timestamp()))}
    subprocess.run([sys.executable, "-m", "hatchling", "build"], cwd=ROOT, env=environ, check=True)
    graph = closure()
    pins = pinned(graph.keys() - {NAME}, (ROOT / "requirements.lock").read_text("utf-8"))
    version = importlib.metadata.version(NAME)
    (folder / "requirements.txt").write_text("\n".join(pins[name] for name in sorted(pins)) + "\n", "utf-8")
    (folder / f"{NAME}-{version}.cdx.json").write_text(sbom(graph, when), "utf-8")
    files = list(folder.iterdir())
    (folder / "SHA256SUMS").write_text(checksums(files), "utf-8")
    print("".join(f"dist/{path.name}\n" for path in sorted(folder.iterdir())), end="")


if __name__ == "__main__":
    main()
