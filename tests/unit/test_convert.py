"""``planton convert``: the same content in three formats, with secrets only on request."""

import json
import pathlib
import stat
import subprocess
import sys

import pytest
import yaml
from google.protobuf import message

from planton import cli, errors, manifest
from planton.config import credentials
from planton.manifest import convert, load
from planton.schema import kinds

CORPUS = pathlib.Path(__file__).parents[1] / "kinds"
VALID = sorted(path for kind in kinds.all_kinds() for path in (CORPUS / kind.name / "valid").glob("*.yaml"))
FORMS = (convert.YAML, convert.JSON, convert.BINARY)
TOKEN = "token-of-the-test"  # of no real account
EXAMPLE = CORPUS / "CivoVpc" / "valid" / "example.yaml"
CLUSTER = CORPUS / "CivoKubernetesCluster" / "valid" / "example.yaml"


def name(path: pathlib.Path) -> str:
    return f"{path.parent.parent.name}/{path.name}"


def only(path: pathlib.Path) -> message.Message:
    return convert.read(load.Text(path.name, path.read_bytes()), form=convert.YAML)[0]


@pytest.fixture
def account(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "account.yaml"
    path.write_text(f"apiToken: {TOKEN}\ndefaultRegion: lon1\n", "utf-8")
    return path


@pytest.mark.parametrize("path", VALID, ids=name)
def test_every_format_preserves_a_manifest(path: pathlib.Path) -> None:
    """A round trip returns an equal message and equal bytes."""
    value = only(path)
    for form in FORMS:
        data = convert.dump([value], form)
        assert convert.read(load.Text("x", data), form=form) == [value]
        assert convert.dump(convert.read(load.Text("x", data), form=form), form) == data


@pytest.mark.parametrize("path", VALID, ids=name)
def test_every_format_preserves_a_stack_input(path: pathlib.Path) -> None:
    """A round trip preserves secrets, and the target is the manifest with its defaults."""
    value = only(path)
    kind = convert.kind_of(value)
    secret = next(field.name for field in kind.cloud.credentials if field.name.endswith("_token"))
    config = kind.provider_config(**{secret: TOKEN})
    credentials.set_region(config, kind.cloud.sample_region)
    built = convert.as_stack_input(value, config)
    for form in FORMS:
        data = convert.dump([built], form, show_secrets=True)
        assert convert.read(load.Text("x", data), form=form) == [built]
        assert convert.as_manifest(convert.read(load.Text("x", data), form=form)[0]) == built.target
    assert getattr(built.provider_config, secret) == TOKEN


@pytest.mark.parametrize("form", FORMS)
def test_secrets_are_redacted_unless_requested(form: str) -> None:
    """This covers secrets of the account and of the outputs, in every format."""
    value = only(CLUSTER)
    value.status.outputs.kubeconfig_b64 = "a3ViZWNvbmZpZw=="
    built = convert.as_stack_input(value, kinds.get("CivoKubernetesCluster").provider_config(api_token=TOKEN))
    for secret, candidate in ((TOKEN, built), ("a3ViZWNvbmZpZw==", built), ("a3ViZWNvbmZpZw==", value)):
        assert secret.encode() not in convert.dump([candidate], form)
        assert secret.encode() in convert.dump([candidate], form, show_secrets=True)
        assert b"[redacted]" in convert.dump([candidate], form)


def test_the_order_of_maps_does_not_change_the_output() -> None:
    """Equal messages give equal text and bytes."""
    first, second = only(EXAMPLE), only(EXAMPLE)
    for number in range(20):
        first.metadata.labels[f"k{number}"] = "v"
        second.metadata.labels[f"k{19 - number}"] = "v"
    for form in FORMS:
        assert convert.dump([first], form) == convert.dump([second], form)


def run(*arguments: object) -> int:
    return cli.main(["convert", *map(str, arguments)])


def test_formats_come_from_file_names(tmp_path: pathlib.Path, account: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A manifest survives a stack input and back, and a file with secrets is private."""
    binary = tmp_path / "vpc.binpb"
    assert run("-f", EXAMPLE, "--as", "stack-input", "-p", account, "--show-secrets", "-o", binary) == 0
    assert stat.S_IMODE(binary.stat().st_mode) == 0o600
    assert TOKEN.encode() in binary.read_bytes()
    assert run("-f", binary, "--to", "yaml") == 0
    captured = capsys.readouterr()
    data = yaml.safe_load(captured.out)
    assert data["target"]["kind"] == "CivoVpc"
    assert data["provider_config"] == {"apiToken": "[redacted]", "defaultRegion": "lon1"}
    assert "secrets are redacted" in captured.err
    assert run("-f", binary, "--to", "yaml", "--show-secrets") == 0
    assert yaml.safe_load(capsys.readouterr().out)["provider_config"]["apiToken"] == TOKEN
    assert run("-f", binary, "--as", "manifest", "-o", tmp_path / "vpc.json") == 0
    assert capsys.readouterr().err == ""
    assert json.loads((tmp_path / "vpc.json").read_text())["spec"] == yaml.safe_load(EXAMPLE.read_text())["spec"]
    assert manifest.read((tmp_path / "vpc.json").read_bytes(), file="x")[0][0].message == only(EXAMPLE)


def test_a_readable_file_becomes_private_with_secrets(tmp_path: pathlib.Path, account: pathlib.Path) -> None:
    """A file without secrets keeps its mode."""
    target = tmp_path / "x.yaml"
    target.write_text("old", "utf-8")
    target.chmod(0o644)
    assert run("-f", EXAMPLE, "-o", target) == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert run("-f", EXAMPLE, "--as", "stack-input", "-p", account, "-o", target, "--show-secrets") == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert TOKEN in target.read_text("utf-8")


def test_an_account_replaces_a_redacted_account(tmp_path: pathlib.Path, account: pathlib.Path) -> None:
    """The option ``-p`` supplies the secrets again."""
    redacted = tmp_path / "redacted.json"
    full = tmp_path / "full.json"
    assert run("-f", EXAMPLE, "--as", "stack-input", "-p", account, "-o", redacted) == 0
    assert TOKEN not in redacted.read_text()
    assert run("-f", redacted, "-p", account, "--show-secrets", "-o", full) == 0
    assert json.loads(full.read_text())["provider_config"]["apiToken"] == TOKEN


def test_binary_data_passes_through_pipes(account: pathlib.Path) -> None:
    """It is written to standard output and read from standard input."""
    code = "import sys; from planton import cli; sys.exit(cli.main())"
    command = [sys.executable, "-c", code, "convert", "-f"]
    options = ["--as", "stack-input", "-p", str(account), "--show-secrets", "--to", "binary"]
    stack_input = subprocess.run([*command, str(EXAMPLE), *options], capture_output=True, check=True).stdout
    command_back = [*command, "-", "--from", "binary", "--as", "manifest", "--to", "json"]
    completed = subprocess.run(command_back, input=stack_input, capture_output=True, check=True)
    assert json.loads(completed.stdout)["metadata"]["name"] == "dev-network"


def test_binary_data_is_not_written_to_a_terminal(
    monkeypatch: pytest.MonkeyPatch, account: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command ends with a usage error."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert run("-f", EXAMPLE, "--as", "stack-input", "-p", account, "--show-secrets", "--to", "binary") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "not written to a terminal" in captured.err


@pytest.mark.parametrize("kind", [kind.name for kind in kinds.all_kinds()])
def test_binary_data_without_a_kind_needs_the_option(
    kind: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With ``--kind`` it is converted."""
    value = only(CORPUS / kind / "valid" / "example.yaml")
    built = convert.as_stack_input(value)
    for original in (built, value):
        bare = type(original)()
        bare.CopyFrom(original)
        for field in ("api_version", "kind"):
            convert.as_manifest(bare).ClearField(field)
        path = tmp_path / "bare.pb"
        path.write_bytes(bare.SerializeToString())
        assert run("-f", path, "--to", "json") == 1
        assert "--kind KIND" in capsys.readouterr().err
        assert run("-f", path, "--to", "binary", "--kind", f"{kind.lower()}s", "-o", tmp_path / "named.pb") == 0
        assert convert.read(load.Text("x", (tmp_path / "named.pb").read_bytes()), form=convert.BINARY) == [original]


def test_unknown_fields_of_binary_data_are_an_error(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Data of a newer version would lose them."""
    path = tmp_path / "newer.pb"
    path.write_bytes(only(EXAMPLE).SerializeToString() + bytes([0xFA, 0x3F, 1, 65]))  # field 1023
    assert run("-f", path, "--to", "yaml") == 1
    assert "fields that this version does not know" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "suffix", "options", "code", "expected_text"),
    [
        ("kind: CivoVpc\n", "yaml", (), 2, "--to"),
        ("kind: CivoVpc\n", "yaml", ("--to", "json"), 1, "[required]"),
        ("a: b\n", "yaml", ("--to", "json"), 1, "kind: must be set"),
        ("{", "json", ("--to", "yaml"), 1, "yaml.syntax"),
        ("target: {kind: CivoVpc}\n", "yaml", ("--to", "json"), 1, "target.spec"),
        ("\0\1\2", "pb", ("--to", "json"), 1, "no manifest or stack input in binary form"),
        ("\0\1\2", "pb", ("--to", "json", "--kind", "civovpc"), 1, "no manifest or stack input in binary form"),
        (EXAMPLE.read_text(), "yaml", ("--to", "json", "--kind", "CivoFirewall"), 1, "holds a CivoVpc, not a CivoFirewall"),
        (EXAMPLE.read_text(), "yaml", ("--to", "json", "-p", "x"), 2, "--provider-config needs --as stack-input"),
        (EXAMPLE.read_text() + "---\n" + EXAMPLE.read_text(), "yaml", ("--to", "json"), 2, "there are 2 documents"),
        (EXAMPLE.read_text(), "yaml", ("--to", "json", "--kind", "CivoVcp"), 1, "did you mean 'CivoVpc'?"),
    ],
)
def test_each_conversion_error_is_one_message(
    content: str,
    suffix: str,
    options: tuple[str, ...],
    code: int,
    expected_text: str,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Standard output stays empty."""
    path = tmp_path / f"x.{suffix}"
    path.write_text(content, "utf-8")
    assert run("-f", path, *options) == code
    captured = capsys.readouterr()
    assert expected_text in captured.err
    assert captured.out == ""


def test_binary_data_is_validated(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A violation has the path of its field."""
    built = convert.as_stack_input(only(EXAMPLE))
    built.target.spec.region = ""
    path = tmp_path / "x.bin"
    path.write_bytes(built.SerializeToString())
    assert run("-f", path, "--to", "yaml") == errors.Code.INVALID
    assert "target.spec.region: value is required [required]" in capsys.readouterr().err


def test_a_folder_is_refused_and_documents_stay_separate(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Several documents are one YAML stream."""
    (tmp_path / "two.yaml").write_text(EXAMPLE.read_text() + "---\n" + CLUSTER.read_text(), "utf-8")
    assert run("-f", tmp_path, "--to", "yaml") == 2
    assert "is a folder" in capsys.readouterr().err
    assert run("-f", tmp_path / "two.yaml", "--to", "yaml") == 0
    assert [data["kind"] for data in yaml.safe_load_all(capsys.readouterr().out)] == ["CivoVpc", "CivoKubernetesCluster"]


def test_each_reference_in_a_stack_input_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    """Modules accept resolved values only."""
    assert run("-f", CLUSTER, "--as", "stack-input", "--to", "yaml") == 0
    warnings = capsys.readouterr().err
    assert "spec.network is a reference" in warnings
    assert "spec.firewall is a reference" in warnings
