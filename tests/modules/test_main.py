"""The Pulumi program of a standalone project."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import pulumi
import pytest
import yaml

from planton import errors, modules
from planton.schema import kinds
from support import mocks

VPC = {
    "apiVersion": "civo.project-planton.org/v1",
    "kind": "CivoVpc",
    "metadata": {"name": "main"},
    "spec": {"civoCredentialId": "default", "networkName": "net-a", "region": "lon1"},
}


@pytest.fixture(autouse=True)
def _clean(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("STACK_INPUT_YAML", "STACK_INPUT_YAML_FILE", "CIVO_TOKEN", "CIVO_REGION", "CIVO_API_URL", "PLANTON_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)


def _set_stack_input(monkeypatch: pytest.MonkeyPatch, target: dict[str, Any], **config: Any) -> None:
    monkeypatch.setenv("STACK_INPUT_YAML", yaml.safe_dump({"target": target, "provider_config": config}))


def test_the_outputs_and_the_manifest_are_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack shows later what was applied. Outputs have the field names of the message."""
    _set_stack_input(monkeypatch, VPC, api_token="t", default_region="lon1")
    planned = mocks.record(modules.main)
    assert planned.outputs.keys() == {"network_id", "cidr_block", "created_at_rfc3339", "manifest"}
    assert planned.resources["network"].inputs["label"] == "net-a"


def test_unset_provider_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment sets the token here. Values of the stack input override it."""
    _set_stack_input(monkeypatch, VPC, default_region="fra1", api_endpoint="http://127.0.0.1:1")
    monkeypatch.setenv("CIVO_TOKEN", "environment-token")
    monkeypatch.setenv("CIVO_REGION", "nyc1")
    monkeypatch.setenv("CIVO_API_URL", "http://127.0.0.1:2")
    assert mocks.record(modules.main).resources["civo"].inputs == {
        "token": mocks.Secret("environment-token"),
        "region": "LON1",
        "apiEndpoint": "http://127.0.0.1:1",
    }


@pytest.mark.parametrize(
    ("target", "config", "texts"),
    [
        (None, {}, ["no stack input", "planton stack-input -f MANIFEST"]),
        (VPC, {}, ["no credentials for civo", "CIVO_TOKEN"]),
        ({**VPC, "kind": "CivoVPC"}, {}, ["CivoVpc"]),
        ({**VPC, "spec": {**VPC["spec"], "regionn": "x"}}, {}, ["regionn"]),
        (
            {**VPC, "spec": {**VPC["spec"], "isDefaultForRegion": True}},
            {"api_token": "t"},
            ["isDefaultForRegion", "--allow-unsupported"],
        ),
        ({**VPC, "spec": {**VPC["spec"], "civoCredentialId": "acme"}}, {}, ["unknown credential 'acme'"]),
    ],
)
def test_a_planton_error_ends_the_program_without_a_traceback(
    target: dict[str, Any] | None, config: dict[str, Any], texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pulumi prints the message and hint of a RunError only."""
    if target is not None:
        _set_stack_input(monkeypatch, target, **config)
    with pytest.raises(pulumi.RunError) as caught:
        mocks.record(modules.main)
    for text in texts:
        assert text in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_package_is_an_error_with_the_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user may have installed the core only."""
    _set_stack_input(monkeypatch, VPC, api_token="t")
    monkeypatch.delitem(sys.modules, "planton.modules.civo.vpc.program", raising=False)
    monkeypatch.setitem(sys.modules, "pulumi_civo", None)
    with pytest.raises(pulumi.RunError, match="the package pulumi_civo is not installed\ninstall project-planton with"):
        mocks.record(modules.main)


def test_a_kind_without_a_module_is_an_error_of_the_kind() -> None:
    """It is not a missing package: there is nothing to install."""
    with pytest.raises(errors.PlantonError, match="can validate a CivoBucket, but cannot create one") as caught:
        modules.load(kinds.Kind("CivoBucket", "civo"))
    assert (caught.value.code, caught.value.reason) == (errors.Code.REFUSED, errors.Reason.KIND_UNSUPPORTED)
