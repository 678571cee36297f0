"""What a session decides without an engine: which stand-ins serve, and what outputs mean."""

from __future__ import annotations

import asyncio
import contextlib
import json
import pathlib
import socket
import threading
from typing import Any

import pytest
from pulumi.runtime import sync_await

from planton import errors
from planton.config import settings
from planton.engine import logs, outputs, program, session, stacks, stand_ins, state_errors, stored, toolchain
from planton.schema import kinds
from support import mocks

LOCAL = {"PULUMI_DEBUG_PROVIDERS": "civo:1234", "CIVO_API_URL": "http://127.0.0.1:8080"}
ATTACHED = {"PULUMI_DEBUG_PROVIDERS": "civo:1234", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}
NONE = {"PULUMI_DEBUG_PROVIDERS": ""}


def _tools(*plugins: str) -> toolchain.Toolchain:
    return toolchain.Toolchain(pathlib.Path("pulumi"), pathlib.Path(), frozenset(plugins))


def _config(endpoint: str = "") -> Any:
    return mocks.stack_input(mocks.target("CivoVpc", {}), apiEndpoint=endpoint).provider_config


@pytest.fixture
def sandbox_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody listens at every port."""
    monkeypatch.setattr(stand_ins, "answers", lambda _address: True)


@pytest.mark.usefixtures("sandbox_runs")
@pytest.mark.parametrize(
    ("environ", "plugins", "endpoint", "expected"),
    [
        (LOCAL, (), "", ATTACHED),
        ({"PULUMI_DEBUG_PROVIDERS": "civo:1234"}, (), "http://localhost:8080", ATTACHED),
        ({"PULUMI_DEBUG_PROVIDERS": "civo:1234"}, (), "http://[::1]:8080", ATTACHED),
        (LOCAL, ("civo",), "", NONE),
        ({}, ("civo",), "", NONE),
        (LOCAL | {"PULUMI_DEBUG_PROVIDERS": "civo:1234,aws:99,junk"}, (), "", ATTACHED),
    ],
)
def test_a_stand_in_serves_where_requests_stay_on_this_machine(
    environ: dict[str, str], plugins: tuple[str, ...], endpoint: str, expected: dict[str, str]
) -> None:
    """An installed official plugin is used before it."""
    assert stand_ins.variables(environ, _tools(*plugins), _config(endpoint)) == expected


@pytest.mark.parametrize(
    ("environ", "endpoint"),
    [
        ({}, ""),
        ({"CIVO_API_URL": "http://127.0.0.1:8080"}, ""),
        ({"PULUMI_DEBUG_PROVIDERS": "civo:1234"}, ""),
        ({"PULUMI_DEBUG_PROVIDERS": "civo:1234", "CIVO_API_URL": "https://api.civo.com"}, ""),
        (LOCAL, "https://api.civo.com"),
        ({"PULUMI_DEBUG_PROVIDERS": "civo:1234"}, "https://127.0.0.1.example.org"),
    ],
)
def test_nothing_stands_in_against_a_real_cloud(environ: dict[str, str], endpoint: str) -> None:
    """A real token must never reach a stand-in; the error says what to install."""
    with pytest.raises(errors.PlantonError, match="the official civo plugin is not installed") as caught:
        stand_ins.variables(environ, _tools(), _config(endpoint))
    assert caught.value.reason is errors.Reason.TOOLCHAIN_MISSING
    assert "install it: planton setup;" in caught.value.hint


def test_operations_without_a_program_need_no_plugin() -> None:
    """Outputs are read where nothing is installed."""
    assert stand_ins.variables({}, _tools(), None) == NONE


@pytest.mark.parametrize("dead", ["CIVO_API_URL", "PULUMI_DEBUG_PROVIDERS"])
@pytest.mark.parametrize("plugins", [(), ("civo",)])
def test_a_sandbox_that_was_stopped_is_named_before_the_engine_starts(dead: str, plugins: tuple[str, ...]) -> None:
    """Its API and its stand-in are asked for; an official plugin needs the first only, and looking at states neither."""
    with socket.create_server(("127.0.0.1", 0)) as served, socket.create_server(("127.0.0.1", 0)) as closed:
        alive, gone = served.getsockname()[1], closed.getsockname()[1]
        closed.close()
        ports = {"CIVO_API_URL": alive, "PULUMI_DEBUG_PROVIDERS": alive} | {dead: gone}
        environ = {
            "CIVO_API_URL": f"http://127.0.0.1:{ports['CIVO_API_URL']}",
            "PULUMI_DEBUG_PROVIDERS": f"civo:{ports['PULUMI_DEBUG_PROVIDERS']}",
        }
        assert stand_ins.variables(environ, _tools(), None)["PULUMI_DEBUG_PROVIDERS"] == environ["PULUMI_DEBUG_PROVIDERS"]
        if plugins and dead == "PULUMI_DEBUG_PROVIDERS":
            assert stand_ins.variables(environ, _tools(*plugins), _config()) == NONE
            return
        with pytest.raises(errors.PlantonError, match=f"does not run: nothing listens at http://127.0.0.1:{gone}") as caught:
            stand_ins.variables(environ, _tools(*plugins), _config())
    assert caught.value.reason is errors.Reason.CLOUD_UNREACHABLE
    assert "planton sandbox start" in caught.value.hint
    assert "planton sandbox env --unset" in caught.value.hint


def test_outputs_become_the_kinds_message() -> None:
    """Numbers that came as floats are whole, the manifest is left out, and so is what has no value."""
    raw = {"node_pool_id": "workers", "node_ids": ["a"], "node_count": 3.0, "node_names": None, "manifest": "{}"}
    parsed: Any = outputs.parse(kinds.get("CivoKubernetesNodePool"), raw)
    assert (parsed.node_pool_id, list(parsed.node_ids), parsed.node_count) == ("workers", ["a"], 3)


@pytest.mark.parametrize("raw", [{"nodepool": "x"}, {"node_count": "many"}, {"node_ids": "x"}])
def test_an_output_that_the_message_does_not_know_is_an_error(raw: dict[str, Any]) -> None:
    """A misspelt name in a module fails instead of vanishing."""
    with pytest.raises(errors.PlantonError, match="CivoKubernetesNodePoolStackOutputs does not know") as caught:
        outputs.parse(kinds.get("CivoKubernetesNodePool"), raw)
    assert caught.value.reason is errors.Reason.OUTPUT_INVALID


def _settings(folder: pathlib.Path, backend: pathlib.Path | None = None) -> settings.Settings:
    environ = {"PLANTON_DATA_DIR": str(folder)}
    return settings.Settings(backend="" if backend is None else backend.as_uri(), environ=environ)


def _stored(folder: pathlib.Path, backend: pathlib.Path | None = None, *, organization: str = "") -> stored.StoredStack:
    return stored.StoredStack(stacks.StackName("planton", "a", organization), _settings(folder, backend), _tools("civo"))


def _pulumi(folder: pathlib.Path, script: str) -> toolchain.Toolchain:
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    return toolchain.Toolchain(program, folder / "launcher", frozenset())


def test_a_stack_that_another_command_has_just_created_is_opened(tmp_path: pathlib.Path) -> None:
    """Two first applies at once both find the stack; the lock decides which of them continues."""
    tools = _pulumi(tmp_path, 'case "$*" in *init*) echo "error: stack \'a\' already exists" >&2; exit 255;; esac')
    opened = stored.StoredStack(stacks.StackName("planton", "a"), _settings(tmp_path), tools)
    assert opened.open(create=True).name == "a"


def test_a_program_whose_engine_has_died_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would wait for an answer for ever, and its thread would keep this process from ending."""
    begun = threading.Event()

    async def waits() -> None:
        begun.set()
        await asyncio.get_running_loop().create_future()

    async def in_loop() -> None:
        run()

    def runs() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(in_loop())

    given = mocks.stack_input(mocks.target("CivoVpc", {"networkName": "a"}))
    run = program.Program(given, imports={}, origin="")
    monkeypatch.setattr(program.modules, "run", lambda *_args, **_more: sync_await._sync_await(waits()))
    monkeypatch.setattr(program.Program, "_sign", lambda _self: None)
    thread = threading.Thread(target=runs, daemon=True)
    thread.start()
    begun.wait()
    run.end()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize(("file", "is_stored"), [("", False), ("a.json", True), ("a.json.gz", True)])
