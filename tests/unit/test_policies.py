"""Policies: what rules of the user's own say of manifests, and what is said of rules that are wrong."""

import json
import os
import pathlib
import sys
from typing import Any

import pytest

from planton import cli, errors
from planton.base import confined
from planton.deploy import saved
from planton.manifest import load, policies

TESTS = pathlib.Path(__file__).resolve().parents[1]
EXAMPLES = TESTS.parent / "examples" / "policies"
NAMES = sorted(path.name.removesuffix(".policy.yaml") for path in EXAMPLES.iterdir())
POOL = str(TESTS / "kinds" / "CivoKubernetesNodePool" / "valid" / "minimal.yaml")
WRONG = str(TESTS / "kinds" / "CivoVpc" / "invalid" / "required@region.yaml")
HEAD = "apiVersion: policy.project-planton.org/v1\nkind: Policy\nrules:\n"
RULE = HEAD + "  - id: acme.rule\n    kinds: [CivoKubernetesNodePool]\n    message: must be so\n    expression: "


def written(folder: pathlib.Path, text: str, name: str = "a.policy.yaml") -> str:
    (folder / name).write_text(text, "utf-8")
    return str(folder / name)


def broken(policy: str, manifest: str) -> list[errors.Violation]:
    rules = policies.load([policy])
    documents = load.load([manifest])
    return [violation for document in documents for violation in policies.check(rules, document)]


@pytest.mark.parametrize("name", NAMES)
def test_examples_let_good_manifests_pass(name: str) -> None:
    """Nothing is said of manifests that keep every rule of an example."""
    assert broken(str(EXAMPLES / f"{name}.policy.yaml"), str(TESTS / "policies" / name / "valid.yaml")) == []


@pytest.mark.parametrize("name", NAMES)
def test_examples_find_what_they_are_for(name: str) -> None:
    """Each rule of an example is broken by a manifest, and each manifest breaks one."""
    policy, manifest = str(EXAMPLES / f"{name}.policy.yaml"), str(TESTS / "policies" / name / "invalid.yaml")
    found = broken(policy, manifest)
    assert {violation.rule_id for violation in found} == {rule.id for rule in policies.load([policy])}
    assert {violation.document for violation in found} == set(range(len(load.load([manifest]))))


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("this.spec.node_count > 0u", None),
        ("this.spec.node_count > 90u", "must be so"),
        ("this.spec.node_count > 0u ? '' : 'x'", None),
        ("'has ' + string(this.spec.node_count) + ' nodes'", "has 3 nodes"),
        ("this.metadata.labels['team'] == 'a'", 'cannot be judged: Key not found in map : "team"; the rule is: must be so'),
    ],
)
def test_what_an_expression_says(tmp_path: pathlib.Path, expression: str, said: str | None) -> None:
    """True and an empty text let pass; a text is the message; what fails while it is judged is not good."""
    policy = written(tmp_path, f"{RULE}{json.dumps(expression)}\n    level: warning\n")
    found = [(violation.message, violation.level) for violation in broken(policy, POOL)]
    level = "error" if said and said.startswith("cannot") else "warning"
    assert found == ([(said, level)] if said else [])


def test_what_takes_too_long_is_not_judged(tmp_path: pathlib.Path) -> None:
    """The library ends it, with an error of another kind than those of expressions."""
    expression = "true"
    for name in "abcdefg":
        expression = f"[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].all({name}, {name} >= 0 && {expression})"
    [violation] = broken(written(tmp_path, f"{RULE}{json.dumps(expression)}\n"), POOL)
    assert violation.message.startswith("cannot be judged: ")
    assert "budget" in violation.message


@pytest.mark.parametrize("how", ["lists", "texts"])
def test_what_needs_too_much_memory_is_not_judged(tmp_path: pathlib.Path, how: str) -> None:
    """Few steps can make a value that fills the memory; the process that checks goes on without it."""
    expression = "size(v9) > 0"
    for number in range(9, 0, -1):
        grown = " + ".join([f"v{number - 1}"] * 20)
        expression = f"cel.bind(v{number}, {grown}, {expression})"
    first = "[1, 2, 3, 4]" if how == "lists" else "'abcdefgh'"
    [violation] = broken(written(tmp_path, f"{RULE}{json.dumps(f'cel.bind(v0, {first}, {expression})')}\n"), POOL)
    assert violation.message.startswith("cannot be judged: it needs more than 512 MiB of memory")


def test_work_that_fits_into_its_memory_has_a_result() -> None:
    """What does not, or crashes, has none, and the caller goes on."""
    assert confined.run(lambda: {"a": [1, "b"]}) == {"a": [1, "b"]}
    for work in (lambda: len(bytearray(2 * confined.MOST_BYTES)), os.abort, lambda: os._exit(3)):
        with pytest.raises(confined.ExhaustedError):
            confined.run(work)


