"""What the options of a command mean together: stack inputs with a provider config, with settings, with a redacted token."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from planton import errors, stack_input
from planton.cli import options
from support import mocks


def _wanted(
    folder: pathlib.Path, *, token: str = "own", config: dict[str, str] | None = None, settings: tuple[str, ...] = ()
) -> Any:
    target = mocks.target("CivoVpc", {"civoCredentialId": "default", "networkName": "a", "region": "lon1"}, name="a")
    target.api_version, target.kind = "civo.project-planton.org/v1", "CivoVpc"
    given = mocks.stack_input(target, apiToken=token, defaultRegion="lon1")
    file = folder / "input.json"
    file.write_text(json.dumps(stack_input.file_dict(given, show_secrets=True)), "utf-8")
    account = folder / "account.json"
    account.write_text(json.dumps(config or {}), "utf-8")
    (found,) = options.Sources((), (str(file),), str(account) if config else "", settings, "", "").read()
    return found


def test_the_provider_config_goes_before_that_of_a_stack_input(tmp_path: pathlib.Path) -> None:
    """`-p` gives the account of a stack input too; what it leaves out stays."""
    found = _wanted(tmp_path, config={"apiToken": "other"})
    assert found.config.api_token == "other"
    assert found.config.default_region == _wanted(tmp_path).config.default_region


def test_a_redacted_token_counts_as_none(tmp_path: pathlib.Path) -> None:
    """What `planton stack-input` prints can be applied: the token comes from the credential or the environment."""
    assert not _wanted(tmp_path, token=stack_input.REDACTED).config.api_token


def test_settings_change_a_stack_input(tmp_path: pathlib.Path) -> None:
    """`--set` changes the manifest in a stack input; a field that it does not have is an error, not dropped."""
    assert _wanted(tmp_path, settings=("spec.networkName=b",)).manifest.spec.network_name == "b"
    with pytest.raises(errors.PlantonError) as caught:
        _wanted(tmp_path, settings=("spec.nonsense=b",))
    assert caught.value.reason is errors.Reason.USAGE
