"""Policies: the user's own rules about manifests, and the violations of a wrong policy."""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from planton import cli, errors
from planton.base import confined
from planton.config import settings
from planton.deploy import graph, plan, runtime, saved
from planton.engine import toolchain
from planton.manifest import load, policies

TESTS = pathlib.Path(__file__).resolve().parents[1]
EXAMPLES = TESTS.parent / "examples" / "policies"
NAMES = sorted(path.name.removesuffix(".policy.yaml") for path in EXAMPLES.iterdir())
POOL = str(TESTS / "kinds" / "CivoKubernetesNodePool" / "valid" / "minimal.yaml")
WRONG = str(TESTS / "kinds" / "CivoVpc" / "invalid" / "required@region.yaml")
HEAD = "apiVersion: policy.project-planton.org/v1\nkind: Policy\nrules:\n"
RULE = HEAD + "  - id: acme.rule\n    kinds: [CivoKubernetesNodePool]\n    message: must be so\n    expression: "


def policy_file(folder: pathlib.Path, text: str, name: str = "a.policy.yaml") -> str:
    (folder / name).write_text(text, "utf-8")
    return str(folder / name)


def violations(policy: str, manifest: str) -> list[errors.Violation]:
    rules = policies.load([policy])
    documents = load.load([manifest])
    return [violation for document in documents for violation in policies.check(rules, document)]


@pytest.mark.parametrize("name", NAMES)
def test_examples_accept_their_valid_manifests(name: str) -> None:
    """These manifests comply with every rule of the example."""
    assert violations(str(EXAMPLES / f"{name}.policy.yaml"), str(TESTS / "policies" / name / "valid.yaml")) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_of_an_example_is_violated_by_a_manifest(name: str) -> None:
    """Every manifest violates a rule, too."""
    policy, manifest = str(EXAMPLES / f"{name}.policy.yaml"), str(TESTS / "policies" / name / "invalid.yaml")
    reported = violations(policy, manifest)
    assert {violation.rule_id for violation in reported} == {rule.id for rule in policies.load([policy])}
    assert {violation.document for violation in reported} == set(range(len(load.load([manifest]))))


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("this.spec.node_count > 0u", None),
        ("this.spec.node_count > 90u", "must be so"),
        ("this.spec.node_count > 0u ? '' : 'x'", None),
        ("'has ' + string(this.spec.node_count) + ' nodes'", "has 3 nodes"),
        ("this.metadata.labels['team'] == 'a'", 'cannot be judged: Key not found in map : "team"; the rule is: must be so'),
    ],
)
def test_the_result_of_an_expression_is_the_message(tmp_path: pathlib.Path, expression: str, message: str | None) -> None:
    """True and an empty text pass. A failed evaluation is an error."""
    policy = policy_file(tmp_path, f"{RULE}{json.dumps(expression)}\n    level: warning\n")
    reported = [(violation.message, violation.level) for violation in violations(policy, POOL)]
    level = "error" if message and message.startswith("cannot") else "warning"
    assert reported == ([(message, level)] if message else [])


def test_an_expensive_expression_is_stopped(tmp_path: pathlib.Path) -> None:
    """The library stops it with an error about the budget."""
    expression = "true"
    for name in "abcdefg":
        expression = f"[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].all({name}, {name} >= 0 && {expression})"
    [violation] = violations(policy_file(tmp_path, f"{RULE}{json.dumps(expression)}\n"), POOL)
    assert violation.message.startswith("cannot be judged: ")
    assert "budget" in violation.message


@pytest.mark.parametrize("operand", ["lists", "texts"])
def test_an_expression_over_the_memory_limit_is_stopped(tmp_path: pathlib.Path, operand: str) -> None:
    """A few steps can build a huge value. The calling process is not affected."""
    expression = "size(v9) > 0"
    for number in range(9, 0, -1):
        grown = " + ".join([f"v{number - 1}"] * 20)
        expression = f"cel.bind(v{number}, {grown}, {expression})"
    first = "[1, 2, 3, 4]" if operand == "lists" else "'abcdefgh'"
    [violation] = violations(policy_file(tmp_path, f"{RULE}{json.dumps(f'cel.bind(v0, {first}, {expression})')}\n"), POOL)
    assert violation.message.startswith("cannot be judged: it needs more than 512 MiB of memory")


