"""Settings: where state and passphrase are, and who may read them."""

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


def test_the_backend_is_the_users_or_a_private_folder(tmp_path: pathlib.Path) -> None:
    """The option goes before the environment; the embedded folder exists when it is named, and others cannot look into it."""
    assert _settings(tmp_path, "s3://a", PULUMI_BACKEND_URL="s3://b").backend_url == "s3://a"
    assert _settings(tmp_path, PULUMI_BACKEND_URL="s3://b").backend_url == "s3://b"
    assert not (tmp_path / "data").exists()
    assert _settings(tmp_path / "data").backend_url == f"file://{tmp_path}/data/state"
    assert stat.S_IMODE((tmp_path / "data" / "state").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["50%", "a#b", "a b", "a%20b", "what?"])
def test_a_folder_of_any_name_can_be_the_backend(name: str, tmp_path: pathlib.Path) -> None:
    """Its URL means the same folder to Pulumi, which reads it as one."""
    chosen = _settings(tmp_path / name)
    assert urllib.parse.unquote(urllib.parse.urlsplit(chosen.backend_url).path) == str(tmp_path / name / "state")
    assert chosen.backend_folder == tmp_path / name / "state" / ".pulumi" / "stacks"
    assert _settings(tmp_path, "s3://a").backend_folder is None


def test_a_backend_below_the_current_or_the_home_folder_is_found(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever Pulumi itself runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert _settings(tmp_path, "file://./a").backend_url == (tmp_path / "a").as_uri()
    assert _settings(tmp_path, "file://../b?no_tmp_dir=true").backend_url == f"{(tmp_path.parent / 'b').as_uri()}?no_tmp_dir=true"
    assert _settings(tmp_path, "file://~/c").backend_url == (tmp_path / "home" / "c").as_uri()
    assert _settings(tmp_path, "file:///d").backend_url == "file:///d"
    monkeypatch.setenv("PLANTON_DATA_DIR", "data")
    assert settings.Settings().backend_folder == tmp_path / "data" / "state" / ".pulumi" / "stacks"


@pytest.mark.parametrize("value", ["mine", ""])
def test_the_users_own_passphrase_is_used(value: str, tmp_path: pathlib.Path) -> None:
    """Even an empty one, which Pulumi accepts; none is generated then."""
    given = {"PULUMI_CONFIG_PASSPHRASE": value}
    assert _settings(tmp_path, **given).passphrase() == given
    assert list(tmp_path.iterdir()) == []


def test_the_users_own_passphrase_file_is_used(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine runs in another folder, so that its path is absolute."""
    (tmp_path / "own").write_text("mine\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    chosen = _settings(tmp_path / "data", PULUMI_CONFIG_PASSPHRASE_FILE="own")
    assert chosen.passphrase() == {"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "own")}
    assert not (tmp_path / "data" / "passphrase").exists()


@pytest.mark.parametrize("whose", ["generated", "environment", "context"])
@pytest.mark.parametrize(("content", "why"), [("", "it is empty"), (" \n", "it is empty"), (None, "it cannot be read: No such")])
def test_a_passphrase_file_that_is_damaged_is_named(whose: str, content: str | None, why: str, tmp_path: pathlib.Path) -> None:
    """Pulumi would encrypt with the empty passphrase, and nobody could decrypt once the right file is back."""
    path = tmp_path / "passphrase"
    if content is not None:
        path.write_text(content, "utf-8")
    elif whose == "generated":
        path.symlink_to(tmp_path / "absent" / "passphrase")
    environ = {"PULUMI_CONFIG_PASSPHRASE_FILE": str(path)} if whose == "environment" else {}
    chosen = dataclasses.replace(
        _settings(tmp_path, **environ), context=contexts.Context("a", passphrase_file=str(path) if whose == "context" else "")
    )
    with pytest.raises(errors.PlantonError, match=why) as caught:
        chosen.passphrase()
    assert (caught.value.reason, caught.value.code) == (errors.Reason.CREDENTIAL_MISSING, errors.Code.MISSING)
    assert str(path) in caught.value.message


def test_a_key_of_a_cloud_needs_no_passphrase(tmp_path: pathlib.Path) -> None:
    """A damaged file that nothing is encrypted with stops nobody."""
    (tmp_path / "passphrase").write_text("", "utf-8")
    context = contexts.Context("a", secrets_provider="awskms://alias/planton")
    assert dataclasses.replace(_settings(tmp_path), context=context).passphrase()


def test_a_passphrase_that_is_being_generated_is_never_seen_unfinished(tmp_path: pathlib.Path) -> None:
    """The stacks of a first apply ask for it at once, each in a thread of its own."""
    for number in range(20):
        chosen = _settings(tmp_path / str(number))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            files = {pool.submit(chosen.passphrase) for _ in range(8)}
        texts = {pathlib.Path(each.result()["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text("utf-8") for each in files}
        assert len(texts) == 1
        assert [path.name for path in chosen.data.iterdir()] == ["passphrase"]


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


@pytest.mark.parametrize(("gigabytes", "parallel"), [(1, 4), (8, 13), (16, 27), (64, 100)])
def test_what_is_worked_on_at_once_fits_into_memory(gigabytes: int, parallel: int) -> None:
    """A quarter of the memory, but neither a crawl on a small machine nor a crowd on a big one."""
    assert settings.default_parallel(gigabytes * 1024**3) == parallel
