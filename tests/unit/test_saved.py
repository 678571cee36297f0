"""Saved plans: what is written is read again, exactly, and what has changed since is told."""

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
from planton.deploy import graph, plan, runtime, saved, steps
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
    made = plan.Plan(
        "apply",
        runtime.of(settings.Settings(environ={"PLANTON_DATA_DIR": str(path.parent)}), TOOLS),
        graph.of([_resource()]),
        planned,
        plan.Options(allow_unsupported=("description",)),
        graph.of([firewall]),
        pruned,
    )
    saved.write(str(path), made, allow_replace=["CivoVpc/net"], take_over=["CivoFirewall/fw"], key=KEY)
    return saved.read(str(path), key=KEY)


def _told(caught: pytest.ExceptionInfo[errors.PlantonError]) -> list[str]:
    assert caught.value.code is errors.Code.REFUSED
    assert caught.value.reason is errors.Reason.PLAN_STALE
    return caught.value.message.splitlines()[1:]


def test_what_is_written_is_read_again(tmp_path: pathlib.Path) -> None:
    """Manifests, where they came from, changes and consents survive the file."""
    given = _resource()
    found = _write(tmp_path / "dev.plan", UPDATE, pruned=(DELETE,))
    [resource] = found.resources
    assert resource.manifest == given.manifest
    assert (resource.source, resource.region, resource.origin, resource.config) == (
        given.source,
        given.region,
        given.origin,
        None,
    )
    assert found.applied == {str(NETWORK): saved.changes(UPDATE.plan)}
    assert found.pruned == {str(FIREWALL): saved.changes(DELETE.plan)}
    assert (found.allow_replace, found.allow_unsupported) == (("CivoVpc/net",), ("description",))
    assert found.take_over == ("CivoFirewall/fw",)
    assert found.origins == {str(FIREWALL): "example.com/acme//envs"}
    assert found.created.endswith("Z")
    assert found.refresh


