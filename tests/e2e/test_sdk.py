"""The SDK in a program of its own: the example, as a user runs it."""

from __future__ import annotations

import pathlib
import subprocess
import sys

from support.planton import Planton

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "python" / "environment.py"


def test_the_example_creates_scales_and_destroys_an_environment(planton: Planton) -> None:
    """About forty lines are a whole life, and leave nothing in the cloud."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLE)], env=planton.environ, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert "CivoKubernetesCluster/dev-cluster (env dev) ['create']" in lines
    assert "nodes: 3" in lines
    assert lines[-1].startswith("left: planton/dev.CivoVpc.dev-network has not been applied")
    assert planton.json("get")["items"] == []
