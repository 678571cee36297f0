"""Stack inputs: construction, redaction, lookup and decoding."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
import yaml

from planton import errors
from planton.manifest import stack_input
from planton.schema import kinds
from support import mocks


def _stack_input() -> Any:
    manifest = mocks.target("CivoVpc", {"civoCredentialId": "default", "networkName": "main-net", "region": "lon1"})
    config = mocks.stack_input(manifest, objectStoreSecretKey="store-key").provider_config
    return stack_input.build(manifest, config)


def test_a_stack_input_file_redacts_secret_fields() -> None:
    """Tokens and keys are printed only on request. Other fields are as in a manifest."""
    data = stack_input.file_dict(_stack_input())
    assert data["provider_config"] == {"apiToken": "[redacted]", "defaultRegion": "lon1", "objectStoreSecretKey": "[redacted]"}
    assert data["target"]["spec"]["networkName"] == "main-net"
    with_secrets = stack_input.file_dict(_stack_input(), show_secrets=True)
    assert with_secrets["provider_config"]["apiToken"] == mocks.TOKEN


def test_nested_secrets_are_redacted() -> None:
    """A kubeconfig in a manifest's status is an example."""
    manifest: Any = kinds.get("CivoKubernetesCluster").message()
    manifest.status.outputs.kubeconfig_b64 = "c2VjcmV0"
    assert stack_input.as_dict(manifest) == {"status": {"outputs": {"kubeconfigB64": "[redacted]"}}}


def test_the_secret_fields_of_a_message_are_listed_by_name() -> None:
    """Commands need the list to redact outputs."""
    assert stack_input.secret_fields(kinds.get("CivoKubernetesCluster").stack_outputs.DESCRIPTOR) == ("kubeconfig_b64",)
    assert stack_input.secret_fields(kinds.get("CivoVpc").stack_outputs.DESCRIPTOR) == ()


@pytest.mark.parametrize("dump", [yaml.safe_dump, json.dumps, stack_input.dumps])
def test_a_written_stack_input_can_be_parsed(dump: Any) -> None:
    """YAML and JSON decode to the same message."""
    text = dump(stack_input.file_dict(_stack_input(), show_secrets=True))
    assert stack_input.parse(text, source="here") == _stack_input()


def test_an_invalid_stack_input_is_an_error_with_its_source_and_without_secrets() -> None:
    """The error does not quote the line of the token."""
    data = stack_input.file_dict(_stack_input(), show_secrets=True)
    data["provider_config"]["apiTokn"] = data["provider_config"].pop("apiToken")
    data["target"]["spec"].pop("networkName")
    with pytest.raises(errors.PlantonError) as caught:
        stack_input.parse(yaml.safe_dump(data), source="$STACK_INPUT_YAML")
    assert caught.value.reason is errors.Reason.STACK_INPUT_INVALID
    assert "$STACK_INPUT_YAML" in caught.value.message
    assert mocks.TOKEN not in str(caught.value.as_dict())


def _files(folder: pathlib.Path) -> dict[str, str]:
    for name in ("stack-input.json", "stack-input.yaml", "named.yaml"):
        (folder / name).write_text(name, "utf-8")
    return {"STACK_INPUT_YAML": "text", "STACK_INPUT_YAML_FILE": str(folder / "named.yaml")}


def test_the_first_available_source_is_used(tmp_path: pathlib.Path) -> None:
    """The order is config, text variable, file variable, then JSON and YAML next to Pulumi.yaml."""
    environ = _files(tmp_path)

    def locate(config: str | None = None) -> tuple[str, str]:
        return stack_input.locate(config, environ=environ, folder=tmp_path)

    assert locate("config") == ("config", "config planton-cloud:stack-input")
    assert locate() == ("text", "$STACK_INPUT_YAML")
    del environ["STACK_INPUT_YAML"]
    assert locate() == ("named.yaml", str(tmp_path / "named.yaml"))
    del environ["STACK_INPUT_YAML_FILE"]
    assert locate() == ("stack-input.json", str(tmp_path / "stack-input.json"))
    (tmp_path / "stack-input.json").unlink()
    assert locate() == ("stack-input.yaml", str(tmp_path / "stack-input.yaml"))


def test_stack_input_files_are_read_from_the_working_folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulumi runs a program in the folder of Pulumi.yaml."""
    _files(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("STACK_INPUT_YAML", "STACK_INPUT_YAML_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert stack_input.locate(None)[0] == "stack-input.json"


def test_a_missing_stack_input_is_an_error_with_all_sources(tmp_path: pathlib.Path) -> None:
    """The hint also contains the command that writes one."""
    with pytest.raises(
        errors.PlantonError, match=r"no stack input: .*stack-input.json and .*stack-input.yaml do not exist"
    ) as caught:
        stack_input.locate(None, environ={}, folder=tmp_path)
    assert (caught.value.code, caught.value.reason) == (errors.Code.USAGE, errors.Reason.STACK_INPUT_MISSING)
    for place in ("planton stack-input -f", "planton-cloud:stack-input", "$STACK_INPUT_YAML ", "$STACK_INPUT_YAML_FILE"):
        assert place in caught.value.hint


def test_a_missing_named_file_has_no_fallback(tmp_path: pathlib.Path) -> None:
    """A user who names a file does not want another one."""
    environ = _files(tmp_path) | {"STACK_INPUT_YAML": "", "STACK_INPUT_YAML_FILE": str(tmp_path / "missing.yaml")}
    with pytest.raises(errors.PlantonError, match=r"missing.yaml do not exist"):
        stack_input.locate(None, environ=environ, folder=tmp_path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_an_unreadable_stack_input_is_an_error_with_a_reason(content: bytes | None, tmp_path: pathlib.Path) -> None:
    """A folder, or invalid UTF-8, must not cause a traceback."""
    path = tmp_path / "stack-input.yaml"
    path.write_bytes(content) if content is not None else path.mkdir()
    with pytest.raises(errors.PlantonError, match=r"cannot read the stack input .*: ") as caught:
        stack_input.locate(None, environ={}, folder=tmp_path)
    assert caught.value.reason is errors.Reason.STACK_INPUT_MISSING


@pytest.mark.parametrize("name", ["firewall", "kubernetes_cluster"])
def test_the_standalone_examples_admit_this_machine(name: str) -> None:
    """The next documented command asks the API server of the sandbox, which sees 127.0.0.1."""
    example = pathlib.Path(__file__).resolve().parents[1] / "iac" / "civo" / name / "stack-input.example.yaml"
    assert "127.0.0.1/32" in example.read_text("utf-8")
