"""How the schema may evolve (docs/extend/schema-evolution.md): what breaks a manifest or a stored message is caught, what does not is let pass."""

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
    """Returns the image of the protos as they are."""
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
    assert text.count(old) == 1, f"{old!r} is not once in {file}"
    path.write_text(text.replace(old, new), "utf-8")
    image = folder / "now.binpb"
    TOOL.build(folder, image)
    return image


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
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
def test_what_breaks_is_caught(file: str, old: str, new: str, said: str, before: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Each is told with the file, and with what was there; and in every later commit by the line that is kept of it."""
    image = changed(tmp_path, file, old, new)
    found = TOOL.breaking(before, image)
    assert found
    assert any(said in line and pathlib.Path(file).name in line for line in found), found
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
def test_what_breaks_nobody_passes(file: str, old: str, new: str, before: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The ways in which the schema does evolve are not in the way of themselves."""
    image = changed(tmp_path, file, old, new)
    assert TOOL.breaking(before, image) == []
    assert wire.removed(image) == []
