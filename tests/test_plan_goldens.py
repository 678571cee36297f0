"""The plans of the corpus: resources, arguments and options, recorded next to each manifest.

``UPDATE_GOLDENS=1 pytest tests/test_plan_goldens.py`` rewrites them. Review the difference before the commit.
"""

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest
import yaml

from planton.schema import kinds
from support import corpus, mocks

MANIFESTS = corpus.plan_manifests()


def _as_data(value: Any) -> Any:  # YAML data
    if isinstance(value, mocks.Secret):
        return f"[secret] {value.value}"
    if isinstance(value, dict):
        return {key: _as_data(item) for key, item in value.items()}
    return [_as_data(item) for item in value] if isinstance(value, list) else value


def _golden(planned: mocks.Planned) -> str:
    data: dict[str, Any] = {
        "resources": {
            name: {"type": resource.type, "arguments": _as_data(resource.inputs), "options": resource.options}
            for name, resource in planned.resources.items()
        },
        "outputs": _as_data(planned.outputs),
        "warnings": planned.warnings,
    }
    return yaml.safe_dump(data, sort_keys=False, width=1000, allow_unicode=True)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_manifest_is_planned_as_recorded(path: pathlib.Path) -> None:
    """Every change of a plan is a difference in a file."""
    golden = path.with_suffix(".golden.yaml")
    recorded = _golden(mocks.plan(mocks.stack_input(corpus.read(path))))
    if os.environ.get("UPDATE_GOLDENS"):
        golden.write_text(recorded, "utf-8")
    assert golden.is_file(), f"record it: UPDATE_GOLDENS=1 pytest {pathlib.Path(__file__).name}"
    assert yaml.safe_load(recorded) == yaml.safe_load(golden.read_text("utf-8"))


def test_every_kind_with_a_module_has_recorded_plans() -> None:
    """Otherwise changes of its module would not be noticed."""
    recorded = {path.parts[-3] for path in MANIFESTS}
    assert {kind.name for kind in kinds.all_kinds()} <= recorded
