"""The `plan` folders of the corpus: manifests whose plans are recorded."""

from __future__ import annotations

import pathlib
from typing import Any

from planton.manifest import load

KINDS = pathlib.Path(__file__).resolve().parents[1] / "kinds"


def plan_manifests(kind: str = "*") -> list[pathlib.Path]:
    """Returns the manifests of one kind, or of all kinds, sorted by name."""
    return [path for path in sorted(KINDS.glob(f"{kind}/plan/*.yaml")) if not path.name.endswith(".golden.yaml")]


def read(path: pathlib.Path) -> Any:
    """Returns a manifest as a module receives it: valid, with its defaults."""
    [document] = load.load([str(path)])
    return document.message