def test_a_plan_is_for_its_owner_alone_and_leaves_nothing_beside_it(tmp_path: pathlib.Path) -> None:
    """It is written whole, over an older one too."""
    path = tmp_path / "dev.plan"
    path.write_text("older", "utf-8")
    _write(path, UPDATE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_says_why_and_leaves_nothing(tmp_path: pathlib.Path) -> None:
    """A folder stands where the plan should be."""
    (tmp_path / "dev.plan").mkdir()
    with pytest.raises(errors.PlantonError, match=r"dev\.plan: it cannot be written: Is a directory") as caught:
        _write(tmp_path / "dev.plan", UPDATE)
    assert caught.value.code is errors.Code.USAGE
    assert [path.name for path in tmp_path.iterdir()] == ["dev.plan"]


def test_changes_are_data_that_can_be_compared() -> None:
    """Neither the engine's names nor warnings count; numbers stay numbers."""
    differences = [["label", "old", "new"], ["size", 1, None]]
    assert saved.changes(UPDATE.plan) == [["network", "civo:index/network:Network", "update", differences, ""]]
    assert saved.changes(NONE.plan) == []


@pytest.mark.parametrize(
    ("text", "why"),
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
def test_what_is_no_plan_is_refused(text: str | None, why: str, tmp_path: pathlib.Path) -> None:
    """The user learns what is wrong with the file, and how to make a plan."""
    path = tmp_path / "x.plan"
    if text is not None:
        path.write_text(text, "utf-8")
    with pytest.raises(errors.PlantonError) as caught:
        saved.read(str(path), key=KEY)
    assert caught.value.code is errors.Code.USAGE
    assert f"cannot use the plan {path}: {why}" in caught.value.message
    assert "planton plan -f DIR --out FILE" in caught.value.hint
    assert (f"for manifests: planton apply -f {path}" in caught.value.hint) is ("by planton" not in why)


def test_a_plan_names_the_version_that_wrote_it(tmp_path: pathlib.Path) -> None:
    """So that a later version can say which one understands it."""
    _write(tmp_path / "dev.plan", UPDATE)
    data: dict[str, Any] = json.loads((tmp_path / "dev.plan").read_text("utf-8"))
    assert data["planton"] == planton.__version__


def test_what_would_happen_as_planned_may_happen(tmp_path: pathlib.Path) -> None:
    """Warnings and the order of resources may differ."""
    found = _write(tmp_path / "dev.plan", UPDATE, pruned=(DELETE,))
    again = steps.Step(NETWORK, "elsewhere", plans.Plan(UPDATE.plan.changes))
    saved.check(found, [again], [DELETE])


@pytest.mark.parametrize(
    ("planned", "now", "told"),
    [
        (CREATE, NONE, "planned create network, now no changes"),
        (NONE, CREATE, "planned no changes, now create network"),
        (CREATE, UPDATE, "planned create network, now update network (label: old → new, size: 1 → None)"),
        (CREATE, None, "planned create network, now nothing"),
    ],
)
def test_each_difference_is_told(planned: steps.Step, now: steps.Step | None, told: str, tmp_path: pathlib.Path) -> None:
    """What was planned stands beside what would happen now, and nothing is done."""
    found = _write(tmp_path / "dev.plan", planned)
    with pytest.raises(errors.PlantonError) as caught:
        saved.check(found, [now] if now else [], [])
    assert _told(caught) == [f"  {NETWORK}: {told}"]


def test_what_is_made_of_something_else_is_a_difference(tmp_path: pathlib.Path) -> None:
    """A plan shows nothing of what a creation is made with, so a reference that leads elsewhere by now would pass unseen."""
    found = _write(tmp_path / "dev.plan", _step(NETWORK, dataclasses.replace(CREATE.plan.changes[0], inputs="a" * 64)))
    with pytest.raises(errors.PlantonError) as caught:
        saved.check(found, [_step(NETWORK, dataclasses.replace(CREATE.plan.changes[0], inputs="b" * 64))], [])
    assert _told(caught) == [f"  {NETWORK}: planned create network, now the same with other inputs"]


def test_a_file_that_somebody_has_changed_is_not_signed(tmp_path: pathlib.Path) -> None:
    """Whoever changes it does not have the key, whatever digest they write; one of another machine is signed with another key."""
    path = tmp_path / "dev.plan"
    assert _write(path, CREATE).is_signed
    whole = path.read_text("utf-8")
    path.write_text(whole.replace("lon1", "fra1"), "utf-8")
    assert not saved.read(str(path), key=KEY).is_signed
    data = json.loads(whole)
    data["allowReplace"].append("CivoKubernetesCluster/dev")
    data["digest"] = hashlib.sha256(json.dumps({**data, "digest": None}, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(data), "utf-8")
    assert not saved.read(str(path), key=KEY).is_signed
    path.write_text(whole, "utf-8")
    assert not saved.read(str(path), key=b"\1" * 32).is_signed


def test_the_key_is_made_once_and_only_the_user_can_read_it(tmp_path: pathlib.Path) -> None:
    """Each data folder has its own; one that is damaged is named."""
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
    """The same resource and the same property, but something else."""
    found = _write(tmp_path / "dev.plan", UPDATE)
    other = _step(
        NETWORK, _change(plans.Action.UPDATE, plans.Difference("label", "old", "newer"), plans.Difference("size", 1, None))
    )
    with pytest.raises(errors.PlantonError) as caught:
        saved.check(found, [other], [])
    [line] = _told(caught)
    assert line.endswith("now update network (label: old → newer, size: 1 → None)")


def test_what_would_be_pruned_now_was_not_planned(tmp_path: pathlib.Path) -> None:
    """Nothing is destroyed that nobody has seen."""
    found = _write(tmp_path / "dev.plan", NONE)
    with pytest.raises(errors.PlantonError) as caught:
        saved.check(found, [NONE], [DELETE])
    assert _told(caught) == [f"  {FIREWALL}: planned nothing, now delete firewall"]
