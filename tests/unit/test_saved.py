"""Saved plans: they are read back exactly, and changes since then are reported."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
import stat
from typing import Any

import pytest

import planton
from planton import errors
from planton.config import settings
from planton.deploy import autoscalers, graph, plan, runtime, saved, steps
from planton.engine import plans, toolchain
from planton.manifest import load
from planton.schema import references
from support import mocks

NETWORK = references.Key("CivoVpc", "dev", "net")
FIREWALL = references.Key("CivoFirewall", "dev", "fw")


def _change(action: plans.Action, *differences: plans.Difference, name: str = "network") -> plans.Change:
    return plans.Change(f"urn:{name}", name, "civo:index/network:Network", action, differences)


def _step(key: references.Key = NETWORK, *changes: plans.Change) -> steps.Step:
    return steps.Step(key, f"planton/{key.name}", plans.Plan(changes, ("a warning",)))


TOOLS = toolchain.Toolchain(pathlib.Path("pulumi"), pathlib.Path(), frozenset())
KEY = b"\0" * 32
UPDATE = _step(NETWORK, _change(plans.Action.UPDATE, plans.Difference("label", "old", "new"), plans.Difference("size", 1, None)))
CREATE = _step(NETWORK, _change(plans.Action.CREATE))
NONE = _step(NETWORK)
DELETE = _step(FIREWALL, _change(plans.Action.DELETE, name="firewall"))


def _resource() -> load.Resource:
    spec = {"civoCredentialId": "default", "networkName": "net", "region": "lon1"}
    manifest = mocks.target("CivoVpc", spec, name="net", env="dev")
    return load.Resource(manifest, None, "envs/net.yaml", "lon1", origin="example.com/acme//envs")


def _write(path: pathlib.Path, *planned: steps.Step, pruned: tuple[steps.Step, ...] = ()) -> saved.Saved:
    firewall = load.Resource(
        mocks.target("CivoFirewall", {"name": "fw"}, name="fw", env="dev"), None, "", origin="example.com/acme//envs"
    )
    full_plan = plan.Plan(
        "apply",
        runtime.of(settings.Settings(environ={"PLANTON_DATA_DIR": str(path.parent)}), TOOLS),
        graph.of([_resource()]),
        planned,
        plan.Options(allow_unsupported=("description",)),
        graph.of([firewall]),
        pruned,
    )
    saved.write(str(path), full_plan, allow_replace=["CivoVpc/net"], take_over=["CivoFirewall/fw"], key=KEY)
    return saved.read(str(path), key=KEY)


def _differences(caught: pytest.ExceptionInfo[errors.PlantonError]) -> list[str]:
    assert caught.value.code is errors.Code.REFUSED
    assert caught.value.reason is errors.Reason.PLAN_STALE
    return caught.value.message.splitlines()[1:]


def test_a_saved_plan_is_read_back_unchanged(tmp_path: pathlib.Path) -> None:
    """The file has manifests, their origins, changes, and consents."""
    original = _resource()
    loaded = _write(tmp_path / "dev.plan", UPDATE, pruned=(DELETE,))
    [resource] = loaded.resources
    assert resource.manifest == original.manifest
    assert (resource.source, resource.region, resource.origin, resource.config) == (
        original.source,
        original.region,
        original.origin,
        None,
    )
    assert loaded.applied == {str(NETWORK): saved.changes(UPDATE.plan)}
    assert loaded.pruned == {str(FIREWALL): saved.changes(DELETE.plan)}
    assert (loaded.allow_replace, loaded.allow_unsupported) == (("CivoVpc/net",), ("description",))
    assert loaded.take_over == ("CivoFirewall/fw",)
    assert loaded.origins == {str(FIREWALL): "example.com/acme//envs"}
    assert loaded.created.endswith("Z")
    assert loaded.refresh


def test_a_saved_plan_is_readable_by_its_owner_only(tmp_path: pathlib.Path) -> None:
    """The file is replaced atomically, and no temporary file remains."""
    path = tmp_path / "dev.plan"
    path.write_text("older", "utf-8")
    _write(path, UPDATE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_is_an_error_and_leaves_no_file(tmp_path: pathlib.Path) -> None:
    """A folder with the name of the plan makes the write fail."""
    (tmp_path / "dev.plan").mkdir()
    with pytest.raises(errors.PlantonError, match=r"dev\.plan: it cannot be written: Is a directory") as caught:
        _write(tmp_path / "dev.plan", UPDATE)
    assert caught.value.code is errors.Code.USAGE
    assert [path.name for path in tmp_path.iterdir()] == ["dev.plan"]


def test_changes_are_comparable_data() -> None:
    """URNs and warnings are ignored; numbers stay numbers."""
    differences = [["label", "old", "new"], ["size", 1, None]]
    assert saved.changes(UPDATE.plan) == [["network", "civo:index/network:Network", "update", differences, ""]]
    assert saved.changes(NONE.plan) == []


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (None, "No such file or directory"),
        ("", "it is not a plan that planton plan --out has written"),
        ("[]", "it is not a plan that planton plan --out has written"),
        ("{}", "it is not a plan that planton plan --out has written"),
        ('{"version": 99, "planton": "9.9.9"}', "it was written by planton 9.9.9"),
        ('{"version": 3, "resources": [{"manifest": {"kind": "CivoVpc", "spec": {"no": 1}}}]}', "it is not a plan that"),
        ('{"version": 3, "resources": [{"manifest": {}}]}', "it is not a plan that"),
        ("[" * 100_000, "it is not a plan that"),
    ],
)
def test_an_invalid_plan_file_is_a_usage_error(text: str | None, cause: str, tmp_path: pathlib.Path) -> None:
    """The message has the cause, and the hint the command that creates a plan."""
    path = tmp_path / "x.plan"
    if text is not None:
        path.write_text(text, "utf-8")
    with pytest.raises(errors.PlantonError) as caught:
        saved.read(str(path), key=KEY)
    assert caught.value.code is errors.Code.USAGE
    assert f"cannot use the plan {path}: {cause}" in caught.value.message
    assert "planton plan -f DIR --out FILE" in caught.value.hint
    assert (f"for manifests: planton apply -f {path}" in caught.value.hint) is ("by planton" not in cause)


def test_a_saved_plan_has_the_version_that_wrote_it(tmp_path: pathlib.Path) -> None:
    """A later version can name the version to use."""
    _write(tmp_path / "dev.plan", UPDATE)
    data: dict[str, Any] = json.loads((tmp_path / "dev.plan").read_text("utf-8"))
    assert data["planton"] == planton.__version__


def _check(loaded: saved.Saved, planned: list[steps.Step], pruned: list[steps.Step], *scaled: autoscalers.Change) -> None:
    """Compares a saved plan with the plan of these steps."""
    run: Any = None
    now = plan.Plan("apply", run, graph.Graph(), tuple(planned), pruned=tuple(pruned), autoscalers=scaled)
    saved.check(loaded, now)


def test_another_change_of_an_autoscaler_is_a_difference(tmp_path: pathlib.Path) -> None:
    """Someone else has set its bounds meanwhile."""
    loaded = _write(tmp_path / "dev.plan", UPDATE)
    change = autoscalers.Change("dev", autoscalers.Action.UPDATE, ("workers 1 to 5 nodes",), ("args",))
    with pytest.raises(errors.PlantonError) as caught:
        _check(loaded, [UPDATE], [], change)
    assert _differences(caught) == [f"  autoscalers in clusters: planned no changes, now {change}"]


def test_an_unchanged_plan_passes_the_check(tmp_path: pathlib.Path) -> None:
    """Warnings and the order of resources may differ."""
    loaded = _write(tmp_path / "dev.plan", UPDATE, pruned=(DELETE,))
    current = steps.Step(NETWORK, "elsewhere", plans.Plan(UPDATE.plan.changes))
    _check(loaded, [current], [DELETE])


@pytest.mark.parametrize(
    ("planned", "now", "difference"),
    [
        (CREATE, NONE, "planned create network, now no changes"),
        (NONE, CREATE, "planned no changes, now create network"),
        (CREATE, UPDATE, "planned create network, now update network (label: old → new, size: 1 → (unset))"),
        (CREATE, None, "planned create network, now nothing"),
    ],
)
def test_each_difference_from_the_saved_plan_is_reported(
    planned: steps.Step, now: steps.Step | None, difference: str, tmp_path: pathlib.Path
) -> None:
    """The error shows the planned and the current change. Nothing is applied."""
    loaded = _write(tmp_path / "dev.plan", planned)
    with pytest.raises(errors.PlantonError) as caught:
        _check(loaded, [now] if now else [], [])
    assert _differences(caught) == [f"  {NETWORK}: {difference}"]


def test_other_inputs_of_a_creation_are_a_difference(tmp_path: pathlib.Path) -> None:
    """A plan does not show the inputs of a creation. Otherwise a reference with a new value would pass."""
    loaded = _write(tmp_path / "dev.plan", _step(NETWORK, dataclasses.replace(CREATE.plan.changes[0], inputs="a" * 64)))
    with pytest.raises(errors.PlantonError) as caught:
        _check(loaded, [_step(NETWORK, dataclasses.replace(CREATE.plan.changes[0], inputs="b" * 64))], [])
    assert _differences(caught) == [f"  {NETWORK}: planned create network, now the same with other inputs"]


def test_a_modified_plan_has_no_valid_signature(tmp_path: pathlib.Path) -> None:
    """A signature needs the key of the user. A plan of another machine has another key."""
    path = tmp_path / "dev.plan"
    assert _write(path, CREATE).is_signed
    original = path.read_text("utf-8")
    path.write_text(original.replace("lon1", "fra1"), "utf-8")
    assert not saved.read(str(path), key=KEY).is_signed
    data = json.loads(original)
    data["allowReplace"].append("CivoKubernetesCluster/dev")
    data["digest"] = hashlib.sha256(json.dumps({**data, "digest": None}, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(data), "utf-8")
    assert not saved.read(str(path), key=KEY).is_signed
    path.write_text(original, "utf-8")
    assert not saved.read(str(path), key=b"\1" * 32).is_signed


def test_the_signing_key_is_created_once_per_data_folder(tmp_path: pathlib.Path) -> None:
    """Only its owner can read it, and a damaged key is an error."""
    key = saved.signing_key(tmp_path / "a")
    assert len(key) == 32
    assert saved.signing_key(tmp_path / "a") == key != saved.signing_key(tmp_path / "b")
    path = tmp_path / "a" / "plan-key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for content in ("", "zz", key.hex()[:-2]):
        path.write_text(content, "utf-8")
        with pytest.raises(errors.PlantonError, match=r"plan-key, is damaged"):
            saved.signing_key(tmp_path / "a")


def test_another_value_is_a_difference(tmp_path: pathlib.Path) -> None:
    """The resource and the property are the same."""
    loaded = _write(tmp_path / "dev.plan", UPDATE)
    other = _step(
        NETWORK, _change(plans.Action.UPDATE, plans.Difference("label", "old", "newer"), plans.Difference("size", 1, None))
    )
    with pytest.raises(errors.PlantonError) as caught:
        _check(loaded, [other], [])
    [line] = _differences(caught)
    assert line.endswith("now update network (label: old → newer, size: 1 → (unset))")


def test_a_new_deletion_is_a_difference(tmp_path: pathlib.Path) -> None:
    """The saved plan did not contain it."""
    loaded = _write(tmp_path / "dev.plan", NONE)
    with pytest.raises(errors.PlantonError) as caught:
        _check(loaded, [NONE], [DELETE])
    assert _differences(caught) == [f"  {FIREWALL}: planned nothing, now delete firewall"]
