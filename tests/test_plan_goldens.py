"""The plans of the corpus: resources, arguments and options, recorded beside each manifest.

``UPDATE_GOLDENS=1 pytest tests/test_plan_goldens.py`` writes them anew; read the difference before it is committed.
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


def _shown(value: Any) -> Any:  # YAML data
    if isinstance(value, mocks.Secret):
        return f"[secret] {value.value}"
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value


def _golden(planned: mocks.Planned) -> str:
    data: dict[str, Any] = {
        "resources": {
            name: {"type": resource.type, "arguments": _shown(resource.inputs), "options": resource.options}
            for name, resource in planned.resources.items()
        },
        "outputs": _shown(planned.outputs),
        "warnings": planned.warnings,
    }
    return yaml.safe_dump(data, sort_keys=False, width=1000, allow_unicode=True)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_manifest_is_planned_as_recorded(path: pathlib.Path) -> None:
    """Whatever changes in a plan shows up as a difference of a file."""
    golden = path.with_suffix(".golden.yaml")
    found = _golden(mocks.plan(mocks.stack_input(corpus.read(path))))
    if os.environ.get("UPDATE_GOLDENS"):
        golden.write_text(found, "utf-8")
    assert golden.is_file(), f"record it: UPDATE_GOLDENS=1 pytest {pathlib.Path(__file__).name}"
    assert yaml.safe_load(found) == yaml.safe_load(golden.read_text("utf-8"))


def test_every_kind_with_a_module_has_recorded_plans() -> None:
    """A module without a recorded plan changes unseen."""
    recorded = {path.parts[-3] for path in MANIFESTS}
    assert {kind.name for kind in kinds.all_kinds()} <= recorded
