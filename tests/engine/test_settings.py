"""Settings: where state and passphrase are, and who may read them."""

from __future__ import annotations

import pathlib
import stat

import pytest

from planton import errors
from planton.engine import settings


def _settings(folder: pathlib.Path, backend: str = "", **environ: str) -> settings.Settings:
    return settings.Settings(backend=backend, environ={"PLANTON_DATA_DIR": str(folder), **environ})


def test_the_backend_is_the_users_or_a_private_folder(tmp_path: pathlib.Path) -> None:
    """The option goes before the environment; the embedded folder exists when it is named, and others cannot look into it."""
    assert _settings(tmp_path, "s3://a", PULUMI_BACKEND_URL="s3://b").backend_url == "s3://a"
    assert _settings(tmp_path, PULUMI_BACKEND_URL="s3://b").backend_url == "s3://b"
    assert not (tmp_path / "data").exists()
    assert _settings(tmp_path / "data").backend_url == f"file://{tmp_path}/data/state"
    assert stat.S_IMODE((tmp_path / "data" / "state").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"])
@pytest.mark.parametrize("value", ["mine", ""])
def test_the_users_own_passphrase_is_used(name: str, value: str, tmp_path: pathlib.Path) -> None:
    """Even an empty one, which Pulumi accepts; none is generated then."""
    assert _settings(tmp_path, **{name: value}).passphrase() == {name: value}
    assert list(tmp_path.iterdir()) == []


def test_a_passphrase_is_generated_once_and_only_for_the_user(tmp_path: pathlib.Path) -> None:
    """It is long, differs between folders, is kept, and never leaves its file of mode 0600."""
    first = _settings(tmp_path / "a").passphrase()
    path = pathlib.Path(first["PULUMI_CONFIG_PASSPHRASE_FILE"])
    text = path.read_text("utf-8")
    assert len(text) >= 40
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert _settings(tmp_path / "a").passphrase() == first
    assert path.read_text("utf-8") == text
    other = _settings(tmp_path / "b").passphrase()
    assert pathlib.Path(other["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text("utf-8") != text


def test_a_folder_that_cannot_be_made_is_our_error(tmp_path: pathlib.Path) -> None:
    """The path and a way out are told."""
    (tmp_path / "file").write_text("", "utf-8")
    for ask in (_settings(tmp_path / "file").passphrase, lambda: _settings(tmp_path / "file").backend_url):
        with pytest.raises(errors.PlantonError, match=r"cannot make the folder .*file") as caught:
            ask()
        assert "PLANTON_DATA_DIR" in caught.value.hint
