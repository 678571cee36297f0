"""The command line: exit codes, streams, and output formats, in process and as a process."""

import importlib
import io
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable

import pytest

from planton import cli, errors
from planton.base import suggestions, terminal
from planton.cli import output
from planton.schema import kinds

CORPUS = pathlib.Path(__file__).parents[1] / "kinds"
VALID = str(CORPUS / "CivoVpc" / "valid" / "minimal.yaml")
INVALID = str(CORPUS / "CivoVpc" / "invalid" / "required@region.yaml")


def run(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "import sys; from planton import cli; sys.exit(cli.main())", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, env={**os.environ, **environment}, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "code", "expected_text"),
    [
        ([VALID], 0, "1 document in 1 file: valid\n"),
        (["-f", VALID, VALID], 0, "2 documents in 2 files: valid\n"),
        (["--file", VALID], 0, "valid"),
        ([INVALID], 1, "spec.region: value is required [required]\n1 document in 1 file: 1 violation in 1 document\n"),
        ([INVALID, "nowhere.yaml"], 2, "[required]"),
        (["nowhere.yaml"], 2, "1 path could not be read"),
        ([VALID, "--set", "spec.networkName=other"], 0, "valid"),
        ([VALID, "--set", "spec.region="], 1, "[required]"),
        ([VALID, "--set", "spec.regio=x"], 2, ""),
        ([str(CORPUS.parents[1] / "examples" / "civo-dev")], 0, "valid"),
        ([], 2, ""),
        (["--overlay", "dev", VALID], 2, ""),
        (["--output", "xml", VALID], 2, ""),
        (["-f"], 2, ""),
    ],
)
def test_validate_exits_with_the_documented_codes(
    arguments: list[str], code: int, expected_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Zero: everything is valid. One: a violation. Two: an unreadable file, or a wrong command line."""
    assert cli.main(["validate", *arguments]) == code
    assert expected_text in capsys.readouterr().out


def _cycle(folder: pathlib.Path) -> list[pathlib.Path]:
    head = "apiVersion: civo.project-planton.org/v1\nkind: {}\nmetadata:\n  name: {}\n"
    relation = "  relationships:\n    - {kind: CivoFirewall, name: fw, type: depends_on}\n"
    network = "spec: {{civoCredentialId: default, networkName: {}, region: lon1}}\n"
    texts = {
        "a.yaml": head.format("CivoVpc", "other") + network.format("other"),
        "b.yaml": head.format("CivoVpc", "net") + relation + network.format("net"),
        "c.yaml": head.format("CivoFirewall", "fw") + "spec:\n  name: fw\n  networkId: {valueFrom: {name: net}}\n",
    }
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    return [folder / name for name in texts]


def test_cycles_across_files_are_reported(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message has the place of each step. One manifest is invalid, and no engine starts."""
    other, network, firewall = _cycle(tmp_path)
    assert cli.main(["validate", "-f", str(tmp_path), "-o", "json"]) == 1
    data = json.loads(capsys.readouterr().out)
    [violation] = data["violations"]
    assert violation["rule_id"] == "reference.no_circle"
    assert f"CivoVpc/net ({network}:6:7) →" in violation["message"]
    assert f"CivoFirewall/fw ({firewall}:7:3) →" in violation["message"]
    valid = {document["file"]: document["valid"] for document in data["documents"]}
    assert valid == {str(path): str(path) != violation["file"] for path in (other, network, firewall)}
    assert cli.main(["validate", str(other), str(network)]) == 0


def test_a_duplicate_in_one_folder_is_an_error(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The violation names the place of the first manifest. In another folder it is a warning; the same file twice is accepted."""
    other, network, _ = _cycle(tmp_path / "a")
    again = tmp_path / "a" / "d.yaml"
    again.write_bytes(other.read_bytes())
    assert cli.main(["validate", str(other), str(again), "-o", "json"]) == 1
    data = json.loads(capsys.readouterr().out)
    [violation] = data["violations"]
    assert (violation["rule_id"], violation["level"], violation["line"]) == ("reference.given_once", "error", 4)
    assert violation["message"] == f"CivoVpc/other occurs twice: also at {other}:4:9"
    assert [document["valid"] for document in data["documents"]] == [True, False]
    elsewhere, *_ = _cycle(tmp_path / "b")
    assert cli.main(["validate", str(other), str(elsewhere)]) == 0
    assert f"{elsewhere}:4:9: warning: metadata.name: CivoVpc/other occurs twice" in capsys.readouterr().out
    assert cli.main(["validate", str(other), str(other), str(network)]) == 0
    assert "occurs twice" not in capsys.readouterr().out
    other.write_text(f"{other.read_text('utf-8')}---\n{other.read_text('utf-8')}", "utf-8")
    assert cli.main(["validate", str(other)]) == 1
    assert f"metadata.name: CivoVpc/other occurs twice: also at {other}:4:9" in capsys.readouterr().out


def test_a_duplicate_does_not_hide_a_cycle(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first of two manifests is part of the cycle, and the second has no dependency."""
    other, network, firewall = _cycle(tmp_path)
    again = tmp_path / "d.yaml"
    again.write_text(other.read_text("utf-8").replace("name: other", "name: net"), "utf-8")
    assert cli.main(["validate", str(network), str(firewall), str(again)]) == 1
    assert "reference.no_circle" in capsys.readouterr().out


def _networks(folder: pathlib.Path, provider: str, *ranges: str) -> list[pathlib.Path]:
    groups = {
        "Civo": ("civo", "civoCredentialId: default, networkName: net, region: lon1"),
        "DigitalOcean": ("digital-ocean", "region: fra1"),
    }
    group, _ = groups[provider]
    folder.mkdir(exist_ok=True)
    files = []
    for number, cidr in enumerate(ranges):
        spec = groups[provider][1].replace("networkName: net", f"networkName: net-{number}")
        files.append(folder / f"{number}.yaml")
        head = f"apiVersion: {group}.project-planton.org/v1\nkind: {provider}Vpc\nmetadata:\n  name: {folder.name}-{number}\n"
        files[-1].write_text(f"{head}spec:\n  {spec.replace(', ', chr(10) + '  ')}\n  ipRangeCidr: {cidr}\n", "utf-8")
    return files


def test_two_networks_with_one_cloud_name_are_reported(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one folder this is an error; in two folders they may belong to two accounts."""
    first, _, _ = _cycle(tmp_path / "a")
    second = tmp_path / "a" / "twin.yaml"
    second.write_text(first.read_text("utf-8").replace("name: other", "name: twin"), "utf-8")
    assert cli.main(["validate", str(first), str(second), "-o", "json"]) == 1
    [violation] = json.loads(capsys.readouterr().out)["violations"]
    assert (violation["rule_id"], violation["path"], violation["line"]) == ("reference.cloud_name_once", "spec.networkName", 5)
    assert f"of CivoVpc/other ({first}:5:48)" in violation["message"]
    elsewhere, *_ = _cycle(tmp_path / "b")
    assert cli.main(["validate", str(second), str(elsewhere)]) == 0
    assert "warning: spec.networkName: network 'other' is also" in capsys.readouterr().out


def test_overlapping_networks_of_one_folder_are_an_error(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The later network is invalid and the message names the earlier one. In another folder it is a warning."""
    first, second = _networks(tmp_path / "a", "DigitalOcean", "10.10.0.0/16", "10.10.16.0/20")
    assert cli.main(["validate", str(tmp_path / "a"), "-o", "json"]) == 1
    data = json.loads(capsys.readouterr().out)
    [violation] = data["violations"]
    assert (violation["file"], violation["line"], violation["column"]) == (str(second), 7, 16)
    assert (violation["path"], violation["rule_id"], violation["level"]) == ("spec.ipRangeCidr", "network.no_overlap", "error")
    assert f"10.10.0.0/16 of DigitalOceanVpc/a-0 ({first}:7:16)" in violation["message"]
    assert [document["valid"] for document in data["documents"]] == [True, False]
    [elsewhere] = _networks(tmp_path / "b", "DigitalOcean", "10.10.0.0/20")
    assert cli.main(["validate", str(first), str(elsewhere)]) == 0
    assert f"{elsewhere}:7:16: warning: spec.ipRangeCidr: 10.10.0.0/20 overlaps" in capsys.readouterr().out


def test_overlapping_networks_on_civo_are_a_warning(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Civo accepts overlapping ranges."""
    _networks(tmp_path / "a", "Civo", "10.10.0.0/16", "10.10.16.0/20")
    assert cli.main(["validate", str(tmp_path / "a")]) == 0
    assert capsys.readouterr().out.count("warning: spec.ipRangeCidr: 10.10.16.0/20 overlaps with 10.10.0.0/16") == 1


def test_a_plan_refuses_overlapping_networks(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The refusal comes before any request to the cloud."""
    _networks(tmp_path / "a", "DigitalOcean", "10.10.0.0/16", "10.10.16.0/20")
    assert cli.main(["plan", "-f", str(tmp_path / "a")]) == 1
    assert "network.no_overlap" in capsys.readouterr().err


def test_a_policy_violation_does_not_hide_reference_violations(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Duplicates and cycles are reported together with the user's own rules."""
    other, network, firewall = _cycle(tmp_path / "a")
    again = tmp_path / "a" / "d.yaml"
    again.write_bytes(other.read_bytes())
    policy = tmp_path / "never.policy.yaml"
    rule = "  - {id: acme.never, kinds: [CivoVpc, CivoFirewall], message: never, expression: 'false'}\n"
    policy.write_text(f"apiVersion: policy.project-planton.org/v1\nkind: Policy\nrules:\n{rule}", "utf-8")
    for files, rule_id in (([other, again], "reference.given_once"), ([network, firewall], "reference.no_circle")):
        assert cli.main(["validate", *map(str, files), "--policy", str(policy), "-o", "json"]) == 1
        data = json.loads(capsys.readouterr().out)
        assert [violation["rule_id"] for violation in data["violations"]] == ["acme.never", "acme.never", rule_id]
        assert [document["valid"] for document in data["documents"]] == [False, False]
        assert cli.main(["validate", *map(str, files), "--policy", str(policy)]) == 1
        assert capsys.readouterr().out.endswith("2 documents in 2 files: 3 violations in 2 documents\n")


def test_validate_prints_the_same_with_and_without_options(capsys: pytest.CaptureFixture[str]) -> None:
    """A call without options takes a faster path."""
    cli.main(["validate", VALID, INVALID, "nowhere.yaml"])
    short = capsys.readouterr()
    cli.main(["validate", "--output", "text", VALID, INVALID, "nowhere.yaml"])
    assert capsys.readouterr() == short


def test_json_output_has_every_document_violation_and_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The output is one JSON object."""
    assert cli.main(["validate", VALID, INVALID, "nowhere.yaml", "-o", "json"]) == 2
    data = json.loads(capsys.readouterr().out)
    assert data["valid"] is False
    assert [document["valid"] for document in data["documents"]] == [True, False]
    assert data["violations"][0]["rule_id"] == "required"
    assert data["violations"][0]["path"] == "spec.region"
    assert data["errors"][0]["reason"] == "MANIFEST_UNREADABLE"


def test_sarif_output_has_rule_and_place_of_every_violation(capsys: pytest.CaptureFixture[str]) -> None:
    """Code hosts show them in the file."""
    assert cli.main(["validate", INVALID, "--output", "sarif"]) == 1
    log = json.loads(capsys.readouterr().out)
    (result,) = log["runs"][0]["results"]
    assert log["version"] == "2.1.0"
    assert result["ruleId"] == log["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "required"
    location = result["locations"][0]["physicalLocation"]
    assert location["region"] == {"startLine": 5, "startColumn": 1}
    assert location["artifactLocation"]["uri"].endswith("required%40region.yaml")


def test_a_dash_validates_standard_input() -> None:
    """The place of a violation starts with the dash."""
    completed = run("validate", "-", stdin=pathlib.Path(INVALID).read_bytes())
    assert completed.returncode == 1
    assert completed.stdout.startswith(b"-:5:1: spec.region: value is required [required]\n")


def test_the_process_ends_with_the_exit_code_and_leaves_no_file(tmp_path: pathlib.Path) -> None:
    """All output is flushed before it ends."""
    completed = subprocess.run(
        [sys.executable, "-m", "planton", "validate", VALID, INVALID], capture_output=True, check=False, cwd=tmp_path, text=True
    )
    assert (completed.returncode, completed.stderr) == (1, "")
    assert completed.stdout.endswith("2 documents in 2 files: 1 violation in 1 document\n")
    assert list(tmp_path.iterdir()) == []


def test_validate_imports_no_heavy_package() -> None:
    """Pulumi, gRPC, the web framework, and the option parser stay unimported."""
    code = (
        "import sys; from planton import cli; cli.main(['validate', sys.argv[1]]);"
        "print([name for name in ('pulumi', 'pulumi_civo', 'grpc', 'aiohttp', 'click', 'difflib', 'rich') if name in sys.modules])"
    )
    completed = subprocess.run([sys.executable, "-c", code, VALID], capture_output=True, check=True, text=True)
    assert completed.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["version"], ["plan", "--help"], ["state", "--help"], ["nodepools", "--help"], ["server", "--help"]]
)
def test_help_and_version_import_no_heavy_package(arguments: list[str]) -> None:
    """Imports inside functions exist for this; benchmarks/late_imports.py shows what each saves."""
    code = (
        "import sys; from planton import cli; cli.main(sys.argv[1:]);"
        "print([name for name in ('pulumi', 'sqlalchemy', 'grpc', 'httpx', 'cel_expr_python', 'planton.deploy.sdk', 'rich')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_imports_no_command() -> None:
    """The list of commands comes from the table."""
    code = "import sys; from planton import cli; cli.main(['--help']); print(*(m for m in sys.modules if m.startswith('planton.cli.')))"
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    commands = {module.partition(":")[0] for module, _ in cli.COMMANDS.values()}
    assert commands & set(completed.stdout.splitlines()[-1].split()) == set()
    assert all(f"  {name} " in completed.stdout for name in cli.COMMANDS)


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_exists(name: str) -> None:
    """The table names its module and attribute, and its help is not empty."""
    module, _, attribute = cli.COMMANDS[name][0].partition(":")
    command = getattr(importlib.import_module(module), attribute)
    assert command.help


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_examples_in_help_keep_their_line_breaks(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The marker for preformatted lines is not part of the output."""
    assert cli.main([name, "--help"]) == 0
    output = capsys.readouterr().out
    assert "\\b" not in output
    assert "\b" not in output


@pytest.mark.parametrize(
    ("arguments", "code", "expected_text"),
    [
        (["validat"], 2, "no such command 'validat'; did you mean 'validate'?"),
        (["qqqqqq"], 2, "no such command 'qqqqqq'"),
        (["--nothing"], 2, "No such option"),
        (["validate", "--outptu", "x"], 2, "--output"),
        (["completion", "tcsh"], 2, "tcsh"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(
    arguments: list[str], code: int, expected_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard error has the message and the nearest command."""
    assert cli.main(arguments) == code
    captured = capsys.readouterr()
    assert expected_text in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_completion_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The script calls planton for the completions."""
    assert cli.main(["completion", shell]) == 0
    assert "_PLANTON_COMPLETE" in capsys.readouterr().out


def test_completions_come_from_the_table_of_commands() -> None:
    """The shell passes the words in environment variables."""
    completed = run(_PLANTON_COMPLETE="bash_complete", COMP_WORDS="planton v", COMP_CWORD="1")
    assert completed.stdout.decode().split() == ["plain,validate", "plain,version", "plain,versions"]


def test_version_shows_what_a_bug_report_needs(capsys: pytest.CaptureFixture[str]) -> None:
    """The output is text or JSON."""
    assert cli.main(["version", "-o", "json"]) == 0
    assert {"planton", "python", "protobuf"} <= set(json.loads(capsys.readouterr().out))
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("planton ")


def failing(error: BaseException) -> Callable[[list[str]], int]:
    def fail(_arguments: list[str]) -> int:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code", "expected_text"),
    [
        (KeyboardInterrupt(), 130, "Interrupted."),
        (RuntimeError("a\nb"), 70, "Error: unexpected RuntimeError: a b (set PLANTON_DEBUG=1 for details)"),
        (ModuleNotFoundError("x", name="pulumi.automation"), 8, "project-planton[civo]"),
        (ModuleNotFoundError("x", name="aiohttp"), 8, "project-planton[sandbox]"),
        (ModuleNotFoundError("x", name="strange"), 70, "ModuleNotFoundError"),
        (
            errors.PlantonError("no luck", reason=errors.Reason.STACK_LOCKED, hint="wait"),
            7,
            "Error: no luck\nHint: wait",
        ),
        (errors.InvalidError([errors.Violation("f", 1, 2, "a.b", "must be", "r.id")]), 1, "f:1:2: a.b: must be [r.id]"),
    ],
)
def test_every_error_is_one_message_and_an_exit_code(
    error: BaseException, code: int, expected_text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback is shown."""
    monkeypatch.delenv("PLANTON_DEBUG", raising=False)
    assert cli.report_failures(failing(error), ["validate", VALID]) == code
    captured = capsys.readouterr()
    assert expected_text in captured.err
    assert "Traceback" not in captured.err


def test_a_traceback_is_shown_only_with_the_debug_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The variable is PLANTON_DEBUG."""
    monkeypatch.setenv("PLANTON_DEBUG", "1")
    assert cli.report_failures(failing(RuntimeError("x")), ["validate", VALID]) == 70
    assert "Traceback" in capsys.readouterr().err


def _unread(code: str, *arguments: str, both: bool = False) -> tuple[int, str]:
    """Runs code whose standard output is a closed pipe; returns the exit code and standard error."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        completed = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            stdout=writing,
            stderr=writing if both else subprocess.PIPE,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writing)
    return completed.returncode, (completed.stderr or b"").decode()


MAIN = "import sys; from planton import cli; sys.exit(cli.main())"


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate", str(CORPUS)],
        ["validate", "-o", "json", str(CORPUS)],
        ["explain", "CivoVpc"],
        ["--help"],
        ["version"],
    ],
)
@pytest.mark.parametrize("both", [False, True])
def test_a_command_with_a_closed_pipe_ends_quietly(arguments: list[str], *, both: bool) -> None:
    """The exit code is that of a program ended by SIGPIPE."""
    assert _unread(MAIN, *arguments, both=both) == (141, "")


@pytest.mark.parametrize(("code", "ends"), [(0, 141), (6, 6)])
@pytest.mark.parametrize("both", [False, True])
def test_a_command_with_side_effects_finishes_despite_a_closed_pipe(
    code: int, ends: int, tmp_path: pathlib.Path, *, both: bool
) -> None:
    """A failure code has precedence over that of the pipe."""
    program = f"""
import pathlib, sys
from planton import cli
from planton.cli import render

def apply(arguments):
    file = arguments[1]
    render.echo_lines(["Plan: 1 to create"])
    render.progress("creating")
    pathlib.Path(file).write_text("done")
    render.echo_lines(["Apply: 1 created"])
    raise SystemExit({code})

sys.exit(cli.main(run=apply))
"""
    marker = tmp_path / "done"
    assert _unread(program, "apply", str(marker), both=both)[0] == ends
    assert marker.read_text() == "done"


def test_a_terminal_shows_the_source_line_with_a_caret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caret is under the column of the violation."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stdout", _Terminal())
    output.show_violation(errors.Violation("f", 3, 4, "a", "must be", "r", source="\tb: no"))
    assert sys.stdout.getvalue() == "f:3:4: a: must be [r]\n    \tb: no\n    \t  ^\n"  # type: ignore[attr-defined]  # a terminal of this test


def test_a_misspelled_kind_gets_a_suggestion() -> None:
    """The case of letters is ignored."""
    assert suggestions.suggest("civovpc", [kind.name for kind in kinds.all_kinds()]) == "did you mean 'CivoVpc'?"


def test_no_color_disables_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The NO_COLOR variable applies to terminals too."""
    outputs = []
    for value in ("", "1"):
        monkeypatch.setenv("NO_COLOR", value)
        monkeypatch.setattr("sys.stdout", _Terminal())
        output.echo(terminal.style("x", "red"))
        outputs.append(sys.stdout.getvalue())  # type: ignore[attr-defined]  # a terminal of this test
    assert outputs == ["\x1b[31mx\x1b[0m\n", "x\n"]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_refresh_accepts_the_option_of_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    """It asks nothing, so ``--yes`` has no effect. Pulumi's refresh needs it."""
    assert cli.main(["refresh", "--yes"]) == errors.Code.USAGE
    assert "no such option" not in capsys.readouterr().err.lower()
