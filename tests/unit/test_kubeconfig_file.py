"""The user's kubeconfig file, into which the entries of a cluster are merged."""

from __future__ import annotations

import pathlib
import stat

import pytest
import yaml

from planton import errors
from planton.cli import kubeconfig

TEXT = yaml.safe_dump(
    {
        "clusters": [{"name": "a", "cluster": {"server": "https://127.0.0.1"}}],
        "users": [{"name": "a", "user": {}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
    }
)


def test_an_empty_file_is_treated_as_missing(tmp_path: pathlib.Path) -> None:
    """kubectl does the same."""
    file = tmp_path / "config"
    file.touch()
    kubeconfig.write_merged(file, TEXT, name="dev")
    assert yaml.safe_load(file.read_text("utf-8"))["current-context"] == "dev"


def test_a_failed_write_leaves_no_file(tmp_path: pathlib.Path) -> None:
    """A folder with the name of the file makes the write fail."""
    (tmp_path / "config" / "inside").mkdir(parents=True)
    with pytest.raises(errors.PlantonError, match="cannot write"):
        kubeconfig.write(tmp_path / "config", TEXT, hint="another file")
    assert [path.name for path in tmp_path.iterdir()] == ["config"]


def test_a_written_file_is_readable_by_its_owner_only(tmp_path: pathlib.Path) -> None:
    """This holds also for an existing file with another mode."""
    file = tmp_path / "config"
    file.touch(0o644)
    kubeconfig.write(file, TEXT, hint="another file")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text("utf-8") == TEXT


def test_a_symbolic_link_stays_a_link(tmp_path: pathlib.Path) -> None:
    """Its target is changed."""
    real, link = tmp_path / "real", tmp_path / "link"
    link.symlink_to(real)
    kubeconfig.write_merged(link, TEXT, name="dev")
    assert link.is_symlink()
    assert "dev" in real.read_text("utf-8")


def test_an_unwritable_path_is_a_usage_error(tmp_path: pathlib.Path) -> None:
    """The user can correct it, so it is not an internal error."""
    (tmp_path / "file").touch()
    with pytest.raises(errors.PlantonError) as caught:
        kubeconfig.write_merged(tmp_path / "file" / "config", TEXT, name="dev")
    assert caught.value.code == errors.Code.USAGE
    assert "cannot write" in caught.value.message


@pytest.mark.parametrize("content", ["users: x", "users: [x]", "clusters: {a: b}", "[]", "\0", "users: [{name: a}]\ncontexts: 1"])
def test_a_file_that_is_no_kubeconfig_is_not_changed(content: str, tmp_path: pathlib.Path) -> None:
    """The error contains its path."""
    file = tmp_path / "config"
    file.write_text(content, "utf-8")
    with pytest.raises(errors.PlantonError, match=f"{file} is not a kubeconfig; it was not changed"):
        kubeconfig.write_merged(file, TEXT, name="dev")
    assert file.read_text("utf-8") == content