def test_work_within_the_memory_limit_has_a_result() -> None:
    """Work over the limit, or a crash, is an error for the caller."""
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
def test_an_invalid_expression_is_reported_with_its_place(
    tmp_path: pathlib.Path, expression: str, line: int, column: int, text: str
) -> None:
    """The place is that of the fault in the file, in every YAML style."""
    with pytest.raises(errors.InvalidError) as caught:
        policies.load([policy_file(tmp_path, f"{RULE}{expression}\n")])
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
def test_an_invalid_policy_is_reported_with_its_place(
    tmp_path: pathlib.Path, text: str, place: tuple[int, int], rule_id: str
) -> None:
    """A policy is validated as strictly as a manifest, and its references to kinds and fields are checked."""
    with pytest.raises(errors.InvalidError) as caught:
        policies.load([policy_file(tmp_path, text)])
    (violation,) = caught.value.violations
    assert ((violation.line, violation.column), violation.rule_id) == (place, rule_id)
    assert (caught.value.reason, caught.value.code) == (errors.Reason.POLICY_INVALID, errors.Code.USAGE)


def test_all_violations_of_all_policies_are_reported(tmp_path: pathlib.Path) -> None:
    """They cover several files, rules, and faults of one expression. An ID is unique over all files."""
    files = [
        policy_file(tmp_path, RULE + "this.spec.a && this.spec.b\n", "one.policy.yaml"),
        policy_file(tmp_path, RULE + "'true'\n---\n" + RULE.replace("acme.rule", "acme.other") + "that\n", "two.policy.yaml"),
    ]
    with pytest.raises(errors.InvalidError) as caught:
        policies.load(files)
    reported = [
        (pathlib.Path(violation.file).name, violation.rule_id, violation.document) for violation in caught.value.violations
    ]
    rule_id = "policy.expression"
    assert reported == [
        ("one.policy.yaml", rule_id, 0),
        ("one.policy.yaml", rule_id, 0),
        ("two.policy.yaml", "policy.duplicate_id", 0),
        ("two.policy.yaml", rule_id, 1),
    ]


def test_a_rule_without_kinds_must_fit_every_kind(tmp_path: pathlib.Path) -> None:
    """The violation names the first kind that it does not fit."""
    text = HEAD + "  - {id: acme.all, message: m, expression: 'this.spec.region != 0'}\n"
    with pytest.raises(errors.InvalidError, match="for CivoFirewall"):
        policies.load([policy_file(tmp_path, text)])


@pytest.fixture
def small(tmp_path: pathlib.Path) -> str:
    """Returns a policy with a rule that is violated and a rule that warns."""
    text = RULE + "this.spec.node_count < 3u\n    path: spec.node_count\n"
    return policy_file(tmp_path, text + "  - {id: acme.hint, message: should be so, expression: 'false', level: warning}\n")


@pytest.fixture
def hint(tmp_path: pathlib.Path) -> str:
    """Returns a policy that only warns."""
    text = HEAD + "  - {id: acme.hint, message: should be so, expression: 'false', level: warning}\n"
    return policy_file(tmp_path, text, "hint.policy.yaml")


