"""What a plan and a result look like: properties, replacements with their costs, and numbers that equal the lines."""

from __future__ import annotations

import re
from typing import Any

import pytest

from planton import errors
from planton.cli import money, plan_data, plans
from planton.deploy import autoscalers, costs, losses, steps
from planton.engine import plans as engine_plans
from planton.engine import recorders
from planton.schema import kinds, references
from support import events

POOL_KEY = references.Key("CivoKubernetesNodePool", "dev", "workers")
CLUSTER_KEY = references.Key("CivoKubernetesCluster", "dev", "dev")
INPUTS = {
    "label": "workers",
    "clusterId": engine_plans.ENGINE_UNKNOWN,
    "size": "g4s.kube.small",
    "nodeCount": 2,
    "labels": {"role": "web"},
    "taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}],
    "region": "LON1",
    "publicIpNodePool": True,
    "__defaults": [],
}


def _plan(*listed: Any) -> engine_plans.Plan:
    recorder = recorders.Recorder()
    for event in listed:
        recorder(event)
    return recorder.plan()


def _step(key: references.Key, plan: engine_plans.Plan, **more: Any) -> steps.Step:
    return steps.Step(key, "planton/dev.x", plan, **more)


def _plan_text(listed: list[steps.Step], **options: bool) -> list[str]:
    return _text([line.styled() for line in plans.lines(listed, **options)])


def _text(lines: list[str]) -> list[str]:
    return [re.sub("\x1b[0-9a-f]{16}\\[[0-9;]*m", "", line) for line in lines]


CREATION = _plan(events.begins("create", events.POOL, "node_pool", new=INPUTS))


def test_a_creation_shows_what_matters() -> None:
    """The module declares which properties matter, and in which order."""
    lines = _plan_text([_step(POOL_KEY, CREATION)])
    assert lines == [
        f"{POOL_KEY}  [planton/dev.x]",
        "  + create node_pool  (KubernetesNodePool)",
        "      label: workers",
        "      clusterId: (known after apply)",
        "      size: g4s.kube.small",
        "      nodeCount: 2",
        "      labels.role: web",
        "      taints[0]: key=a value=b effect=NoSchedule",
        "      publicIpNodePool: true",
    ]


def test_all_properties_are_shown_on_request() -> None:
    """Except for those that the engine keeps for itself; JSON always has them all."""
    lines = _plan_text([_step(POOL_KEY, CREATION)], show_all=True)
    assert "      region: LON1" in lines
    assert not [line for line in lines if "__defaults" in line]
    [change] = plan_data.of_step(_step(POOL_KEY, CREATION))["changes"]
    assert change["properties"]["region"] == "LON1"
    assert change["properties"]["taints[0].key"] == "a"


def test_an_update_shows_every_field_and_never_none() -> None:
    """An unset value has a word."""
    old = INPUTS | {"labels": {"role": "web"}, "nodeCount": 2}
    new = INPUTS | {"labels": {"team": "a"}, "nodeCount": 3}
    lines = _plan_text([_step(POOL_KEY, _plan(events.begins("update", events.POOL, "node_pool", old=old, new=new)))])
    assert lines[1:] == [
        "  ~ update node_pool  (KubernetesNodePool)",
        "      labels.role: web → (unset)",
        "      labels.team: (unset) → a",
    ], "another resource of the stack sets nodeCount"
    assert "None" not in "\n".join(lines)


def test_a_replacement_shows_why_and_what_it_costs() -> None:
    """Which property forces it, the lost nodes, the new id, what refers to it, and the option that it needs."""
    old, new = INPUTS, INPUTS | {"size": "g4s.kube.medium", "labels": {"role": "db"}}
    plan = _plan(
        events.begins("delete-replaced", events.POOL, "node_pool", old=old),
        events.begins("replace", events.POOL, "node_pool", old=old, new=new),
        events.begins("create-replacement", events.POOL, "node_pool", old=old, new=new),
    )
    consent = "--allow-replace CivoKubernetesNodePool/workers"
    loss = losses.Loss("node_pool", 2, is_drained=False, is_new=True, referrers=(CLUSTER_KEY,), consent=consent)
    step = _step(POOL_KEY, plan, losses=(loss,))
    lines = _plan_text([step])
    assert lines[1].startswith("  ± replace node_pool  (KubernetesNodePool): deletes the old node pool first")
    assert lines[2:] == [
        "      labels.role: web → db",
        "      size: g4s.kube.small → g4s.kube.medium  (forces the replacement)",
        "      ! 2 nodes are lost, without being drained: their pods end at once",
        "      ! the node pool gets a new id",
        f"      ! {CLUSTER_KEY} refers to it",
        f"      ! needs {consent}",
    ]
    data = plan_data.of_step(step)
    assert data["losses"] == [
        {
            "resource": "node_pool",
            "nodesLost": 2,
            "drained": False,
            "newId": True,
            "referrers": [str(CLUSTER_KEY)],
            "consent": consent,
        }
    ]
    assert [each["path"] for each in data["changes"][0]["differences"] if each["forcesReplacement"]] == ["size"]


