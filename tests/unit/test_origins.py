"""Origins: one name for a folder in all clones of a repository, without credentials."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from planton.manifest import origins


@pytest.fixture(autouse=True)
def _unknown_folders() -> None:
    """Clears the cache, since a relative path may be that of another test."""
    origins.of_folder.cache_clear()


@pytest.fixture
def clone(tmp_path: pathlib.Path) -> Callable[[str], pathlib.Path]:
    """Returns a function that creates a clone with the folder ``envs/dev`` and the given URL of its remote."""

    def create(address: str) -> pathlib.Path:
        git = tmp_path / "clone" / ".git"
        git.mkdir(parents=True)
        (git / "config").write_text(f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {address}\n', "utf-8")
        (tmp_path / "clone" / "envs" / "dev").mkdir(parents=True)
        return tmp_path / "clone"

    return create


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://example.com/acme/infra.git", "example.com/acme/infra"),
        ("https://example.com/acme/infra", "example.com/acme/infra"),
        ("https://example.com/acme/infra/", "example.com/acme/infra"),
        ("https://anna:secret@example.com/acme/infra.git", "example.com/acme/infra"),
        ("git@example.com:acme/infra.git", "example.com/acme/infra"),
        ("ssh://git@example.com/acme/infra.git", "example.com/acme/infra"),
        ("ssh://git@example.com:2222/acme/infra.git", "example.com:2222/acme/infra"),
    ],
)
def test_a_folder_of_a_clone_has_the_repositorys_name(address: str, name: str, clone: Callable[[str], pathlib.Path]) -> None:
    """Every URL of a remote gives the same name, without user and password."""
    root = clone(address)
    assert origins.of_folder(str(root / "envs" / "dev")) == f"{name}//envs/dev"
    assert origins.of_folder(str(root)) == f"{name}//"


def test_every_path_to_a_folder_has_the_same_origin(
    clone: Callable[[str], pathlib.Path], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A symbolic link and a relative path lead to the same folder."""
    folder = clone("https://example.com/acme/infra") / "envs" / "dev"
    link = tmp_path / "link"
    link.symlink_to(folder)
    monkeypatch.chdir(folder.parent)
    assert {origins.of_folder(path) for path in (str(link), "dev", "./dev/", "../envs/dev")} == {
        "example.com/acme/infra//envs/dev"
    }


def test_a_work_tree_has_the_name_of_its_repository(clone: Callable[[str], pathlib.Path], tmp_path: pathlib.Path) -> None:
    """`git worktree add` writes a file with the path of the repository."""
    root = clone("https://example.com/acme/infra.git")
    private = root / ".git" / "worktrees" / "side"
    private.mkdir(parents=True)
    side = tmp_path / "side"
    (side / "envs").mkdir(parents=True)
    (side / ".git").write_text(f"gitdir: {private}\n", "utf-8")
    assert origins.of_folder(str(side / "envs")) == "example.com/acme/infra//envs"


@pytest.mark.parametrize("config", [None, "", '[remote "other"]\n\turl = https://example.com/x\n', "no sections", "\xff"])
def test_without_a_remote_the_origin_is_the_path(config: str | None, tmp_path: pathlib.Path) -> None:
    """The folder is in no clone, or in a clone with an unreadable or missing remote."""
    folder = tmp_path / "envs"
    folder.mkdir()
    if config is not None:
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git" / "config").write_text(config, "latin-1")
    assert origins.of_folder(str(folder)) == str(folder.resolve())


def test_a_file_has_the_origin_of_its_folder(clone: Callable[[str], pathlib.Path]) -> None:
    """Standard input and folders have none, so they are never pruned."""
    file = clone("https://example.com/acme/infra") / "envs" / "dev" / "network.yaml"
    file.write_text("", "utf-8")
    assert origins.of_file(str(file)) == "example.com/acme/infra//envs/dev"
    assert origins.of_file("-") == ""
    assert origins.of_file(str(file.parent)) == ""


@pytest.mark.parametrize(
    ("origin", "folder", "inside"),
    [
        ("example.com/acme//envs/dev", "example.com/acme//envs/dev", True),
        ("example.com/acme//envs/dev", "example.com/acme//envs", True),
        ("example.com/acme//envs/dev", "example.com/acme//", True),
        ("example.com/acme//envs/development", "example.com/acme//envs/dev", False),
        ("example.com/acme//envs", "example.com/acme//envs/dev", False),
        ("example.com/acme-other//envs", "example.com/acme//", False),
        ("", "example.com/acme//", False),
        ("", "", False),
    ],
)
def test_a_folder_contains_itself_and_its_subfolders(origin: str, folder: str, inside: bool) -> None:
    """A common prefix of two names is not enough, and an empty origin is in no folder."""
    assert origins.within(origin, folder) is inside
