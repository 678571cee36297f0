"""The public SDK without an engine: sources, validation, lazy imports, and the consent that every change needs."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
from typing import Any

import pytest

import planton
from org.project_planton.provider.civo.civokubernetesnodepool.v1 import api_pb2
from planton.deploy import planning, runtime
from planton.manifest import load
from support import mocks, world

TEXT = """
apiVersion: civo.project-planton.org/v1
kind: CivoKubernetesNodePool
metadata: {name: web, env: dev}
spec:
  nodePoolName: web
  size: g4s.kube.small
  nodeCount: 3
  cluster: {valueFrom: {name: dev}}
"""


def _pool(size: str = "g4s.kube.small") -> Any:
    pool = api_pb2.CivoKubernetesNodePool(api_version="civo.project-planton.org/v1", kind="CivoKubernetesNodePool")
    pool.metadata.name, pool.metadata.env = "web", "dev"
    pool.spec.node_pool_name, pool.spec.size, pool.spec.node_count = "web", size, 3
    pool.spec.cluster.value_from.name = "dev"
    return pool


def test_text_a_file_and_a_message_load_the_same_resource(tmp_path: pathlib.Path) -> None:
    """A loaded resource is accepted as a source too."""
    file = tmp_path / "pool.yaml"
    file.write_text(TEXT, "utf-8")
    [from_text], [from_file], [from_message] = (planton.load(source) for source in (TEXT, file, _pool()))
    assert from_text.manifest == from_file.manifest == from_message.manifest
    assert planton.load([from_text]) == [from_text]
    assert [each.manifest for each in planton.load([str(file), _pool()])] == [from_file.manifest] * 2


def test_validate_returns_violations_with_field_and_rule() -> None:
    """It checks messages, and relations between manifests."""
    assert planton.validate(_pool()) == []
    [violation] = planton.validate(_pool(size=""))
    assert violation.path == "spec.size"
    with pytest.raises(planton.InvalidError) as caught:
        planton.load(_pool(size=""))
    assert [each.rule_id for each in caught.value.violations] == [violation.rule_id]
    assert "reference.given_once" in {each.rule_id for each in planton.validate([_pool(), TEXT])}


def test_load_and_validate_do_not_import_pulumi() -> None:
    """A validation hook must not load the engine."""
    program = (
        "import sys, planton\n"
        f"assert planton.validate({TEXT!r}) == []\n"
        "heavy = {'pulumi', 'click', 'grpc', 'planton.engine'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize("name", planton.__all__)
def test_a_public_name_is_documented(name: str) -> None:
    """In docs/extend/sdk.md, and it exists."""
    page = (pathlib.Path(__file__).parents[2] / "docs" / "extend" / "sdk.md").read_text("utf-8")
    assert getattr(planton, name) is not None
    assert re.search(rf"\b{name}\b", page)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The public names are listed by ``dir``."""
    assert set(planton.__all__) <= set(dir(planton))
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        planton.nonsense  # noqa: B018  # the look-up is the test


@pytest.mark.parametrize("verb", [planton.apply, planton.destroy])
def test_no_change_is_applied_without_consent(verb: Any) -> None:
    """The refusal comes before any request or look-up of the toolchain."""
    with pytest.raises(planton.PlantonError) as caught:
        verb(TEXT)
    assert caught.value.reason == "CONSENT_REQUIRED"
    assert "planton.Consent" in caught.value.hint


def _planned(folder: pathlib.Path) -> planton.Plan:
    civo: runtime.Runtime = world.World(folder).run
    spec = {"civoCredentialId": "default", "networkName": "net", "region": "lon1"}
    network = load.Resource(mocks.target("CivoVpc", spec, name="net", env="dev"), None, "net.yaml")
    return planning.make((network,), planton.Options(), civo)


def test_an_approved_plan_is_applied_and_returns_outputs(tmp_path: pathlib.Path) -> None:
    """The plan contains everything that the apply needs."""
    result = planton.apply(_planned(tmp_path), consent=planton.Consent(changes=True))
    assert result.error is None
    outputs: Any = result.outputs("civovpc/net")
    assert outputs.network_id == "11111111-1111-1111-1111-111111111111"
    with pytest.raises(planton.PlantonError) as caught:
        result.outputs("CivoVpc/other")
    assert caught.value.hint == "it has those of: CivoVpc/net (env dev)"


def test_consent_to_changes_does_not_cover_deletions(tmp_path: pathlib.Path) -> None:
    """A plan of one operation cannot be used for another."""
    approved = planton.approve(_planned(tmp_path), planton.Consent(changes=True))
    with pytest.raises(planton.PlantonError) as caught:
        planton.destroy(approved)
    assert caught.value.reason == "USAGE"
