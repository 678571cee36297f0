"""Schema evolution (docs/extend/schema-evolution.md): breaking changes are refused, compatible ones are accepted."""

from __future__ import annotations

import importlib.util
import pathlib
import shutil
from typing import Any

import pytest

from support import wire

ROOT = pathlib.Path(__file__).resolve().parents[1]
POOL = "proto/org/project_planton/provider/civo/civokubernetesnodepool/v1/spec.proto"
REGION = "proto/org/project_planton/provider/civo/region.proto"
API = "proto/org/project_planton/nodepool/v1/service.proto"
POLICY = "proto/org/project_planton/policy/v1/policy.proto"


def _tool() -> Any:
    spec = importlib.util.spec_from_file_location("buf_breaking", ROOT / "tools" / "buf_breaking.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = _tool()


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Returns the image of the current protos."""
    image: pathlib.Path = tmp_path_factory.mktemp("before") / "before.binpb"
    TOOL.build(ROOT, image)
    return image


def changed(folder: pathlib.Path, file: str, old: str, new: str) -> pathlib.Path:
    """Returns the image of the protos with one text in one file replaced."""
    for part in ("proto", ".cache/proto"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy(ROOT / "buf.yaml", folder)
    path = folder / file
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} does not occur exactly once in {file}"
    path.write_text(text.replace(old, new), "utf-8")
    image = folder / "now.binpb"
    TOOL.build(folder, image)
    return image


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (POOL, "string node_pool_name = 1 ", "string node_pool_name = 50 ", 'field "1" with name "node_pool_name"'),
        (
            POOL,
            "string node_pool_name = 1 ",
            "string pool_name = 1 ",
            'changed option "json_name" from "nodePoolName" to "poolName"',
        ),
        (POOL, "uint32 node_count = 4 ", "string node_count = 4 ", 'changed type from "uint32" to "string"'),
        (POOL, "bool public_ip = 102;", "", 'field "102" with name "public_ip"'),
        (REGION, "  lon1 = 1 ", "  london = 1 ", 'changed name from "lon1" to "london"'),
        (API, "repeated NodePool nodepools = 1;", "repeated NodePool nodepools = 9;", 'field "1" with name "nodepools"'),
        (POLICY, "string path = 6;", "string path = 7;", 'field "6" with name "path"'),
    ],
    ids=["renumbered", "renamed", "another-type", "deleted", "enum-value-renamed", "api-renumbered", "policies-renumbered"],
)
def test_a_breaking_change_is_refused(
    file: str, old: str, new: str, message: str, before: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """The error names the file and the old declaration. The recorded line detects it in every later commit."""
    image = changed(tmp_path, file, old, new)
    changes = TOOL.breaking(before, image)
    assert changes
    assert any(message in line and pathlib.Path(file).name in line for line in changes), changes
    assert len(wire.removed(image)) == 1


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (POOL, "bool public_ip = 102;", "bool public_ip = 102;\n  // A new one.\n  string new_field = 99;"),
        (POOL, "bool public_ip = 102;", 'reserved 102;\n  reserved "public_ip";'),
        (API, "optional int32 offset = 2 ", "int32 offset = 2 "),
        (REGION, "  lon2 = 2 ", "  new9 = 99;\n  // London, second site (`LON2`).\n  lon2 = 2 "),
    ],
    ids=["field-added", "field-reserved", "presence-taken", "enum-value-added"],
)
def test_a_compatible_change_is_accepted(file: str, old: str, new: str, before: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """These are the allowed ways to evolve the schema."""
    image = changed(tmp_path, file, old, new)
    assert TOOL.breaking(before, image) == []
    assert wire.removed(image) == []