def test_the_numbers_of_the_summary_are_those_of_the_lines() -> None:
    """Also if a step with changes is refused."""
    refused = errors.PlantonError("protected", reason=errors.Reason.PROTECTED)
    two = _plan(
        events.begins("create", events.FIREWALL, "firewall", new={"name": "f"}),
        events.begins("create", events.CLUSTER, "cluster", new={"name": "c"}),
    )
    listed = [_step(POOL_KEY, CREATION), _step(CLUSTER_KEY, two, error=refused)]
    lines = _plan_text(listed)
    assert sum(line.startswith("  + create") for line in lines) == 3
    assert plans.summary(listed, done=False) == "3 to create, 1 failed"
    assert plan_data.of_steps("plan", listed)["summary"]["planned"] == {"create": 3}


def test_an_error_names_its_resource_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The message begins with the resource that the error is about, or else the line does."""
    reason, longer = errors.Reason.PROTECTED, f"{POOL_KEY}-2 is protected"
    own = errors.PlantonError(f"{POOL_KEY} is protected", reason=reason, subject=str(POOL_KEY))
    other = errors.PlantonError(longer, reason=reason, subject=f"{POOL_KEY}-2")
    plans.echo_errors([_step(POOL_KEY, CREATION, error=error) for error in (own, other)])
    shown = capsys.readouterr().err
    assert shown.splitlines() == [f"Error: {POOL_KEY} is protected", f"Error: {POOL_KEY}: {longer}"]


def test_autoscalers_are_listed_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that change. One of someone else is a line only."""
    removed = autoscalers.Change("dev", autoscalers.Action.REMOVE)
    kept = autoscalers.Change("other", autoscalers.Action.KEEP)
    plans.echo([_step(POOL_KEY, CREATION)], costs.NOTHING, autoscalers=[removed, kept])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4:] == [
        "  - remove the cluster autoscaler of dev: no pool is autoscaled any longer",
        f"  ! {kept}",
        "",
        "Plan: 1 to create, 1 cluster autoscaler to remove",
    ]
    plans.echo([_step(POOL_KEY, _plan())], costs.NOTHING, title="Destroy", autoscalers=[removed])
    assert capsys.readouterr().out.splitlines()[-1] == "Destroy: 1 cluster autoscaler to remove"


def test_what_was_created_before_an_interruption_does_not_count_as_failed() -> None:
    """The summary counts it, and the lines name it, with what was left in which state."""
    interrupted = errors.PlantonError("apply was interrupted", reason=errors.Reason.INTERRUPTED, hint="run it again")
    firewall, _ = changes = _plan(
        events.begins("create", events.FIREWALL, "firewall", new={"name": "f"}),
        events.begins("create", events.CLUSTER, "cluster", new={"name": "c"}),
    ).changes
    step = _step(
        CLUSTER_KEY, engine_plans.Plan(changes), error=interrupted, done=(firewall,), unfinished=(("cluster", "create"),)
    )
    assert plans.summary([step], done=True) == "1 created, 1 interrupted"
    assert _text(plans.result_lines([step])) == [
        f"{CLUSTER_KEY}: apply was interrupted",
        "  created firewall",
        "  creating cluster was not seen to end: the cloud may finish it",
        "  → run it again",
    ]
    data = plan_data.of_steps("apply", [step])
    assert (data["summary"]["failed"], data["summary"]["interrupted"]) == (0, 1)
    assert data["resources"][0]["left"] == [{"resource": "cluster", "action": "create"}]


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (costs.Cost(0, 48, 48), "+ $48/month"),
        (costs.Cost(65.19, 21.73, 21.73), "- $43.46/month"),
        (costs.Cost(10, 10, 10), ""),
        (costs.Cost(0, 21.73, 108.65), "+ $21.73/month, up to $108.65/month when scaled"),
        (costs.Cost(0, None, None, ("size rare",)), "cost unknown (size rare)"),
        (costs.NOTHING, ""),
    ],
)
def test_costs_are_rounded_and_unknown_ones_say_so(cost: costs.Cost, expected: str) -> None:
    """An unknown price is never shown as a number."""
    assert money.change(cost) == expected


def test_a_sum_with_an_unknown_price_is_unknown() -> None:
    """It names what has no price."""
    total = costs.total([costs.Cost(0, 48, 48), None, costs.Cost(0, None, None, ("size rare",))])
    assert (total.before, total.after, total.change, total.unknown) == (0, None, None, ("size rare",))


def test_every_kind_with_a_module_declares_what_matters() -> None:
    """A new kind without it would show nothing."""
    assert [kind.name for kind in kinds.all_kinds() if kind.main and not kind.declared.shown] == []