@pytest.mark.parametrize(
    ("expression", "line", "column", "text"),
    [
        ("this.spec.nope == 1", 7, 26, "CivoKubernetesNodePoolSpec has no field 'nope'"),
        ("this.spec.nodeCount == 1u", 7, 26, "has no field 'nodeCount'; did you mean 'node_count'?"),
        ("'this.spec.size == ''a'' && this.spec.nope'", 7, 54, "has no field 'nope'"),
        ('"this.spec.size == \\"a\\" && this.spec.nope"', 7, 54, "has no field 'nope'"),
        ("|-\n      this.spec.size == 'a'\n        && this.spec.nope", 9, 21, "has no field 'nope'"),
        (">-\n      this.spec.size == 'a'\n      && this.spec.nope", 9, 19, "has no field 'nope'"),
        ("this.spec.size == 'a'\n      && this.spec.nope", 8, 19, "has no field 'nope'"),
        ("this.spec.node_count > 3", 7, 38, "a number that is compared with an unsigned one is written with u: 3u"),
        ("this.spec.size ==", 7, 34, "Syntax error"),
        ("that", 7, 17, "undeclared reference to 'that'"),
    ],
)
def test_a_wrong_expression_is_told_with_its_place(
    tmp_path: pathlib.Path, expression: str, line: int, column: int, text: str
) -> None:
    """The place is that of the mistake in the file, however the expression is written in YAML."""
    with pytest.raises(errors.InvalidError) as caught:
        policies.load([written(tmp_path, f"{RULE}{expression}\n")])
    violation = caught.value.violations[0]
    assert (violation.line, violation.column, violation.rule_id) == (line, column, "policy.expression")
    assert violation.message.startswith("for CivoKubernetesNodePool: ")
    assert text in violation.message


@pytest.mark.parametrize(
    ("text", "place", "rule_id"),
    [
        ("", (1, 1), "policy.empty"),
        ("rules: [\n", (2, 1), "yaml.syntax"),
        (HEAD.replace("kind: Policy", "kind: CivoVpc") + RULE.removeprefix(HEAD) + "'true'", (2, 7), "string.const"),
        (RULE + "'true'\n    levle: warning", (8, 5), "manifest.unknown_field"),
        (RULE + "'true'\n    level: fatal", (8, 12), "string.in"),
        (RULE.replace("acme.rule", "required") + "'true'", (4, 9), "string.pattern"),
        (RULE.replace("[CivoKubernetesNodePool]", "[CivoVpc, CivoNodePool]") + "'true'", (5, 22), "policy.unknown_kind"),
        (RULE + "'true'\n    path: spec.nope", (8, 11), "policy.unknown_field"),
        (RULE + "this.spec.node_count", (7, 17), "policy.result_type"),
        (RULE + "'true'\n" + RULE.removeprefix(HEAD) + "'true'", (8, 9), "policy.duplicate_id"),
        (HEAD.replace("rules:", "rules: []"), (3, 1), "repeated.min_items"),
    ],
)
def test_a_wrong_policy_is_told_with_its_place(tmp_path: pathlib.Path, text: str, place: tuple[int, int], rule_id: str) -> None:
    """What the schema of policies says is kept as strictly as that of manifests; so is what only the kinds can tell."""
    with pytest.raises(errors.InvalidError) as caught:
        policies.load([written(tmp_path, text)])
    (violation,) = caught.value.violations
    assert ((violation.line, violation.column), violation.rule_id) == (place, rule_id)
    assert (caught.value.reason, caught.value.code) == (errors.Reason.POLICY_INVALID, errors.Code.USAGE)


def test_everything_wrong_with_all_policies_is_told(tmp_path: pathlib.Path) -> None:
    """Several files, several rules, several mistakes in one expression; an id is one over all files."""
    files = [
        written(tmp_path, RULE + "this.spec.a && this.spec.b\n", "one.policy.yaml"),
        written(tmp_path, RULE + "'true'\n---\n" + RULE.replace("acme.rule", "acme.other") + "that\n", "two.policy.yaml"),
    ]
    with pytest.raises(errors.InvalidError) as caught:
        policies.load(files)
    found = [(pathlib.Path(one.file).name, one.rule_id, one.document) for one in caught.value.violations]
    wrong = "policy.expression"
    assert found == [
        ("one.policy.yaml", wrong, 0),
        ("one.policy.yaml", wrong, 0),
        ("two.policy.yaml", "policy.duplicate_id", 0),
        ("two.policy.yaml", wrong, 1),
    ]


def test_a_rule_for_no_kind_in_particular_must_fit_all(tmp_path: pathlib.Path) -> None:
    """The first kind that it does not fit is named."""
    text = HEAD + "  - {id: acme.all, message: m, expression: 'this.spec.region != 0'}\n"
    with pytest.raises(errors.InvalidError, match="for CivoFirewall"):
        policies.load([written(tmp_path, text)])


@pytest.fixture
def small(tmp_path: pathlib.Path) -> str:
    """Returns a policy of one rule that is broken, and one that warns."""
    text = RULE + "this.spec.node_count < 3u\n    path: spec.node_count\n"
    return written(tmp_path, text + "  - {id: acme.hint, message: should be so, expression: 'false', level: warning}\n")


