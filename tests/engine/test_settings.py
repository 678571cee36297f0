"""Settings: the location of state and passphrase, and who may read them."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import pathlib
import stat
import urllib.parse

import pytest

from planton import errors
from planton.config import contexts, settings


def _settings(folder: pathlib.Path, backend: str = "", **environ: str) -> settings.Settings:
    return settings.Settings(backend=backend, environ={"PLANTON_DATA_DIR": str(folder), **environ})


def test_the_default_backend_is_a_private_folder(tmp_path: pathlib.Path) -> None:
    """The option overrides the environment. The embedded folder is created on first use, for the user only."""
    assert _settings(tmp_path, "s3://a", PULUMI_BACKEND_URL="s3://b").backend_url == "s3://a"
    assert _settings(tmp_path, PULUMI_BACKEND_URL="s3://b").backend_url == "s3://b"
    assert not (tmp_path / "data").exists()
    assert _settings(tmp_path / "data").backend_url == f"file://{tmp_path}/data/state"
    assert stat.S_IMODE((tmp_path / "data" / "state").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["50%", "a#b", "a b", "a%20b", "what?"])
def test_a_folder_with_special_characters_can_be_the_backend(name: str, tmp_path: pathlib.Path) -> None:
    """Pulumi parses the URL to the same folder."""
    config = _settings(tmp_path / name)
    assert urllib.parse.unquote(urllib.parse.urlsplit(config.backend_url).path) == str(tmp_path / name / "state")
    assert config.backend_folder == tmp_path / name / "state" / ".pulumi" / "stacks"
    assert _settings(tmp_path, "s3://a").backend_folder is None


def test_a_relative_backend_url_becomes_absolute(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulumi runs in another folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert _settings(tmp_path, "file://./a").backend_url == (tmp_path / "a").as_uri()
    assert _settings(tmp_path, "file://../b?no_tmp_dir=true").backend_url == f"{(tmp_path.parent / 'b').as_uri()}?no_tmp_dir=true"
    assert _settings(tmp_path, "file://~/c").backend_url == (tmp_path / "home" / "c").as_uri()
    assert _settings(tmp_path, "file:///d").backend_url == "file:///d"
    monkeypatch.setenv("PLANTON_DATA_DIR", "data")
    assert settings.Settings().backend_folder == tmp_path / "data" / "state" / ".pulumi" / "stacks"


@pytest.mark.parametrize("value", ["mine", ""])
def test_a_passphrase_in_the_environment_is_used(value: str, tmp_path: pathlib.Path) -> None:
    """Pulumi accepts an empty one too. No passphrase is generated then."""
    variables = {"PULUMI_CONFIG_PASSPHRASE": value}
    assert _settings(tmp_path, **variables).passphrase() == variables
    assert list(tmp_path.iterdir()) == []


def test_a_passphrase_file_in_the_environment_is_used(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its path becomes absolute, because the engine runs in another folder."""
    (tmp_path / "own").write_text("mine\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    config = _settings(tmp_path / "data", PULUMI_CONFIG_PASSPHRASE_FILE="own")
    assert config.passphrase() == {"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "own")}
    assert not (tmp_path / "data" / "passphrase").exists()


@pytest.mark.parametrize("source", ["generated", "environment", "context"])
@pytest.mark.parametrize(
    ("content", "message"), [("", "it is empty"), (" \n", "it is empty"), (None, "it cannot be read: No such")]
)
def test_a_damaged_passphrase_file_is_an_error_with_its_path(
    source: str, content: str | None, message: str, tmp_path: pathlib.Path
) -> None:
    """Pulumi would encrypt with an empty passphrase, and the restored file could not decrypt it."""
    path = tmp_path / "passphrase"
    if content is not None:
        path.write_text(content, "utf-8")
    elif source == "generated":
        path.symlink_to(tmp_path / "absent" / "passphrase")
    environ = {"PULUMI_CONFIG_PASSPHRASE_FILE": str(path)} if source == "environment" else {}
    config = dataclasses.replace(
        _settings(tmp_path, **environ), context=contexts.Context("a", passphrase_file=str(path) if source == "context" else "")
    )
    with pytest.raises(errors.PlantonError, match=message) as caught:
        config.passphrase()
    assert (caught.value.reason, caught.value.code) == (errors.Reason.CREDENTIAL_MISSING, errors.Code.MISSING)
    assert str(path) in caught.value.message


def test_a_cloud_key_needs_no_passphrase(tmp_path: pathlib.Path) -> None:
    """A damaged passphrase file is not an error if nothing is encrypted with it."""
    (tmp_path / "passphrase").write_text("", "utf-8")
    context = contexts.Context("a", secrets_provider="awskms://alias/planton")
    assert dataclasses.replace(_settings(tmp_path), context=context).passphrase()


def test_a_passphrase_is_generated_atomically(tmp_path: pathlib.Path) -> None:
    """The stacks of a first apply read it concurrently, each in its own thread."""
    for number in range(20):
        config = _settings(tmp_path / str(number))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            files = {pool.submit(config.passphrase) for _ in range(8)}
        texts = {pathlib.Path(each.result()["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text("utf-8") for each in files}
        assert len(texts) == 1
        assert [path.name for path in config.data.iterdir()] == ["passphrase"]


def test_a_passphrase_is_generated_once_and_only_for_the_user(tmp_path: pathlib.Path) -> None:
    """It is long, differs between folders, and stays in its file of mode 0600."""
    first = _settings(tmp_path / "a").passphrase()
    path = pathlib.Path(first["PULUMI_CONFIG_PASSPHRASE_FILE"])
    text = path.read_text("utf-8")
    assert len(text) >= 40
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert _settings(tmp_path / "a").passphrase() == first
    assert path.read_text("utf-8") == text
    other = _settings(tmp_path / "b").passphrase()
    assert pathlib.Path(other["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text("utf-8") != text


def test_a_data_folder_that_cannot_be_created_is_an_error_with_its_path(tmp_path: pathlib.Path) -> None:
    """The hint names the variable that changes the folder."""
    (tmp_path / "file").write_text("", "utf-8")
    for read in (_settings(tmp_path / "file").passphrase, lambda: _settings(tmp_path / "file").backend_url):
        with pytest.raises(errors.PlantonError, match=r"cannot make the folder .*file") as caught:
            read()
        assert "PLANTON_DATA_DIR" in caught.value.hint


@pytest.mark.parametrize(("gigabytes", "parallel"), [(1, 4), (8, 13), (16, 27), (64, 100)])
def test_the_default_parallelism_depends_on_memory(gigabytes: int, parallel: int) -> None:
    """It uses a quarter of the memory, between a minimum of 4 and a maximum of 100."""
    assert settings.default_parallel(gigabytes * 1024**3) == parallel
