"""Stack inputs and provider configs: decoded strictly, without secrets in messages."""

import pathlib

import pytest

from planton import errors, manifest
from planton.manifest import stack_input
from planton.schema import kinds

GOOD = """\
target:
  apiVersion: civo.project-planton.org/v1
  kind: CivoVpc
  metadata: {name: dev}
  spec: {civoCredentialId: default, networkName: dev, region: lon1}
provider_config:
  apiToken: sekret
  default_region: lon1
"""


def test_a_stack_input_has_a_target_and_a_provider_config() -> None:
    """It is decoded into the message of the kind. Both spellings of a field are accepted."""
    read = manifest.read_stack_input(GOOD, file="x")
    assert read.DESCRIPTOR.name == "CivoVpcStackInput"
    assert read.provider_config.api_token == "sekret"
    assert stack_input.parse(GOOD.replace("provider_config", "providerConfig"), source="x") == read


def test_the_target_of_a_stack_input_gets_its_defaults() -> None:
    """They are those of the manifest."""
    cluster = pathlib.Path(__file__).parents[1] / "kinds" / "CivoKubernetesCluster" / "valid" / "minimal.yaml"
    text = "target:\n" + "".join(f"  {line}\n" for line in cluster.read_text("utf-8").splitlines())
    assert manifest.read_stack_input(text, file="x").target.spec.cluster_type == "k3s"


@pytest.mark.parametrize(
    ("text", "rule_id", "place"),
    [
        (GOOD.replace("networkName", "netwerkName"), "manifest.unknown_field", (5, 37)),
        (GOOD.replace("region: lon1}", "region: 1.30}"), "yaml.quote_scalar", (5, 63)),
        (GOOD.replace("networkName: dev,", ""), "required", (5, 3)),
        (GOOD.replace("apiToken: sekret", "apiToken: [sekret]"), "manifest.wrong_type", (7, 13)),
        (GOOD.replace("default_region: lon1", "default_region: sekret"), "manifest.unknown_enum_value", (8, 19)),
        (GOOD.replace("apiToken: sekret", "sekret: x"), "manifest.unknown_field", (7, 3)),
        (GOOD.replace("apiToken: sekret", "apiEndpoint: sekret"), "civo_provider_config.api_endpoint_is_url", (7, 16)),
        (GOOD + "sekret: sekret\n", "manifest.unknown_field", (9, 1)),
        (GOOD + "providerConfig: {}\n", "yaml.duplicate_key", (9, 1)),
        (GOOD + "  sekret\n", "yaml.syntax", (10, 1)),
        (GOOD + "---\nsekret: x\n", "stack_input.shape", (1, 1)),
        ("sekret", "stack_input.shape", (1, 1)),
        ("provider_config: {apiToken: sekret}", "stack_input.target_missing", (1, 1)),
        (GOOD.replace("CivoVpc", "CivoVpx"), "manifest.unknown_kind", (3, 9)),
    ],
)
def test_an_invalid_stack_input_has_a_place_and_a_rule(text: str, rule_id: str, place: tuple[int, int]) -> None:
    """No violation contains a value of the provider config."""
    with pytest.raises(errors.InvalidError) as caught:
        manifest.read_stack_input(text, file="x")
    assert caught.value.reason is errors.Reason.STACK_INPUT_INVALID
    assert [(violation.rule_id, (violation.line, violation.column)) for violation in caught.value.violations] == [
        (rule_id, place)
    ]
    assert "sekret" not in str(caught.value.as_dict()).replace("netwerk", "")


def test_a_provider_config_is_decoded_strictly() -> None:
    """Fields that it omits may come from the environment."""
    kind = kinds.get("CivoVpc")
    assert manifest.read_provider_config(b"api_token: x", file="p", kind=kind).api_token == "x"
    with pytest.raises(errors.InvalidError, match="did you mean 'api_token'"):
        manifest.read_provider_config(b"api_tokn: sekret", file="p", kind=kind)
    with pytest.raises(errors.InvalidError, match="one mapping"):
        manifest.read_provider_config(b"", file="p", kind=kind)
