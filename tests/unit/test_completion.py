"""Completion, driven in real shells on a pseudo-terminal: the shell completes a word and runs the line."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterator

import pytest

from planton.config import folders
from support import pseudo_terminal, sandbox

#: Shell → its start without files of the user.
SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
#: Shell → the command that loads the completion, and then prints READY42.
LOADING = {
    "bash": 'eval "$(planton completion bash)"; echo READY$((40+2))',
    "zsh": 'eval "$(planton completion zsh)"; echo READY$((40+2))',
    "fish": "planton completion fish | source; echo READY(math 40+2)",
}
#: Instead of running a command, it prints its arguments. Completion goes to the real one.
PROGRAM = """#!/bin/sh
[ "${{_PLANTON_COMPLETE:-}}" ] || [ "$1" = completion ] && exec {python} -m planton "$@"
printf 'RAN<%s>\\n' "$*"
"""


class Shell:
    """An interactive shell that has loaded the completion."""

    def __init__(self, name: str, folder: pathlib.Path, environ: dict[str, str]) -> None:
        self.terminal = pseudo_terminal.Terminal(SHELLS[name], folder, environ)
        self.terminal.type(f"{LOADING[name]}\r")
        self.terminal.expect("READY42")

    def completed(self, *words: tuple[str, str]) -> str:
        """Returns the arguments of a line of words, each completed by a tab.

        Args:
            words: Keys, and what the shell then shows at the end of the line.
        """
        self.terminal.type("planton ")
        for keys, shown in words:
            self.terminal.type(f"{keys}\t")
            self.terminal.expect(re.escape(shown))
        self.terminal.type("\r")
        return self.terminal.expect(r"RAN<[^>$%]*>")[4:-1].strip()


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[Callable[..., Shell]]:
    """Starts a shell in a folder with a manifest, an applied cluster, a context and an account."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    program = tmp_path / "bin" / "planton"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(python=sys.executable), "utf-8")
    program.chmod(stat.S_IRWXU)
    (tmp_path / "first.yaml").write_text("", "utf-8")
    (tmp_path / "contexts.yaml").write_text("contexts: {staging: {}}", "utf-8")
    _apply(tmp_path / "data", "CivoKubernetesCluster", "dev-cluster")
    _apply(tmp_path / "data", "CivoVpc", "dev-network")
    started: list[Shell] = []

    def start(**variables: str) -> Shell:
        environ = {
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "TERM": "dumb",
            "LC_ALL": "C.UTF-8",
            "PLANTON_DATA_DIR": str(tmp_path / "data"),
            # The Pulumi that is installed: reading states needs it.
            "PLANTON_CACHE_DIR": str(folders.cache()),
            "PLANTON_CONTEXTS": str(tmp_path / "contexts.yaml"),
            **variables,
        }
        started.append(Shell(request.param, tmp_path, environ))
        return started[-1]

    yield start
    for each in started:
        each.terminal.close()


def _apply(data: pathlib.Path, kind: str, name: str) -> None:
    manifest = {"kind": kind, "metadata": {"name": name, "env": "dev"}}
    resources = [{"type": "pulumi:pulumi:Stack", "outputs": {"manifest": json.dumps(manifest)}}]
    path = data / "state" / ".pulumi" / "stacks" / "planton" / f"dev.{kind}.{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": {"resources": resources}}}), "utf-8")


def test_commands_files_and_names_are_completed(shell: Callable[..., Shell]) -> None:
    """After a kind no space is added, so that the name of an applied resource follows."""
    started = shell()
    assert started.completed(("kubec", "kubeconfig")) == "kubeconfig"
    assert started.completed(("validate fir", "first.yaml")) == "validate first.yaml"
    assert started.completed(("apply -f fir", "first.yaml")) == "apply -f first.yaml"
    assert started.completed(("kubeconfig clus", "clusters/"), ("d", "dev-cluster")) == "kubeconfig clusters/dev-cluster"
    assert started.completed(("outputs civov", "civovpcs/"), ("dev", "dev-network")) == "outputs civovpcs/dev-network"
    assert started.completed(("get --context sta", "staging")) == "get --context staging"
    assert started.completed(("context use sta", "staging")) == "context use staging"
    assert started.completed(("sizes --region ny", "nyc1")) == "sizes --region nyc1"


def test_sizes_and_versions_of_the_cloud_are_completed(shell: Callable[..., Shell], tmp_path: pathlib.Path) -> None:
    """They come from the lists of the account."""
    with sandbox.running(tmp_path / "sandbox") as cloud:
        started = shell(**cloud.env)
        line = "init cluster --provider civo"
        assert started.completed((f"{line} --size g4s.kube.sm", "small")) == f"{line} --size g4s.kube.small"
        version = f"{line} --kubernetes-version 1.31.2"
        assert started.completed((version, "1.31.2-k3s1")) == f"{line} --kubernetes-version 1.31.2-k3s1"
