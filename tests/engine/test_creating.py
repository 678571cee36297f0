"""Stacks that are created in a folder without Pulumi."""

from __future__ import annotations

import json
import pathlib
import stat

import pytest

from planton.engine import creating, stacks

NAME = stacks.StackName("planton", "dev.Network.net")


def _state(folder: pathlib.Path) -> pathlib.Path:
    return folder / ".pulumi" / "stacks" / "planton" / "dev.Network.net.json"


def test_a_stack_in_an_empty_folder_gets_the_layout_with_projects(tmp_path: pathlib.Path) -> None:
    """Pulumi would take a folder without a layout for one of an old version."""
    assert creating.create(NAME, _state(tmp_path), is_private=False)
    assert (tmp_path / ".pulumi" / "meta.yaml").read_text("utf-8") == "version: 1\n"
    assert json.loads(_state(tmp_path).read_text("utf-8")) == {
        "version": 3,
        "checkpoint": {"stack": "organization/planton/dev.Network.net"},
    }


def test_nothing_else_is_left_in_the_folder(tmp_path: pathlib.Path) -> None:
    """Pulumi would list other files as stacks."""
    creating.create(NAME, _state(tmp_path), is_private=False)
    files = [path.relative_to(tmp_path / ".pulumi").as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(files) == ["meta.yaml", "stacks/planton/dev.Network.net.json"]


def test_a_stack_that_another_command_has_created_stays(tmp_path: pathlib.Path) -> None:
    """Both commands use it."""
    creating.create(NAME, _state(tmp_path), is_private=False)
    _state(tmp_path).write_text("the state of another command", "utf-8")
    assert creating.create(NAME, _state(tmp_path), is_private=False)
    assert _state(tmp_path).read_text("utf-8") == "the state of another command"


@pytest.mark.parametrize("layout", ["version: 0\n", "version: 2\n", None])
def test_a_folder_of_another_version_is_left_to_pulumi(tmp_path: pathlib.Path, layout: str | None) -> None:
    """An old version names states without their projects, and has no file that says so."""
    (tmp_path / ".pulumi" / "stacks").mkdir(parents=True)
    if layout is not None:
        (tmp_path / ".pulumi" / "meta.yaml").write_text(layout, "utf-8")
    assert not creating.create(NAME, _state(tmp_path), is_private=False)
    assert not _state(tmp_path).exists()


def test_a_compressed_state_is_left_to_pulumi(tmp_path: pathlib.Path) -> None:
    """It is a stack of the same name."""
    creating.create(NAME, _state(tmp_path), is_private=False)
    _state(tmp_path).rename(_state(tmp_path).with_suffix(".json.gz"))
    assert not creating.create(NAME, _state(tmp_path), is_private=False)
    assert not _state(tmp_path).exists()


@pytest.mark.parametrize("is_private", [False, True])
def test_a_folder_that_cannot_be_written_is_left_to_pulumi(tmp_path: pathlib.Path, *, is_private: bool) -> None:
    """Pulumi's error says what is wrong."""
    (tmp_path / ".pulumi").write_text("a file", "utf-8")
    assert not creating.create(NAME, _state(tmp_path), is_private=is_private)


def test_the_folders_of_a_private_backend_are_private(tmp_path: pathlib.Path) -> None:
    """The state itself is private in every backend, as Pulumi leaves it."""
    creating.create(NAME, _state(tmp_path), is_private=True)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {".pulumi": 0o700, "meta.yaml": 0o600, "stacks": 0o700, "planton": 0o700, "dev.Network.net.json": 0o600}
