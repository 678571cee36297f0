"""The link checker: relative links and anchors of committed Markdown files."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

TOOL = pathlib.Path(__file__).resolve().parents[1] / "tools" / "links.py"


@pytest.fixture
def repository(tmp_path: pathlib.Path) -> pathlib.Path:
    """Returns a git repository with a page and a folder."""
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text("# A page\n\n## Use `--yes`, twice\n\n## Same\n\n## Same\n", "utf-8")
    return tmp_path


def _check(root: pathlib.Path, text: str) -> tuple[int, str]:
    (root / "README.md").write_text(text, "utf-8")
    completed = subprocess.run([sys.executable, str(TOOL), str(root)], capture_output=True, text=True, check=False)
    return completed.returncode, completed.stdout


@pytest.mark.parametrize(
    "link",
    [
        "docs",
        "docs/page.md",
        "docs/page.md#use---yes-twice",
        "docs/page.md#same-1",
        "#top",
        "https://example.com/#anything",
    ],
)
def test_a_link_with_a_target_passes(repository: pathlib.Path, link: str) -> None:
    """Targets are files, folders, headings and repeated headings. URLs are not fetched."""
    assert _check(repository, f"# Top\n\nSee [it]({link}).\n") == (0, "")


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("docs/absent.md", "no such file"),
        ("docs/page.md#absent", "no such heading"),
        ("#absent", "no such heading"),
        ("docs#absent", "no such heading"),
        ("../outside.md", "points outside the repository"),
        ("http://example.com", "use https"),
    ],
)
def test_a_broken_link_is_reported_with_its_line(repository: pathlib.Path, link: str, reason: str) -> None:
    """The report has file, line, link and reason."""
    assert _check(repository, f"# Top\n\nSee [it]({link}).\n") == (1, f"README.md:3: {link}: {reason}\n")


def test_a_reference_definition_is_checked(repository: pathlib.Path) -> None:
    """The target is separate from the text of the link."""
    assert _check(repository, "See [it].\n\n[it]: absent.md\n") == (1, "README.md:3: absent.md: no such file\n")


def test_links_in_code_and_comments_are_not_checked(repository: pathlib.Path) -> None:
    """Examples may have links without a target."""
    text = "`[a](b.md)`\n\n```md\n[a](b.md)\n```\n\n<!-- [a](b.md) -->\n"
    assert _check(repository, text) == (0, "")


def test_ignored_files_are_not_checked(repository: pathlib.Path) -> None:
    """Packages of other languages contain their own pages."""
    (repository / ".gitignore").write_text("node_modules\n", "utf-8")
    (repository / "node_modules").mkdir()
    (repository / "node_modules" / "page.md").write_text("[a](b.md)\n", "utf-8")
    assert _check(repository, "text\n") == (0, "")
