"""planton runs on Linux and macOS: outside of the sandbox, nothing calls what only Linux has."""

from __future__ import annotations

import ast
import pathlib
import re
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCES = sorted(path for package in ("planton", "planton_server") for path in (ROOT / "src" / package).rglob("*.py"))
#: Names of the standard library that only Linux has.
NAMES = {
    *("CLONE_NEWNS", "EFD_NONBLOCK", "O_DIRECT", "O_PATH", "O_TMPFILE", "SCHED_BATCH", "SOCK_CLOEXEC", "SO_BINDTODEVICE"),
    *("epoll", "eventfd", "getrandom", "memfd_create", "pidfd_open", "pidfd_send_signal", "posix_fadvise", "prctl", "prlimit"),
    *(
        "sched_getaffinity",
        "sched_setaffinity",
        "setresuid",
        "sigtimedwait",
        "sigwaitinfo",
        "splice",
        "timerfd_create",
        "unshare",
    ),
}
#: Text of paths that only Linux has, or that platformdirs decides.
PATHS = re.compile(r"^/(proc|sys|dev/shm|run)/|/\.(cache|config|local)/")
#: A file without such a text is not parsed.
_SIGNS = re.compile(rf"{'|'.join(NAMES)}|/(proc|sys|dev/shm|run)/|/\.(cache|config|local)/")
#: Function → why it may name such a path: it has an answer for systems without it.
EXCEPTIONS = {
    "confined._taken": "a usual size",
    "locks._began": "only the id of a process is checked",
    "locks._is_engine": "a running process counts as an engine",
}


def _uses(path: pathlib.Path) -> Iterator[str]:
    text = path.read_text("utf-8")
    if not _SIGNS.search(text):
        return
    tree = ast.parse(text)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for function in ast.walk(tree):
        if not isinstance(function, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        name = f"{path.stem}.{getattr(function, 'name', '')}"
        for node in _own(function):
            value = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if id(node) not in docstrings and PATHS.search(value):
                yield name
            if isinstance(node, ast.Attribute) and node.attr in NAMES:
                yield f"{name}: {node.attr}"


def _own(function: ast.AST) -> Iterator[ast.AST]:
    # Without the functions inside, which are looked at on their own.
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from _own(node)


def test_nothing_calls_what_only_linux_has() -> None:
    """The user's folders come from platformdirs. Each exception has an answer for other systems."""
    used = {use for path in SOURCES for use in _uses(path)}
    assert used == set(EXCEPTIONS)


@pytest.mark.parametrize("text", ["os.sched_getaffinity(0)", "open('/proc/meminfo')", "home / '.x' / 'a/.cache/b'"])
def test_the_check_finds_such_calls(text: str, tmp_path: pathlib.Path) -> None:
    """Names of modules, files of the kernel, and folders of one system."""
    path = tmp_path / "code.py"
    path.write_text(f"def work(home):\n    return {text}\n", "utf-8")
    assert len(list(_uses(path))) == 1


def test_the_lock_file_is_for_every_platform() -> None:
    """It is resolved for all systems and processors, and no package of it is for one system alone."""
    assert re.search(r"uv pip compile .*--universal .*--generate-hashes", (ROOT / "Makefile").read_text("utf-8"))
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    markers = re.findall(r"(?m)^[A-Za-z0-9._-]+==\S+ ; (.*?) \\\\$", lock)
    assert not [marker for marker in markers if re.search(r"sys_platform == .(linux|darwin)|platform_machine ==", marker)]
