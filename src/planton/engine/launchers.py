"""Launchers beside Pulumi's command line: of dynamic resources, and of a language host where the command line has none."""

from __future__ import annotations

import pathlib
import shlex
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DYNAMIC = "pulumi-resource-pulumi-python"
LANGUAGE_HOST = "pulumi-language-python"
_DYNAMIC_TEXT = '#!/bin/sh\nexec "${PULUMI_PYTHON_CMD:-python3}" -u -m pulumi.dynamic "$@"\n'
#: The active virtual environment runs the program, else the one of this command, else any.
_LANGUAGE_HOST_TEXT = """#!/bin/sh
python=${{PULUMI_PYTHON_CMD:-${{VIRTUAL_ENV:+$VIRTUAL_ENV/bin/python}}}}
[ "$python" ] || python={python}
[ -x "$python" ] || python=python3
exec "$python" -u -m planton.engine.language_host "$@"
"""


def write_dynamic(folder: pathlib.Path) -> pathlib.Path:
    """Writes the launcher of dynamic resources into a folder, and returns it."""
    return _write(folder / DYNAMIC, _DYNAMIC_TEXT)


def write_language_host(folder: pathlib.Path) -> pathlib.Path:
    """Writes the launcher of planton's language host into a folder, and returns it."""
    return _write(folder / LANGUAGE_HOST, _LANGUAGE_HOST_TEXT.format(python=shlex.quote(sys.executable)))


def _write(path: pathlib.Path, text: str) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(0o755)
    return path


def language_host(pulumi: pathlib.Path, own: pathlib.Path, environ: Mapping[str, str]) -> pathlib.Path | None:
    """Returns the language host that a command line uses for ``pulumi up``; None if it has none.

    Args:
        pulumi: The command line.
        own: The folder of planton's launchers.
        environ: The environment.
    """
    adjacent = pulumi.resolve().parent / LANGUAGE_HOST
    path = shutil.which(LANGUAGE_HOST, path=environ.get("PATH"))
    if adjacent.is_file() or path is None:
        written = own / LANGUAGE_HOST
        return adjacent if adjacent.is_file() else written if written.is_file() else None
    return pathlib.Path(path)
