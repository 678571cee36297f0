"""One value of a manifest file is changed; everything else stays."""

from __future__ import annotations

import pathlib

import pytest

import planton
from planton import errors
from planton.manifest import edit, load

PATH = "spec.kubernetesVersion"
CLUSTER = """\
# the shop
apiVersion: civo.project-planton.org/v1
kind: CivoKubernetesCluster
metadata: {{name: {name}, env: dev}}
spec:
  clusterName: {name}
  region: lon1
  kubernetesVersion: {version}
  network: {{value: net}}
  defaultNodePool: {{size: g4s.kube.small, nodeCount: 2}}
"""


def _resources(folder: pathlib.Path, text: str) -> list[load.Resource]:
    (folder / "c.yaml").write_text(text, "utf-8")
    return planton.load(str(folder / "c.yaml"))


@pytest.mark.parametrize("version", ["1.30.5+k3s1", '"1.30.5+k3s1"', "'1.30.5+k3s1'  # tested", "1.30.5+k3s1   # tested"])
def test_only_the_value_changes(version: str, tmp_path: pathlib.Path) -> None:
    """Quotes, comments and other documents stay."""
    text = CLUSTER.format(name="a", version="1.30.5+k3s1") + "---\n" + CLUSTER.format(name="b", version=version)
    file, after = edit.replaced(_resources(tmp_path, text)[1], PATH, "1.31.2+k3s1")
    assert file == tmp_path / "c.yaml"
    head, _, tail = text.rpartition("1.30.5")
    assert after.decode() == f"{head}1.31.2{tail}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (CLUSTER.format(name="a", version='"1.30\\x2e5+k3s1"'), "not written as one word"),
        (CLUSTER.format(name="a", version="&v 1.30.5+k3s1") + "  tags: [*v]\n", "not written as one word"),
    ],
)
def test_a_value_that_cannot_be_changed_alone_is_an_error_with_its_place(text: str, why: str, tmp_path: pathlib.Path) -> None:
    """The hint says what to write there."""
    with pytest.raises(errors.PlantonError) as caught:
        edit.replaced(_resources(tmp_path, text)[0], PATH, "1.31.2+k3s1")
    assert why in caught.value.message
    assert "c.yaml:8" in caught.value.message
    assert "write 1.31.2+k3s1 there by hand" in caught.value.hint


def test_a_message_has_no_file_to_change() -> None:
    """The program that made it changes it."""
    (resource,) = planton.load(CLUSTER.format(name="a", version="1.30.5+k3s1"))
    with pytest.raises(errors.PlantonError, match="not read from a manifest file"):
        edit.replaced(resource, PATH, "1.31.2+k3s1")
