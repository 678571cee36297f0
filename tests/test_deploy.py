"""Deployment files: containers, systemd units, Kubernetes manifests and releases."""

from __future__ import annotations

import datetime
import json
import pathlib
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import click
import pytest
import yaml

import release
from planton.cli import group

ROOT = pathlib.Path(__file__).resolve().parents[1]
KUBERNETES = ROOT / "ops" / "kubernetes"
UNITS = sorted((ROOT / "ops" / "systemd").glob("*.service"))
CONTAINERFILE = ROOT / "ops" / "container" / "Containerfile"
#: Environment variables that are not planton's.
FOREIGN = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}


def objects() -> list[dict[str, Any]]:
    """Returns the Kubernetes objects."""
    files = [KUBERNETES / name for name in yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text("utf-8"))["resources"]]
    return [document for file in files for document in yaml.safe_load_all(file.read_text("utf-8"))]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the pods of the objects: name → spec."""
    for each in objects():
        if "template" in each.get("spec", {}):
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yields the planton commands of all files: place → arguments."""
    for name, spec in pods():
        yield f"Kubernetes {name}", spec["containers"][0]["args"]
    for unit in UNITS:
        for line in re.findall(r"^ExecStart(?:Pre)?=/usr/local/bin/planton (.*)$", unit.read_text("utf-8"), re.MULTILINE):
            yield unit.name, shlex.split(line)
    for stage in re.findall(r"^CMD (\[.*\])$", CONTAINERFILE.read_text("utf-8"), re.MULTILINE):
        yield "Containerfile", json.loads(stage)


@pytest.mark.parametrize(("place", "arguments"), list(commands()))
def test_every_command_of_the_deployment_files_is_valid(place: str, arguments: list[str]) -> None:
    """The command exists, and its options can be parsed."""
    command: click.Command = group.cli
    context = click.Context(command, info_name="planton")
    remaining = list(arguments)
    while isinstance(command, click.Group):
        name, subcommand, remaining = command.resolve_command(context, remaining)
        assert subcommand is not None, (place, name)
        command, context = subcommand, click.Context(subcommand, info_name=name, parent=context)
    command.make_parser(context).parse_args(remaining)


def test_every_variable_of_the_deployment_files_is_documented() -> None:
    """A misspelt variable would have no effect."""
    texts = [file.read_text("utf-8") for file in (CONTAINERFILE, *UNITS, *KUBERNETES.glob("*.yaml"))]
    named = {name for text in texts for name in re.findall(r"\b((?:PLANTON|PULUMI|CIVO|DIGITALOCEAN)_[A-Z_]+)\b", text)}
    settings = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
    reference = settings + (ROOT / "docs" / "reference" / "cli.md").read_text("utf-8")
    assert {name for name in named - FOREIGN if f"`{name}`" not in reference and name not in reference} == set()


@pytest.mark.parametrize(("name", "spec"), list(pods()), ids=lambda value: value if isinstance(value, str) else "")
def test_pods_satisfy_the_restricted_pod_security_standard(name: str, spec: dict[str, Any]) -> None:
    """The namespace enforces that standard."""
    assert spec["securityContext"]["runAsNonRoot"] is True, name
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"].keys() == {"requests", "limits"}


def test_labels_selectors_and_secrets_match() -> None:
    """A Service without matching pods would get no traffic."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for each in objects():
        by_kind.setdefault(each["kind"], []).append(each)
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in by_kind["Deployment"]]
    selectors = [each["spec"]["selector"] for each in by_kind["Service"]]
    selectors += [each["spec"]["selector"]["matchLabels"] for each in (*by_kind["PodDisruptionBudget"], *by_kind["Deployment"])]
    for selector in selectors:
        assert any(selector.items() <= each.items() for each in labels), selector
    page = (ROOT / "docs" / "operate" / "deploy.md").read_text("utf-8")
    created = set(re.findall(r"create secret generic (\S+)", page))
    named = set(
        re.findall(r"(?:secretRef: \{name: |secretName: )([a-z-]+)", "".join(f.read_text() for f in KUBERNETES.glob("*.yaml")))
    )
    assert named == created


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_accepts_the_units(unit: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """This needs systemd, but not an installed planton."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text("utf-8").replace("/usr/local/bin/planton", "/bin/sh"), "utf-8")
    verified = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    assert (verified.returncode, [line for line in verified.stderr.splitlines() if unit.name in line]) == (0, [])


@pytest.mark.official
def test_kubernetes_accepts_the_manifests() -> None:
    """They are validated against the schemas of a supported release."""
    validate = pytest.importorskip("kubernetes_validate")
    for each in objects():
        validate.validate(each, "1.31", strict=True)


def test_the_sbom_lists_every_installed_dependency() -> None:
    """Development tools are not listed. The document is deterministic."""
    graph = release.closure()
    when = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    document = json.loads(release.sbom(graph, when))
    names = {each["name"] for each in document["components"]}
    assert {"click", "protobuf", "pulumi", "sqlalchemy", "httpx"} <= names
    assert not {"pytest", "ruff", "grpcio-tools"} & names
    assert document["metadata"]["component"]["name"] == "project-planton"
    assert {each["ref"].partition("@")[0] for each in document["dependencies"]} == names | {"project-planton"}
    assert release.sbom(graph, when) == release.sbom(graph, when)


def test_a_release_pins_every_dependency_with_hashes() -> None:
    """The versions are those of the lock file."""
    graph = release.closure()
    pins = release.pinned(graph.keys() - {release.NAME}, (ROOT / "requirements.lock").read_text("utf-8"))
    # Dependencies of other platforms and Python versions are not installed here, so they are not listed.
    assert pins.keys() == graph.keys() - {release.NAME}
    assert all("--hash=sha256:" in entry for entry in pins.values())


def test_checksums_have_the_format_of_sha256sum(tmp_path: pathlib.Path) -> None:
    """The files are sorted by name."""
    (tmp_path / "b").write_bytes(b"")
    (tmp_path / "a").write_bytes(b"a")
    assert release.checksums(list(tmp_path.iterdir())) == (
        "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n"
    )
