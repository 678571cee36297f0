"""The program of a standalone project, and that of the engine."""

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


def _given(monkeypatch: pytest.MonkeyPatch, target: dict[str, Any], **config: Any) -> None:
    monkeypatch.setenv("STACK_INPUT_YAML", yaml.safe_dump({"target": target, "provider_config": config}))


def test_the_outputs_and_the_manifest_are_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever finds the stack later finds what was applied, by the field names of the outputs."""
    _given(monkeypatch, VPC, api_token="t", default_region="lon1")
    planned = mocks.record(modules.main)
    assert planned.outputs.keys() == {"network_id", "cidr_block", "created_at_rfc3339", "manifest"}
    assert planned.resources["network"].inputs["label"] == "net-a"


def test_what_a_stack_input_leaves_open_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token and the address do; what the stack input says stays."""
    _given(monkeypatch, VPC, default_region="fra1", api_endpoint="http://127.0.0.1:1")
    monkeypatch.setenv("CIVO_TOKEN", "of-environment")
    monkeypatch.setenv("CIVO_REGION", "nyc1")
    monkeypatch.setenv("CIVO_API_URL", "http://127.0.0.1:2")
    assert mocks.record(modules.main).resources["civo"].inputs == {
        "token": mocks.Secret("of-environment"),
        "region": "LON1",
        "apiEndpoint": "http://127.0.0.1:1",
    }


@pytest.mark.parametrize(
    ("target", "config", "said"),
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
def test_every_error_of_ours_ends_the_program_without_a_traceback(
    target: dict[str, Any] | None, config: dict[str, Any], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pulumi shows a RunError as it is: message and hint."""
    if target is not None:
        _given(monkeypatch, target, **config)
    with pytest.raises(pulumi.RunError) as caught:
        mocks.record(modules.main)
    for part in said:
        assert part in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who installed the core alone learns which extra is missing."""
    _given(monkeypatch, VPC, api_token="t")
    monkeypatch.delitem(sys.modules, "planton.modules.civo.vpc.program", raising=False)
    monkeypatch.setitem(sys.modules, "pulumi_civo", None)
    with pytest.raises(pulumi.RunError, match="the package pulumi_civo is not installed\ninstall project-planton with"):
        mocks.record(modules.main)


def test_a_kind_without_a_module_is_no_missing_package() -> None:
    """There is nothing to install for it."""
    with pytest.raises(errors.PlantonError, match="can validate a CivoBucket, but cannot create one") as caught:
        modules.load(kinds.Kind("CivoBucket", "civo"))
    assert caught.value.reason is errors.Reason.KIND_UNKNOWN
