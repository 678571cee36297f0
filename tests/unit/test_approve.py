"""Approval: which plans a consent covers. Every caller passes through the constructor, which checks the consent."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import pytest

from planton import errors
from planton.deploy import approve, graph, plan, saved, steps
from planton.engine import plans
from planton.schema import references
from support import world

CHANGES = approve.Consent(changes=True)


def _step(env: str, name: str = "dev", action: plans.Action = plans.Action.REPLACE) -> steps.Step:
    change = plans.Change("urn", "cluster", "civo:index/kubernetesCluster:KubernetesCluster", action)
    return steps.Step(references.Key("CivoKubernetesCluster", env, name), "", plans.Plan((change,)))


def _other_cloud(env: str) -> steps.Step:
    step = _step(env)
    return dataclasses.replace(step, key=dataclasses.replace(step.key, kind="DigitalOceanKubernetesCluster"))


def _plan(folder: pathlib.Path, *planned: steps.Step, operation: str = "apply", **more: Any) -> plan.Plan:
    return plan.Plan(operation, world.World(folder).run, graph.Graph(), planned, **more)


@pytest.mark.parametrize(
    ("planned", "allowed"),
    [
        ([_step("dev")], ["civokubernetescluster/dev"]),
        ([_step("dev")], ["cluster/dev"]),
        ([_step("dev"), _step("prod", "other")], ["dev/CivoKubernetesCluster/dev", "CivoKubernetesClusters/other"]),
        ([_step("dev"), _step("prod")], ["dev/CivoKubernetesCluster/dev", "prod/CivoKubernetesCluster/dev"]),
        ([_step(""), _step("prod")], ["default/CivoKubernetesCluster/dev", "prod/CivoKubernetesCluster/dev"]),
    ],
)
def test_a_named_cluster_may_be_replaced(planned: list[steps.Step], allowed: list[str], tmp_path: pathlib.Path) -> None:
    """Kind and name identify it; the environment is needed only where they are ambiguous."""
    plan_of_test = _plan(tmp_path, *planned)
    assert approve.Approved(plan_of_test, dataclasses.replace(CHANGES, replace=tuple(allowed))).plan is plan_of_test


@pytest.mark.parametrize("operation", ["apply", "import"])
@pytest.mark.parametrize(
    ("planned", "allowed", "hint"),
    [
        ([_step("dev")], [], "--allow-replace CivoKubernetesCluster/dev"),
        ([_step("dev", action=plans.Action.DELETE)], [], "--allow-replace CivoKubernetesCluster/dev"),
        ([_step("dev")], ["prod/CivoKubernetesCluster/dev"], "--allow-replace CivoKubernetesCluster/dev"),
        ([_step("dev"), _step("prod")], ["CivoKubernetesCluster/dev"], "--allow-replace dev/CivoKubernetesCluster/dev"),
        ([_step("dev"), _other_cloud("dev")], ["cluster/dev"], "--allow-replace CivoKubernetesCluster/dev"),
        (
            [_step("dev"), _step("prod")],
            ["dev/CivoKubernetesCluster/dev"],
            "--allow-replace prod/CivoKubernetesCluster/dev",
        ),
    ],
)
def test_a_cluster_that_is_not_named_cannot_be_replaced(
    operation: str, planned: list[steps.Step], allowed: list[str], hint: str, tmp_path: pathlib.Path
) -> None:
    """Consent for ``dev`` does not cover ``prod``. The hint is the missing option. Apply and import have the same guard."""
    with pytest.raises(errors.PlantonError) as caught:
        approve.Approved(_plan(tmp_path, *planned, operation=operation), dataclasses.replace(CHANGES, replace=tuple(allowed)))
    assert caught.value.reason is errors.Reason.REPLACE_REFUSED
    assert caught.value.hint.endswith(hint)


def test_the_refusal_names_the_dependants_of_the_cluster(tmp_path: pathlib.Path) -> None:
    """Its node pools would be deleted with it."""
    step, pool = _step("dev"), references.Key("CivoKubernetesNodePool", "dev", "web")
    with pytest.raises(errors.PlantonError, match=r"CivoKubernetesNodePool/web \(env dev\) refer to it"):
        approve.Approved(_plan(tmp_path, step, referrers={step.key: [pool]}), CHANGES)


@pytest.mark.parametrize(
    ("operation", "action", "consent"),
    [
        ("apply", plans.Action.CREATE, approve.Consent()),
        ("apply", plans.Action.UPDATE, approve.Consent(deletions=True)),
        ("import", plans.Action.IMPORT, approve.Consent()),
        ("destroy", plans.Action.DELETE, approve.Consent()),
        ("destroy", plans.Action.DELETE, CHANGES),
    ],
)
def test_no_change_is_approved_without_consent(
    operation: str, action: plans.Action, consent: approve.Consent, tmp_path: pathlib.Path
) -> None:
    """Consent to changes does not cover deletions, and the reverse."""
    with pytest.raises(errors.PlantonError) as caught:
        approve.Approved(_plan(tmp_path, _step("dev", action=action), operation=operation), consent)
    assert caught.value.reason is errors.Reason.CONSENT_REQUIRED


def test_a_plan_without_changes_needs_no_consent(tmp_path: pathlib.Path) -> None:
    """The default consent approves it."""
    step = dataclasses.replace(_step("dev"), plan=plans.Plan())
    planned = _plan(tmp_path, step)
    assert approve.missing(planned, approve.Consent()) == approve.Consent()
    assert approve.Approved(planned, approve.Consent()).plan is planned


def test_a_failed_step_cannot_be_approved(tmp_path: pathlib.Path) -> None:
    """A protected resource is a failed step, and no consent approves it."""
    protected = errors.PlantonError("protected", reason=errors.Reason.PROTECTED)
    step = dataclasses.replace(_step("dev"), error=protected)
    consent = approve.Consent(changes=True, deletions=True, replace=("CivoKubernetesCluster/dev",))
    for operation in ("apply", "destroy"):
        with pytest.raises(errors.PlantonError) as caught:
            approve.Approved(_plan(tmp_path, step, operation=operation), consent)
        assert caught.value.reason is errors.Reason.PROTECTED


def test_an_approval_cannot_be_widened(tmp_path: pathlib.Path) -> None:
    """A copy with another plan is checked again."""
    approved = approve.Approved(_plan(tmp_path, _step("dev", action=plans.Action.CREATE)), CHANGES)
    with pytest.raises(errors.PlantonError) as caught:
        dataclasses.replace(approved, plan=_plan(tmp_path, _step("dev")))
    assert caught.value.reason is errors.Reason.REPLACE_REFUSED


@pytest.mark.parametrize("is_signed", [True, False])
def test_consents_of_a_saved_plan_apply_only_with_its_signature(*, is_signed: bool) -> None:
    """An unsigned plan may have been edited by another user."""
    before = saved.Saved(
        (), {}, {}, {}, ("CivoKubernetesCluster/dev",), (), ("CivoVpc/net",), "", refresh=True, is_signed=is_signed
    )
    consent = approve.Consent(replace=("CivoVpc/a",)).with_saved(before)
    assert consent.changes is consent.deletions is is_signed
    assert consent.replace == (("CivoVpc/a", "CivoKubernetesCluster/dev") if is_signed else ("CivoVpc/a",))
    assert consent.take_over == (("CivoVpc/net",) if is_signed else ())
