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


def changed(folder: pathlib.Path, changes: dict[str, tuple[str, ...]]) -> pathlib.Path:
    """Returns the image of the protos with some texts replaced: name → file, old text, new text."""
    for part in ("proto", ".cache/proto"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy(ROOT / "buf.yaml", folder)
    for file, old, new, *_ in changes.values():
        path = folder / file
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} does not occur exactly once in {file}"
        path.write_text(text.replace(old, new), "utf-8")
    image = folder / "now.binpb"
    TOOL.build(folder, image)
    return image


#: Name → file, old text, new text, part of the report, part of the line in `tests/wire/fields.txt`.
BREAKING = {
    "renumbered": (
        *(POOL, "string node_pool_name = 1 ", "string node_pool_name = 50 "),
        *('field "1" with name "node_pool_name"', "PoolSpec | 1 | node_pool_name |"),
    ),
    "renamed": (
        *(POOL, "repeated string tags = 8;", "repeated string marks = 8;"),
        *('changed option "json_name" from "tags" to "marks"', "PoolSpec | 8 | tags |"),
    ),
    "another-type": (
        *(POOL, "uint32 node_count = 4 ", "string node_count = 4 "),
        *('changed type from "uint32" to "string"', "PoolSpec | 4 | node_count |"),
    ),
    "deleted": (POOL, "bool public_ip = 102;", "", 'field "102" with name "public_ip"', "PoolSpec | 102 | public_ip |"),
    "enum-value-renamed": (
        *(REGION, "  lon1 = 1 ", "  london = 1 "),
        *('changed name from "lon1" to "london"', "CivoRegion | 1 | lon1"),
    ),
    "api-renumbered": (
        *(API, "repeated NodePool nodepools = 1;", "repeated NodePool nodepools = 9;"),
        *('field "1" with name "nodepools"', "ListNodePoolsResponse | 1 | nodepools |"),
    ),
    "policies-renumbered": (POLICY, "string path = 6;", "string path = 7;", 'field "6" with name "path"', " | 6 | path |"),
}
COMPATIBLE = {
    "field-added": (POOL, "repeated string tags = 8;", "repeated string tags = 8;\n  // A new one.\n  string new_field = 99;"),
    "field-reserved": (POOL, "bool public_ip = 102;", 'reserved 102;\n  reserved "public_ip";'),
    "presence-removed": (API, "optional int32 offset = 2 ", "int32 offset = 2 "),
    "enum-value-added": (REGION, "  lon2 = 2 ", "  new9 = 99;\n  // London, second site (`LON2`).\n  lon2 = 2 "),
}


@pytest.fixture(scope="module")
def breaking_image(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Returns the image of the protos with every breaking change."""
    return changed(tmp_path_factory.mktemp("broken"), BREAKING)


@pytest.fixture(scope="module")
def reported(before: pathlib.Path, breaking_image: pathlib.Path) -> list[str]:
    """Returns the reported breaking changes."""
    lines: list[str] = TOOL.breaking(before, breaking_image)
    return lines


@pytest.mark.parametrize("name", BREAKING)
def test_a_breaking_change_is_refused(name: str, reported: list[str], breaking_image: pathlib.Path) -> None:
    """The error names the file and the old declaration. The recorded line detects it in every later commit."""
    file, _, _, text, record = BREAKING[name]
    assert any(text in line and pathlib.Path(file).name in line for line in reported), reported
    assert len([line for line in wire.removed(breaking_image) if record in f"{line} |"]) == 1


def test_each_breaking_change_removes_exactly_one_recorded_line(breaking_image: pathlib.Path) -> None:
    """Each missing line belongs to one of the changes."""
    assert len(wire.removed(breaking_image)) == len(BREAKING)


def test_compatible_changes_are_accepted(before: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """These are the allowed ways to evolve the schema."""
    image = changed(tmp_path, COMPATIBLE)
    assert TOOL.breaking(before, image) == []
    assert wire.removed(image) == []