def test_text_output_has_violations_and_warnings(small: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A violation has the place of its field and its rule ID. A warning does not fail the command."""
    assert cli.main(["validate", POOL, "--policy", small]) == 1
    output = capsys.readouterr().out
    assert f"{POOL}:10:14: spec.nodeCount: must be so [acme.rule]\n" in output
    assert f"{POOL}:1:1: warning: should be so [acme.hint]\n" in output
    assert output.endswith("1 document in 1 file: 1 violation in 1 document; 1 warning\n")
    assert cli.main(["validate", POOL, "--policy", hint]) == 0
    assert capsys.readouterr().out.endswith("1 document in 1 file: valid; 1 warning\n")


def test_json_and_sarif_output_have_the_level_of_each_violation(
    small: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """They have its rule ID too."""
    assert cli.main(["validate", POOL, "--policy", small, "-o", "json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert [(violation["rule_id"], violation["level"]) for violation in data["violations"]] == [
        ("acme.rule", "error"),
        ("acme.hint", "warning"),
    ]
    assert (data["valid"], data["documents"][0]["valid"]) == (False, False)
    assert cli.main(["validate", POOL, "--policy", hint, "-o", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["valid"], data["documents"][0]["valid"]) == (True, True)
    assert cli.main(["validate", POOL, "--policy", small, "-o", "sarif"]) == 1
    results: list[Any] = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert [(violation["ruleId"], violation["level"]) for violation in results] == [
        ("acme.rule", "error"),
        ("acme.hint", "warning"),
    ]


def test_policies_are_not_evaluated_for_an_invalid_document(hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its violation is reported once, by the schema. Policies apply to the other documents."""
    assert cli.main(["validate", WRONG, POOL, "--policy", hint, "-o", "json"]) == 1
    reported = [(violation["file"], violation["rule_id"]) for violation in json.loads(capsys.readouterr().out)["violations"]]
    assert reported == [(WRONG, "required"), (POOL, "acme.hint")]


def test_an_invalid_policy_stops_before_any_manifest(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No manifest is read, not even a missing one."""
    policy = policy_file(tmp_path, RULE + "that\n")
    assert cli.main(["validate", "nowhere.yaml", WRONG, "--policy", policy]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"{policy}:7:17: rules[0].expression: for CivoKubernetesNodePool: undeclared reference to 'that' [policy.expression]\n"
    )


def test_an_invalid_policy_is_reported_as_json_and_sarif(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs find its place in the JSON output, and code hosts in the SARIF file."""
    policy = policy_file(tmp_path, RULE + "that\n")
    assert cli.main(["validate", POOL, "--policy", policy, "-o", "json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["reason"], error["violations"][0]["line"]) == ("POLICY_INVALID", 7)
    assert cli.main(["validate", POOL, "--policy", policy, "-o", "sarif"]) == 2
    (result,) = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert result["ruleId"] == "policy.expression"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 7, "startColumn": 17}


def test_a_policy_in_a_folder_is_not_read_as_a_manifest(small: str, tmp_path: pathlib.Path) -> None:
    """A folder may contain both."""
    policy_file(tmp_path, pathlib.Path(POOL).read_text("utf-8"), "pool.yaml")
    assert [document.kind.name for document in load.load([str(tmp_path)])] == ["CivoKubernetesNodePool"]


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_policy_violation_stops_before_the_engine(
    command: str, small: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command prints the places and the rules."""
    monkeypatch.setenv("PLANTON_CACHE_DIR", "/nonexistent")  # a missing toolchain
    assert cli.main([command, "-f", POOL, "--policy", small]) == 1
    output = capsys.readouterr().err
    assert f"{POOL}:10:14: spec.nodeCount: must be so [acme.rule]\n" in output
    assert f"{POOL}:1:1: warning: should be so [acme.hint]\n" in output


def test_policies_apply_to_a_saved_plan(
    small: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A saved plan has no text, so a violation has a file and no line."""
    monkeypatch.setenv("PLANTON_DATA_DIR", str(tmp_path))
    (document,) = load.load([POOL])
    run = runtime.of(
        settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path)}),
        toolchain.Toolchain(pathlib.Path("pulumi"), tmp_path, frozenset()),
    )
    resources = graph.of([load.Resource(document.message, None, "pool.yaml")])
    planned = plan.Plan("apply", run, resources, (), plan.Options(), graph.of([]), ())
    path = tmp_path / "dev.plan"
    saved.write(str(path), planned, allow_replace=[], take_over=[], key=saved.signing_key(tmp_path))
    assert cli.main(["apply", str(path), "--policy", small]) == 1
    assert "pool.yaml: spec.nodeCount: must be so [acme.rule]\n" in capsys.readouterr().err


def test_a_missing_policy_extra_is_an_error_with_its_name(small: str) -> None:
    """The extra contains the expression library."""
    code = "import sys; sys.modules['cel_expr_python'] = None; from planton import cli; sys.exit(cli.main(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", code, "validate", POOL, "--policy", small], capture_output=True, check=False)
    assert done.returncode == 8
    assert b"project-planton[policy]" in done.stderr
