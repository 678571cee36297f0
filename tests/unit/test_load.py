"""The loader: paths, standard input, text, and generated messages give equal manifests and violations."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from planton import errors
from planton.deploy import check
from planton.manifest import load, selection
from planton.schema import kinds
from support import corpus

if TYPE_CHECKING:
    import pathlib

PATH = corpus.KINDS / "CivoKubernetesCluster" / "valid" / "example.yaml"


def _network(name: str = "net", env: str = "dev", **spec: str) -> Any:
    value: Any = kinds.get("CivoVpc").message()
    value.metadata.name, value.metadata.env = name, env
    value.spec.civo_credential_id, value.spec.network_name, value.spec.region = "default", name, "lon1"
    for field, text in spec.items():
        setattr(value.spec, field, text)
    return value


def test_every_source_of_a_manifest_loads_the_same_message() -> None:
    """The sources are a path, standard input, text, and the message itself."""
    text = PATH.read_text("utf-8")
    [document] = load.load([str(PATH)])
    inputs: list[tuple[load.Input, bytes]] = [(PATH, b""), ("-", text.encode()), (text, b""), (document.message, b"")]
    for each, stdin in inputs:
        [loaded] = load.load([each], stdin=io.BytesIO(stdin))
        assert loaded.message == document.message


def test_a_message_gets_its_kind_and_defaults_and_is_not_changed() -> None:
    """The type of a message implies ``apiVersion`` and ``kind``."""
    value = _network()
    before = value.SerializeToString(deterministic=True)
    [document] = load.load([value])
    assert (document.message.kind, document.message.api_version) == ("CivoVpc", "civo.project-planton.org/v1")
    assert value.SerializeToString(deterministic=True) == before


def test_a_violation_of_a_message_names_the_resource_and_the_field() -> None:
    """A message has no line."""
    with pytest.raises(errors.InvalidError) as caught:
        load.load([_network(ip_range_cidr="10.0.0.0/33")])
    [violation] = caught.value.violations
    assert (violation.place, violation.path) == ("CivoVpc/net (env dev)", "spec.ipRangeCidr")


def test_a_stack_input_message_contains_its_account() -> None:
    """The provider config belongs to the manifest, as in a stack-input file."""
    stack_input: Any = kinds.get("CivoVpc").stack_input()
    stack_input.target.CopyFrom(_network())
    stack_input.provider_config.api_token = "secret"
    [resource] = selection.Selection((stack_input,)).read()
    assert resource.manifest.spec.network_name == "net"  # type: ignore[attr-defined]  # a network
    assert resource.config.api_token == "secret"  # type: ignore[union-attr]  # an account of Civo


def test_an_unreadable_path_does_not_hide_other_manifests(tmp_path: pathlib.Path) -> None:
    """The error takes the position of the text."""
    texts = list(load.texts([str(tmp_path / "missing.yaml"), str(PATH)]))
    assert isinstance(texts[0], errors.PlantonError)
    assert isinstance(texts[1], load.Text)


def test_a_reference_violation_carries_target_place_and_suggestion(tmp_path: pathlib.Path) -> None:
    """They are fields of the violation and part of the message."""
    cluster = PATH.read_text("utf-8").replace(
        "      name: dev-network", "      name: net\n      fieldPath: status.outputs.networkid"
    )
    assert "fieldPath" in cluster
    (tmp_path / "cluster.yaml").write_text(cluster, "utf-8")
    with pytest.raises(errors.InvalidError) as caught:
        load.load([tmp_path / "cluster.yaml", _network()])
    [violation] = caught.value.violations
    assert violation.suggestion == "network_id"
    assert violation.target == errors.Target("CivoVpc/net (env dev)", "refers to", "CivoVpc/net (env dev)")
    assert "did you mean 'network_id'?" in violation.message
    assert violation.as_dict()["target"] == {"key": "CivoVpc/net (env dev)", "place": "CivoVpc/net (env dev)"}


def test_messages_are_checked_against_each_other() -> None:
    """Two messages of one resource are duplicates; the same name in two environments is valid."""
    other = _network(env="prod", network_name="other")
    assert [batch.violations for batch in check.check(load.texts([_network(), other]))] == [(), ()]
    violations = [each for batch in check.check(load.texts([_network(), _network()])) for each in batch.violations]
    assert "reference.given_once" in {violation.rule_id for violation in violations}
    assert {violation.level for violation in violations} == {"error"}