@pytest.fixture
def hint(tmp_path: pathlib.Path) -> str:
    """Returns a policy that only warns."""
    text = HEAD + "  - {id: acme.hint, message: should be so, expression: 'false', level: warning}\n"
    return written(tmp_path, text, "hint.policy.yaml")


def test_validate_as_text(small: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken rule fails at its field, with its id; a warning is shown as one and does not fail."""
    assert cli.main(["validate", POOL, "--policy", small]) == 1
    shown = capsys.readouterr().out
    assert f"{POOL}:10:14: spec.nodeCount: must be so [acme.rule]\n" in shown
    assert f"{POOL}:1:1: warning: should be so [acme.hint]\n" in shown
    assert shown.endswith("1 document in 1 file: 1 violation in 1 document; 1 warning\n")
    assert cli.main(["validate", POOL, "--policy", hint]) == 0
    assert capsys.readouterr().out.endswith("1 document in 1 file: valid; 1 warning\n")


def test_validate_as_data(small: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON and SARIF have the id and the level of every rule that is broken."""
    assert cli.main(["validate", POOL, "--policy", small, "-o", "json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert [(one["rule_id"], one["level"]) for one in data["violations"]] == [("acme.rule", "error"), ("acme.hint", "warning")]
    assert (data["valid"], data["documents"][0]["valid"]) == (False, False)
    assert cli.main(["validate", POOL, "--policy", hint, "-o", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["valid"], data["documents"][0]["valid"]) == (True, True)
    assert cli.main(["validate", POOL, "--policy", small, "-o", "sarif"]) == 1
    results: list[Any] = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert [(one["ruleId"], one["level"]) for one in results] == [("acme.rule", "error"), ("acme.hint", "warning")]


def test_what_is_not_valid_is_not_judged(hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A field that is missing is told once, by the schema; the other documents are judged."""
    assert cli.main(["validate", WRONG, POOL, "--policy", hint, "-o", "json"]) == 1
    found = [(one["file"], one["rule_id"]) for one in json.loads(capsys.readouterr().out)["violations"]]
    assert found == [(WRONG, "required"), (POOL, "acme.hint")]


def test_a_wrong_policy_comes_before_any_manifest(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is said of manifests, not even that there are none."""
    policy = written(tmp_path, RULE + "that\n")
    assert cli.main(["validate", "nowhere.yaml", WRONG, "--policy", policy]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"{policy}:7:17: rules[0].expression: for CivoKubernetesNodePool: undeclared reference to 'that' [policy.expression]\n"
    )


def test_a_wrong_policy_as_data(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs find the place in JSON, and code hosts in SARIF, so that a pipeline which uploads it has something to upload."""
    policy = written(tmp_path, RULE + "that\n")
    assert cli.main(["validate", POOL, "--policy", policy, "-o", "json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["reason"], error["violations"][0]["line"]) == ("POLICY_INVALID", 7)
    assert cli.main(["validate", POOL, "--policy", policy, "-o", "sarif"]) == 2
    (result,) = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert result["ruleId"] == "policy.expression"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 7, "startColumn": 17}


def test_policies_beside_manifests_are_no_manifests(small: str, tmp_path: pathlib.Path) -> None:
    """A folder may hold both: what is named as a policy is left out of its manifests."""
    written(tmp_path, pathlib.Path(POOL).read_text("utf-8"), "pool.yaml")
    assert [document.kind.name for document in load.load([str(tmp_path)])] == ["CivoKubernetesNodePool"]


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_what_a_policy_refuses_is_not_planned(
    command: str, small: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command ends before the engine begins, with the places and the rules."""
    monkeypatch.setenv("PLANTON_CACHE_DIR", "/nonexistent")  # there is no toolchain
    assert cli.main([command, "-f", POOL, "--policy", small]) == 1
    shown = capsys.readouterr().err
    assert f"{POOL}:10:14: spec.nodeCount: must be so [acme.rule]\n" in shown
    assert f"{POOL}:1:1: warning: should be so [acme.hint]\n" in shown


def test_what_was_planned_before_is_judged_too(
    small: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A saved plan has no text, so a violation is told with the file that it came from and without a line."""
    (document,) = load.load([POOL])
    before = saved.Saved(
        applied={},
        created="",
        resources=(load.Resource(document.message, None, "pool.yaml"),),
        refresh=True,
        pruned={},
        origins={},
        allow_replace=(),
        allow_unsupported=(),
        take_over=(),
        is_signed=True,
    )
    monkeypatch.setattr("planton.deploy.saved.read", lambda *_, **_more: before)
    assert cli.main(["apply", "dev.plan", "--policy", small]) == 1
    assert "pool.yaml: spec.nodeCount: must be so [acme.rule]\n" in capsys.readouterr().err


def test_without_the_extra(small: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The extra that brings the language is named."""
    policies._environment.cache_clear()
    monkeypatch.setitem(sys.modules, "cel_expr_python", None)
    assert cli.main(["validate", POOL, "--policy", small]) == 8
    assert "project-planton[policy]" in capsys.readouterr().err