def test_a_stack_without_a_file_in_the_folder_is_not_stored(tmp_path: pathlib.Path, file: str, *, is_stored: bool) -> None:
    """An empty or compressed one is. Without a file, no program starts to find out."""
    folder = tmp_path / ".pulumi" / "stacks" / "planton"
    folder.mkdir(parents=True)
    if file:
        (folder / file).touch()
    started = tmp_path / "started"
    tools = _pulumi(tmp_path, f": > {started}")
    opened = stored.StoredStack(stacks.StackName("planton", "a"), _settings(tmp_path, tmp_path), tools)
    assert opened.is_stored() is is_stored
    assert started.exists() is (file == "a.json.gz")


def test_the_state_in_a_folder_is_read_as_it_is(tmp_path: pathlib.Path) -> None:
    """One that cannot be read is damaged; one of another owner is in no folder."""
    file = tmp_path / ".pulumi" / "stacks" / "planton" / "a.json"
    file.parent.mkdir(parents=True)
    opened = _stored(tmp_path, tmp_path)
    assert opened.state_file == file
    file.write_text('{"checkpoint": {"latest": {"resources": []}}}', "utf-8")
    assert opened.export() == {"resources": []}
    file.write_text('{"checkpoint": {"lat', "utf-8")
    with pytest.raises(state_errors.StateDamagedError, match=r"a\.json is damaged"):
        opened.export()
    assert _stored(tmp_path, tmp_path, organization="acme").state_file is None
    assert _stored(tmp_path, tmp_path, organization=stacks.NO_OWNER).state_file == file


