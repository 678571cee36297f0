"""Programs in other languages: how they are built and started, and where their libraries differ from Python's."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = pathlib.Path(__file__).resolve().parents[2]
#: Seconds; a first build downloads its dependencies.
_TIMEOUT_SECONDS = 900
_SWITCHES = "`yes`, `on` and `off` are texts in YAML 1.2"


class Language(NamedTuple):
    """A language.

    Attributes:
        title: Its name.
        needs: The program that must be installed; empty if set-up installs it.
        build: Commands that build the program and the vector runner, from the repository's root.
        pools: The program (clients/README.md).
        vectors: A program that reads the vectors in one folder and writes its results to another.
        differences: Vectors, ``file/name``, with other results, and why.
    """

    title: str
    needs: str
    build: tuple[tuple[str, ...], ...]
    pools: tuple[str, ...]
    vectors: tuple[str, ...]
    differences: Mapping[str, str]


LANGUAGES = {
    "go": Language(
        "Go",
        "go",
        (
            ("go", "-C", "clients/go", "build", "-o", "bin/", "./cmd/pools", "./internal/vectors"),
            ("go", "-C", "clients/go", "vet", "./..."),
        ),
        ("clients/go/bin/pools",),
        ("clients/go/bin/vectors",),
        {
            "manifests/CivoKubernetesCluster/valid/switches": _SWITCHES,
            "manifests/DigitalOceanKubernetesCluster/valid/switches": _SWITCHES,
            "manifests/yaml/valid/booleans-of-yaml-1.1": _SWITCHES,
            "manifests/yaml/valid/explicit-text-tag": "the YAML library resolves `!!str 010` to a number before it looks at the tag",
        },
    ),
    "ts": Language(
        "TypeScript",
        "npm",
        (
            (sys.executable, "tools/generate.py", "ts"),
            ("npm", "--prefix", "clients/ts", "ci"),
            ("npm", "--prefix", "clients/ts", "run", "build"),
        ),
        ("node", "clients/ts/dist/src/pools.js"),
        ("node", "clients/ts/dist/test/vectors.js"),
        {
            "manifests/CivoKubernetesCluster/valid/switches": _SWITCHES,
            "manifests/DigitalOceanKubernetesCluster/valid/switches": _SWITCHES,
            "manifests/yaml/valid/booleans-of-yaml-1.1": _SWITCHES,
        },
    ),
    "java": Language(
        "Java",
        "mvn",
        (
            (sys.executable, "tools/generate.py", "java"),
            ("mvn", "--batch-mode", "--quiet", "--file", "clients/java/pom.xml", "package"),
        ),
        ("java", "-jar", "clients/java/pools/target/pools.jar"),
        (
            "java",
            "-cp",
            "clients/java/pools/target/pools.jar:clients/java/pools/target/test-classes",
            "org.project_planton.pools.Vectors",
        ),
        {
            "manifests/CivoKubernetesCluster/valid/switches": _SWITCHES,
            "manifests/DigitalOceanKubernetesCluster/valid/switches": _SWITCHES,
            "manifests/yaml/valid/booleans-of-yaml-1.1": _SWITCHES,
            "manifests/yaml/invalid/manifest.wrong_type@boolean": 'the JSON library takes the text `"true"` for a boolean',
        },
    ),
    "python": Language(
        "Python", "", (), (sys.executable, "clients/python/pools.py"), (sys.executable, "clients/python/vectors.py"), {}
    ),
}


def installed() -> list[str]:
    """Returns the languages that are installed on this machine."""
    return [name for name, language in LANGUAGES.items() if not language.needs or shutil.which(language.needs)]


def run(command: tuple[str, ...], *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in the repository's root, with additional environment variables."""
    return subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_SECONDS,
    )


def start(command: tuple[str, ...], *arguments: str, **environ: str) -> subprocess.Popen[str]:
    """Starts a command like :func:`run`; its output can be read while it runs."""
    return subprocess.Popen([*command, *arguments], cwd=ROOT, env=os.environ | environ, stdout=subprocess.PIPE, text=True)
