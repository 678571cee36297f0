"""``planton init`` on a pseudo-terminal: it asks, with the offers of the cloud, and writes manifests."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest

import planton
from planton import cli
from planton.manifest import templates
from support import pseudo_terminal, sandbox

COMMAND = [sys.executable, "-m", "planton", "init"]


def _environ(folder: pathlib.Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb", "PLANTON_DATA_DIR": str(folder / "data"), **more}


def test_answers_become_manifests(tmp_path: pathlib.Path) -> None:
    """Sizes have prices, a wrong answer is asked again, and a return takes the proposed one."""
    with sandbox.running(tmp_path / "sandbox") as cloud:
        terminal = pseudo_terminal.Terminal(COMMAND, tmp_path, _environ(tmp_path, **cloud.env))
        terminal.expect(r"Cloud \(civo, digitalocean, gcp\) \[civo\]: ")
        terminal.type("digitalocean\r")
        terminal.expect(r"Region \(.*fra1.*\) \[fra1\]: ")
        terminal.type("\r")
        terminal.expect(r"SIZE +CPUS +MEMORY \(MiB\) +USD/MONTH\n(.*\n)*s-2vcpu-4gb +2 +4096 +\$24\n")
        terminal.expect(r"Size of the nodes \[s-2vcpu-4gb\]: ")
        terminal.type("s-2vcpu-4g\r")
        terminal.expect(r"did you mean 's-2vcpu-4gb'")
        terminal.type("s-2vcpu-2gb\r")
        terminal.expect(r"Number of nodes .*\[2\]: ")
        terminal.type("3\r")
        terminal.expect(r"Kubernetes version \(.*\) \[.*\]: ")
        terminal.type("1.34.1-do.0\r")
        terminal.expect("next: planton plan -f .")
        assert terminal.end() == 0
    assert planton.validate([str(path) for path in tmp_path.glob("*.yaml")]) == []
    pool = (tmp_path / "pool-workers.yaml").read_text("utf-8")
    assert "  size: s-2vcpu-2gb\n" in pool
    assert "  nodeCount: 3\n" in pool
    assert "  kubernetesVersion: 1.34.1-do.0\n" in (tmp_path / "cluster.yaml").read_text("utf-8")


def test_without_an_account_the_usual_values_are_proposed(tmp_path: pathlib.Path) -> None:
    """What the options say is not asked."""
    terminal = pseudo_terminal.Terminal([*COMMAND, "--provider", "civo", "--region", "lon1"], tmp_path, _environ(tmp_path))
    terminal.expect("The sizes of the cloud cannot be listed without an account")
    for question in (r"Size of the nodes \[g4s.kube.medium\]: ", "Number of nodes", "Kubernetes version"):
        terminal.expect(question)
        terminal.type("\r")
    assert terminal.end() == 0
    assert "Cloud" not in terminal.output
    assert "Region" not in terminal.output
    assert (tmp_path / "pool-workers.yaml").exists()


def test_any_region_is_accepted_if_the_schema_lists_none(tmp_path: pathlib.Path) -> None:
    """Google Cloud has no fixed list. The usual region is proposed."""
    terminal = pseudo_terminal.Terminal([*COMMAND, "--provider", "gcp"], tmp_path, _environ(tmp_path))
    terminal.expect(r"Region \[europe-west1\]: ")
    terminal.type("us-central1\r")
    for question in ("Size of the nodes", "Number of nodes", "Kubernetes version"):
        terminal.expect(question)
        terminal.type("\r")
    assert terminal.end() == 0
    assert "location: us-central1-b" in (tmp_path / "cluster.yaml").read_text("utf-8")


def test_without_a_terminal_nothing_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """A missing part or cloud is an error of usage, as before."""
    assert cli.main(["init", "cluster"]) == 2
    assert "Missing option '--provider'" in capsys.readouterr().err
    assert cli.main(["init", "--provider", "civo"]) == 2
    assert "Missing argument" in capsys.readouterr().err


@pytest.mark.parametrize(("count", "bounds"), [(1, (1, 10)), (5, (3, 10)), (20, (3, 20))])
def test_a_chosen_number_of_nodes_widens_the_bounds_of_an_autoscaled_pool(count: int, bounds: tuple[int, int]) -> None:
    """Only the pool of the workloads has the chosen size and number."""
    choices = templates.Choices(size="s-8vcpu-16gb", count=count)
    files = templates.make("nodepool", "digitalocean", "prod", choices=choices)
    assert f"  size: s-8vcpu-16gb\n  # The initial number of nodes.\n  nodeCount: {count}\n" in files["pool-general.yaml"]
    assert f"  minNodes: {bounds[0]}\n" in files["pool-general.yaml"]
    assert f"  maxNodes: {bounds[1]}\n" in files["pool-general.yaml"]
    assert "s-8vcpu-16gb" not in files["pool-system.yaml"]