@pytest.mark.parametrize("is_pending", [False, True])
def test_a_copy_of_a_state_in_a_folder_starts_pulumi_only_for_pending_operations(
    tmp_path: pathlib.Path, *, is_pending: bool
) -> None:
    """A plan with a refresh works on a copy. Pulumi drops the pending operations of a state that it imports."""
    state = {"resources": [], **({"pending_operations": [{"type": "creating"}]} if is_pending else {})}
    source, target = tmp_path / "source", tmp_path / "target"
    file = source / ".pulumi" / "stacks" / "planton" / "a.json"
    file.parent.mkdir(parents=True)
    target.mkdir()
    file.write_text(json.dumps({"checkpoint": {"latest": state}}), "utf-8")
    (source / ".pulumi" / "meta.yaml").write_text("version: 1\n", "utf-8")
    tools = _pulumi(tmp_path, f'echo "$@" >> {tmp_path}/commands')
    opened = stored.StoredStack(stacks.StackName("planton", "a"), _settings(tmp_path, source), tools)
    copy = opened.copied_into(target)
    assert (tmp_path / "commands").exists() is is_pending
    if not is_pending:
        assert copy.export() == state
        assert (target / ".pulumi" / "meta.yaml").read_text("utf-8") == "version: 1\n"


def test_outputs_are_read_with_one_command_and_their_secrets_are_hidden_from_logs(tmp_path: pathlib.Path) -> None:
    """The state says which of them are secret."""
    file = tmp_path / ".pulumi" / "stacks" / "planton" / "a.json"
    file.parent.mkdir(parents=True)
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "x"}
    resources = [{"urn": "u", "type": "pulumi:pulumi:Stack", "outputs": {"id": "plain value", "key": secret}}]
    file.write_text(json.dumps({"checkpoint": {"latest": {"resources": resources}}}), "utf-8")
    printed = json.dumps({"id": "plain value", "key": "secret value"})
    tools = _pulumi(tmp_path, f"echo \"$@\" >> {tmp_path}/commands; echo '{printed}'")
    opened = stored.StoredStack(stacks.StackName("planton", "a"), _settings(tmp_path, tmp_path), tools)
    log = logs.begin("outputs", [], {"PLANTON_LOG_DIR": str(tmp_path / "logs")})
    try:
        assert opened.outputs() == {"id": "plain value", "key": "secret value"}
        logs.note("plain value, secret value")
    finally:
        logs.end()
    assert (tmp_path / "commands").read_text("utf-8").count("\n") == 1
    written = log.path.read_text("utf-8")
    assert "plain value" in written
    assert "secret value" not in written


def test_a_destroy_of_nothing_starts_no_plugin(tmp_path: pathlib.Path) -> None:
    """It could fail for ever: in a region that does not exist, or with a token that was revoked."""
    file = tmp_path / ".pulumi" / "stacks" / "planton" / "a.json"
    file.parent.mkdir(parents=True)
    resources = [{"urn": "u", "type": "pulumi:providers:civo", "id": "1", "custom": True}]
    file.write_text(json.dumps({"checkpoint": {"latest": {"resources": resources}}}), "utf-8")
    tools = _pulumi(tmp_path, f'echo "$@" >> {tmp_path}/commands; /bin/cat > {tmp_path}/state')
    opened = stored.StoredStack(stacks.StackName("planton", "a"), _settings(tmp_path, tmp_path), tools)
    assert session.Session(opened, None).destroy().plan.empty
    assert (tmp_path / "commands").read_text("utf-8").split()[1:3] == ["stack", "import"]
    assert json.loads((tmp_path / "state").read_text("utf-8"))["deployment"] == {"resources": []}


@pytest.mark.parametrize("call", ["unlock", "remove", "replace_state"])
def test_a_backend_that_fails_is_an_error_with_a_reason(call: str, tmp_path: pathlib.Path) -> None:
    """Complaints of Pulumi's commands on a stack are no faults of planton."""
    failing = 'case "$*" in *select*) exit 0;; esac; echo "error: the stack is currently locked by 1 lock(s)" >&2; exit 255'
    name = stacks.StackName("planton", "a", "owner")  # a folder has no owners
    opened = stored.StoredStack(name, _settings(tmp_path), _pulumi(tmp_path, failing))
    with pytest.raises(errors.PlantonError) as caught:
        getattr(opened, call)(*([{}] if call == "replace_state" else []))
    assert caught.value.reason is errors.Reason.STACK_LOCKED
