"""The names of folders: one for all clones of a repository, without anybody's password."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from planton.manifest import origins


@pytest.fixture(autouse=True)
def _unknown_folders() -> None:
    """No folder of another test is remembered, whose path from where the user is may be the same."""
    origins.of_folder.cache_clear()


@pytest.fixture
def clone(tmp_path: pathlib.Path) -> Callable[[str], pathlib.Path]:
    """Makes a clone whose remote has an address, with the folder ``envs/dev``; the address is what git has in its file."""

    def make(address: str) -> pathlib.Path:
        git = tmp_path / "clone" / ".git"
        git.mkdir(parents=True)
        (git / "config").write_text(f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {address}\n', "utf-8")
        (tmp_path / "clone" / "envs" / "dev").mkdir(parents=True)
        return tmp_path / "clone"

    return make


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
    """However the clone was made, the name is the same, and shows neither user nor password."""
    root = clone(address)
    assert origins.of_folder(str(root / "envs" / "dev")) == f"{name}//envs/dev"
    assert origins.of_folder(str(root)) == f"{name}//"


def test_the_way_to_a_folder_does_not_matter(
    clone: Callable[[str], pathlib.Path], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link, and a path from where the user is, mean the same folder."""
    folder = clone("https://example.com/acme/infra") / "envs" / "dev"
    link = tmp_path / "link"
    link.symlink_to(folder)
    monkeypatch.chdir(folder.parent)
    assert {origins.of_folder(path) for path in (str(link), "dev", "./dev/", "../envs/dev")} == {
        "example.com/acme/infra//envs/dev"
    }


def test_a_work_tree_has_the_name_of_its_repository(clone: Callable[[str], pathlib.Path], tmp_path: pathlib.Path) -> None:
    """`git worktree add` leaves a file that says where the repository is."""
    root = clone("https://example.com/acme/infra.git")
    private = root / ".git" / "worktrees" / "side"
    private.mkdir(parents=True)
    side = tmp_path / "side"
    (side / "envs").mkdir(parents=True)
    (side / ".git").write_text(f"gitdir: {private}\n", "utf-8")
    assert origins.of_folder(str(side / "envs")) == "example.com/acme/infra//envs"


@pytest.mark.parametrize("config", [None, "", '[remote "other"]\n\turl = https://example.com/x\n', "no sections", "\xff"])
def test_without_a_remote_the_name_is_the_path(config: str | None, tmp_path: pathlib.Path) -> None:
    """A folder that is in no clone, or in one that came from nowhere or cannot be read."""
    folder = tmp_path / "envs"
    folder.mkdir()
    if config is not None:
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git" / "config").write_text(config, "latin-1")
    assert origins.of_folder(str(folder)) == str(folder.resolve())


def test_a_file_is_in_its_folder_and_standard_input_in_none(clone: Callable[[str], pathlib.Path]) -> None:
    """What is no file belongs to no folder, so nothing prunes it."""
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
def test_a_folder_holds_itself_and_what_is_below_it(origin: str, folder: str, inside: bool) -> None:
    """A name that begins alike is another folder; what came from no folder is in none."""
    assert origins.within(origin, folder) is inside
