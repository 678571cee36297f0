"""A plan as a comment on a pull request."""

from __future__ import annotations

import pytest

import planton
from planton import errors
from planton.cli import markdown
from planton.deploy import costs, losses, steps
from planton.engine import plans
from planton.schema import references

KEY = references.Key("CivoKubernetesNodePool", "dev", "workers")
TYPE = "civo:index/kubernetesNodePool:KubernetesNodePool"
COST = costs.Cost(0, 65.19, 65.19)


def _step(*changes: plans.Change, **more: object) -> steps.Step:
    return steps.Step(KEY, "planton/dev.x", plans.Plan(changes), **more)  # type: ignore[arg-type]  # fields of a step


def _text(*listed: steps.Step, cost: costs.Cost = COST) -> str:
    return markdown.of_plan(listed, accounts=(), cost=cost, show_all=False)


CREATION = plans.Change("u", "node_pool", TYPE, plans.Action.CREATE, properties=(("label", "workers"), ("size", "s")))


def test_a_plan_is_a_table_with_details() -> None:
    """The first line is the marker by which a workflow finds the comment. Signs colour the lines of the details."""
    assert _text(_step(CREATION, cost=COST)).splitlines() == [
        "<!-- planton plan -->",
        "### Plan: 1 to create; + $65.19/month",
        "",
        "",
        "| resource | changes | cost |",
        "|---|---|---|",
        "| `CivoKubernetesNodePool/workers (env dev)` | create `node_pool` | + $65.19/month |",
        "",
        "<details><summary>Details</summary>",
        "",
        "```diff",
        "CivoKubernetesNodePool/workers (env dev)  [planton/dev.x]  + $65.19/month",
        "+ create node_pool  (KubernetesNodePool)",
        "  label: workers",
        "  size: s",
        "```",
        "",
        "</details>",
    ]


def test_a_loss_names_the_option_that_it_needs() -> None:
    """In the table, where no reviewer overlooks it."""
    change = plans.Change("u", "node_pool", TYPE, plans.Action.REPLACE, (plans.Difference("size", "s", None),), forcing=("size",))
    loss = losses.Loss("node_pool", 3, is_drained=True, is_new=True, referrers=(), consent="--allow-replace KIND/workers")
    text = _text(_step(change, losses=(loss,)))
    assert "⚠️ needs `--allow-replace KIND/workers`" in text
    assert "! replace node_pool" in text
    assert "  size: s → (unset)  (forces the replacement)" in text
    assert "! 3 nodes are lost, after the cloud has drained them" in text


@pytest.mark.parametrize("hostile", ["a|b", "`x` ``y``", "```\n</details>@team", "<script>", "\x1b[2J"])
def test_untrusted_text_has_no_effect(hostile: str) -> None:
    """It stays within its code span and its fence."""
    change = plans.Change("u", hostile, TYPE, plans.Action.CREATE, properties=(("label", hostile),))
    lines = _text(_step(change)).splitlines()
    (row,) = [line for line in lines if line.startswith("| `")]
    assert row.replace("\\|", "").count("|") == 4
    fences = [line for line in lines if line.startswith("```")]
    assert len(fences) == 2
    inside = lines[lines.index(fences[0]) + 1 : lines.index(fences[1])]
    assert all(fences[1] not in line for line in inside)
    assert "\x1b" not in "\n".join(lines)
    assert lines.count("</details>") == 1


def test_errors_are_part_of_the_comment() -> None:
    """Those of a resource, and those that prevent a plan."""
    refused = errors.PlantonError("it is protected", reason=errors.Reason.PROTECTED, hint="remove the annotation")
    text = _text(_step(CREATION, error=refused))
    assert "### Plan: 1 to create, 1 failed" in text
    assert "**failed**: PROTECTED" in text
    assert "! it is protected\n  remove the annotation" in text
    with pytest.raises(planton.InvalidError) as caught:
        planton.load("apiVersion: civo.project-planton.org/v1\nkind: CivoVpc\nmetadata: {name: a}\nspec: {}\n")
    prevented = markdown.of_error(caught.value)
    assert prevented.startswith("<!-- planton plan -->\n### Plan: failed\n")
    assert "! <text>:4:1: spec.region: value is required [required]" in prevented


def test_a_long_plan_fits_into_a_comment() -> None:
    """GitHub refuses longer ones. The rest is counted."""
    many = plans.Change(
        "u", "node_pool", TYPE, plans.Action.CREATE, properties=tuple((f"labels.{n}", "x" * 50) for n in range(2000))
    )
    text = _text(_step(many))
    assert len(text) < 65_536
    assert "more lines: see the log of the job" in text
