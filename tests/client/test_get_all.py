"""``planton get --all``: objects of the API without a stack. With stacks: tests/e2e/test_adopt.py."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Iterator

import pytest
import yaml

from planton import cli
from support import serving

Run = Callable[..., tuple[int, str, str]]
POOL = {"name": "workers", "spec": {"nodeCount": 2, "platform": {"type": "civo", "civo": {"size": "g4s.kube.small"}}}}
CLUSTER = {"name": "civo-1", "spec": {"platform": {"type": "civo", "civo": {"region": "LON1"}}}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Server]:
    """A server with a cluster and a node pool on Civo, and with both on a cloud that has no kinds."""
    with serving.running(tmp_path_factory.mktemp("server"), "--tick", "0") as running:
        cluster = running.call("POST", "/clusters", CLUSTER)["id"]
        running.call("POST", f"/clusters/{cluster}/nodepools", POOL)
        azure = {"name": "azure-1", "spec": {"platform": {"type": "azure"}}}
        running.call("POST", "/clusters", azure)
        yield running


@pytest.fixture
def run(
    server: serving.Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> Run:
    """Returns a function that runs `planton get` as a user without stacks, and returns exit code, stdout and stderr."""
    monkeypatch.setenv("PLANTON_API_URL", server.url)
    monkeypatch.setenv("PLANTON_API_USER", serving.USER["X-User-Email"])
    monkeypatch.setenv("PLANTON_DATA_DIR", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(("get", *arguments))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_objects_without_a_stack_are_listed_with_the_phase_of_the_api(run: Run) -> None:
    """Their owner is the API. Cells of the cloud's condition are empty."""
    header, *rows = (line.split() for line in run("--all", "--sort-by", "name")[1].splitlines())
    assert header == ["NAME", "KIND", "OWNER", "ENV", "STATUS", "VERSION", "REGION", "NODES", "SIZE", "AGE", "DRIFT"]
    assert [[*row[:5], row[7]] for row in rows] == [
        ["azure-1", "Cluster", "api", "-", "Pending", "-"],
        ["civo-1", "CivoKubernetesCluster", "api", "-", "Pending", "-"],
        ["workers", "CivoKubernetesNodePool", "api", "-", "Pending", "?/2"],
    ]


def test_data_has_the_object_of_the_api(run: Run) -> None:
    """JSON, YAML and JSONPath are views of the same data."""
    data = json.loads(run("--all", "-o", "json")[1])
    assert {(each["owner"], each["metadata"]["name"], each["observed"]) for each in data["items"]} == {
        ("api", name, None) for name in ("azure-1", "civo-1", "workers")
    }
    [pool] = [each for each in data["items"] if each["kind"] == "CivoKubernetesNodePool"]
    assert pool["object"]["spec"]["nodeCount"] == 2
    assert yaml.safe_load(run("--all", "-o", "yaml")[1]) == data
    assert set(run("--all", "-o", "jsonpath={.items[*].object.name}")[1].split()) == {"azure-1", "civo-1", "workers"}
    assert set(run("--all", "-o", "name")[1].split()) == {
        "Cluster/azure-1", "CivoKubernetesCluster/civo-1", "CivoKubernetesNodePool/workers",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("pools",), ["CivoKubernetesNodePool/workers"]),
        (("--env", "dev"), []),
        (("-l", "team=shop"), []),
        (("--stack", "planton/dev"), []),
    ],
)
def test_filters_apply_to_objects(run: Run, options: tuple[str, ...], names: list[str]) -> None:
    """Objects have a kind; environments, labels and stacks are those of manifests."""
    assert run(*options, "--all", "-o", "name")[1].split() == names


def test_without_the_option_no_object_is_listed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API needs no user then, also if the environment names its address."""
    monkeypatch.delenv("PLANTON_API_USER")
    assert run("-o", "name") == (0, "", "")
    code, _, stderr = run("--all")
    assert (code, "user or a token" in stderr) == (8, True)


@pytest.mark.parametrize("options", [("pool/workers",), ("--watch",)])
def test_one_resource_and_a_watch_have_no_owners(run: Run, options: tuple[str, ...]) -> None:
    """Both are usage errors."""
    code, _, stderr = run(*options, "--all")
    assert (code, "--all" in stderr) == (2, True)
