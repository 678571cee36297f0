"""The command line as a user runs it, with a sandbox."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from planton.config import contexts
from planton.schema import kinds
from support import key_service, warm
from support import sandbox as sandbox_support

SECONDS = 180
#: The file of the user's contexts. The current one, ``keys``, says how states are encrypted.
CONTEXTS = "keys.yaml"
#: What the log of a command contains once its engine has received an interruption.
INTERRUPTED = "^C received"


@dataclasses.dataclass(frozen=True, slots=True)
class Planton:
    """A user with an empty data folder, an account in the sandbox, and a key service that encrypts states."""

    sandbox: sandbox_support.Sandbox
    folder: pathlib.Path

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the user's shell."""
        inherited = {
            name: os.environ[name] for name in ("PATH", "HOME", "PLANTON_CACHE_DIR", "PULUMI_HOME") if name in os.environ
        }
        return {
            **inherited,
            **self.sandbox.env,
            **key_service.variables(),
            "PLANTON_CONTEXTS": str(self.folder / CONTEXTS),
            "PLANTON_DATA_DIR": str(self.folder / "data"),
            "KUBECONFIG": str(self.folder / "kubeconfig"),
        }

    def command(self, *arguments: str) -> list[str]:
        """Returns the command for these arguments."""
        return [sys.executable, "-m", "planton", *arguments]

    def run(self, *arguments: str, code: int | None = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        """Runs a command and checks its exit code."""
        completed = warm.server().run(arguments, cwd=self.folder, env=self.environ | environ, timeout=SECONDS)
        if code is not None:
            assert completed.returncode == code, (
                f"{arguments}: exit {completed.returncode}\n{completed.stdout}\n{completed.stderr}"
            )
        assert "Traceback" not in completed.stderr, completed.stderr
        return completed

    def json(self, *arguments: str, code: int | None = 0, **environ: str) -> Any:
        """Runs a command and returns its JSON output."""
        return json.loads(self.run(*arguments, "--output", "json", code=code, **environ).stdout)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Starts a command in a new process group."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environ | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def write(self, name: str, *manifests: dict[str, Any]) -> str:
        """Writes manifests to a file and returns its name."""
        (self.folder / name).write_text("\n---\n".join(json.dumps(manifest, indent=1) for manifest in manifests), "utf-8")
        return name

    def actions(self, *arguments: str, code: int | None = 0) -> dict[str, str]:
        """Returns the changes of a plan, apply or drift: resource → action."""
        resources = self.json(*arguments, code=code)["resources"]
        return {change["resource"]: change["action"] for resource in resources for change in resource["changes"]}

    def logged(self, text: str) -> int:
        """Return how often the logs of commands contain a text."""
        return sum(path.read_text("utf-8").count(text) for path in (self.folder / "data" / "logs").glob("*.log"))

    def writes(self, since: int, *, cloud: str = "civo") -> list[tuple[str, str]]:
        """Returns the requests after a mark that changed something: method and path."""
        logged = self.sandbox.control.requests(since, cloud)
        return [(each["method"], each["path"]) for each in logged if each["method"] != "GET"]


@contextlib.contextmanager
def using(folder: pathlib.Path, *, speed: float = 1.0, latency: str = "instant") -> Iterator[Planton]:
    """Runs a sandbox with stand-ins and yields its user.

    Args:
        folder: The user's folder, which may exist with a user's files.
        speed: How much faster than this machine's the time of the sandbox runs.
        latency: The pace of the sandbox.
    """
    start = time.time()
    if not folder.exists():
        folder.mkdir(parents=True)
        keys = contexts.Context("keys", secrets_provider=key_service.KEY)
        contexts.write(contexts.Contexts().having(keys).using(keys.name), {"PLANTON_CONTEXTS": str(folder / CONTEXTS)})
    running = sandbox_support.running(
        folder / "sandbox",
        latency=latency,
        providers=True,
        source=lambda: start + (time.time() - start) * speed,
        speed=speed,
    )
    with running as sandbox:
        yield Planton(sandbox, folder)


@pytest.fixture
def planton(tmp_path: pathlib.Path) -> Iterator[Planton]:
    """A user of a new sandbox."""
    with using(tmp_path / "user") as user:
        yield user


def manifest(kind: str, name: str, /, **spec: Any) -> dict[str, Any]:
    """Returns a manifest of the environment ``dev``."""
    return {
        "apiVersion": kinds.get(kind).api_version,
        "kind": kind,
        "metadata": {"name": name, "env": "dev"},
        "spec": spec,
    }


def network(**spec: Any) -> dict[str, Any]:
    """Returns the manifest of a network."""
    fields = {"civoCredentialId": "default", "networkName": "net", "region": "lon1", "ipRangeCidr": "10.20.0.0/24"} | spec
    return manifest("CivoVpc", "net", **fields)


def firewall(**spec: Any) -> dict[str, Any]:
    """Returns the manifest of a firewall in the network."""
    rules = [{"protocol": "tcp", "portRange": "6443", "cidrs": ["127.0.0.1/32"], "label": "api"}]
    fields = {"name": "fw", "networkId": {"valueFrom": {"name": "net"}}, "inboundRules": rules} | spec
    return manifest("CivoFirewall", "fw", **fields)


def cluster(**spec: Any) -> dict[str, Any]:
    """Returns the manifest of a cluster in the network."""
    defaults = {
        "clusterName": "dev",
        "region": "lon1",
        "kubernetesVersion": "1.30.5+k3s1",
        "network": {"valueFrom": {"name": "net"}},
        "apiServerAllowedCidrs": ["127.0.0.1/32"],
        "defaultNodePool": {"size": "g4s.kube.small", "nodeCount": 2},
    }
    return manifest("CivoKubernetesCluster", "dev", **(defaults | spec))


def pool(**spec: Any) -> dict[str, Any]:
    """Returns the manifest of a node pool of the cluster."""
    defaults = {
        "nodePoolName": "workers",
        "cluster": {"valueFrom": {"name": "dev"}},
        "size": "g4s.kube.medium",
        "nodeCount": 3,
    }
    return manifest("CivoKubernetesNodePool", "workers", **(defaults | spec))
