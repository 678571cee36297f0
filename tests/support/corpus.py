"""The `plan` folders of the corpus: manifests whose plans are recorded."""

from __future__ import annotations

import pathlib
from typing import Any

import yaml
from google.protobuf import json_format

from planton import kinds

KINDS = pathlib.Path(__file__).resolve().parents[1] / "kinds"


def plan_manifests(kind: str = "*") -> list[pathlib.Path]:
    """Returns the manifests of one kind or of all, by name."""
    return [path for path in sorted(KINDS.glob(f"{kind}/plan/*.yaml")) if not path.name.endswith(".golden.yaml")]


def read(path: pathlib.Path) -> Any:  # a manifest of any kind
    """Returns a manifest; nothing is applied to it and nothing is checked."""
    data = yaml.safe_load(path.read_text("utf-8"))
    return json_format.ParseDict(data, kinds.get(data["kind"]).message())
