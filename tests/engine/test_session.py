"""Sessions without an engine: the choice of stand-ins, and the parsing of outputs."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import pathlib
import socket
import threading
from typing import Any

import pytest
from pulumi.runtime import sync_await

from planton import errors
from planton.base import interruption
from planton.config import logs, settings
from planton.engine import opening, outputs, program, session, stacks, stand_ins, state_errors, stored, toolchain
from planton.schema import kinds
from support import mocks

LOCAL = {"PULUMI_DEBUG_PROVIDERS": "civo:1234", "CIVO_API_URL": "http://127.0.0.1:8080"}
ATTACHED = {"PULUMI_DEBUG_PROVIDERS": "civo:1234", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}
NONE = {"PULUMI_DEBUG_PROVIDERS": ""}


def _tools(*plugins: str) -> toolchain.Toolchain:
    return toolchain.Toolchain(pathlib.Path("pulumi"), pathlib.Path(), frozenset(plugins))


def _config(endpoint: str = "") -> Any:
    return mocks.stack_input(mocks.target("CivoVpc", {}), apiEndpoint=endpoint).provider_config


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
def test_a_stand_in_is_used_if_requests_stay_on_this_machine(
    environ: dict[str, str], plugins: tuple[str, ...], endpoint: str, expected: dict[str, str]
) -> None:
    """An installed official plugin is preferred."""
    assert stand_ins.variables(environ, _tools(*plugins), _config(endpoint), listens=lambda _: True) == expected


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
def test_a_stand_in_is_never_used_with_a_real_cloud(environ: dict[str, str], endpoint: str) -> None:
    """A real token must never reach a stand-in. The error names the plugin to install."""
    with pytest.raises(errors.PlantonError, match="the official civo plugin is not installed") as caught:
        stand_ins.variables(environ, _tools(), _config(endpoint))
    assert caught.value.reason is errors.Reason.TOOLCHAIN_MISSING
    assert "install it: planton setup;" in caught.value.hint


def test_operations_without_a_program_need_no_plugin() -> None:
    """Outputs can be read without installed plugins."""
    assert stand_ins.variables({}, _tools(), None) == NONE


@pytest.mark.parametrize("dead", ["CIVO_API_URL", "PULUMI_DEBUG_PROVIDERS"])
@pytest.mark.parametrize("plugins", [(), ("civo",)])
def test_a_stopped_sandbox_is_reported_before_the_engine_starts(dead: str, plugins: tuple[str, ...]) -> None:
    """API and stand-in are probed. An official plugin needs only the API. Reading states needs neither."""
    with socket.create_server(("127.0.0.1", 0)) as served, socket.create_server(("127.0.0.1", 0)) as closed:
        alive, refused = served.getsockname()[1], closed.getsockname()[1]
        closed.close()
        ports = {"CIVO_API_URL": alive, "PULUMI_DEBUG_PROVIDERS": alive} | {dead: refused}
        environ = {
            "CIVO_API_URL": f"http://127.0.0.1:{ports['CIVO_API_URL']}",
            "PULUMI_DEBUG_PROVIDERS": f"civo:{ports['PULUMI_DEBUG_PROVIDERS']}",
        }
        assert stand_ins.variables(environ, _tools(), None)["PULUMI_DEBUG_PROVIDERS"] == environ["PULUMI_DEBUG_PROVIDERS"]
        if plugins and dead == "PULUMI_DEBUG_PROVIDERS":
            assert stand_ins.variables(environ, _tools(*plugins), _config()) == NONE
            return
        with pytest.raises(errors.PlantonError, match=f"does not run: nothing listens at http://127.0.0.1:{refused}") as caught:
            stand_ins.variables(environ, _tools(*plugins), _config())
    assert caught.value.reason is errors.Reason.CLOUD_UNREACHABLE
    assert "planton sandbox start" in caught.value.hint
    assert "planton sandbox env --unset" in caught.value.hint


def test_outputs_are_parsed_into_the_message_of_their_kind() -> None:
    """Floats become integers. The manifest and unset values are omitted."""
    raw = {"node_pool_id": "workers", "node_ids": ["a"], "node_count": 3.0, "node_names": None, "manifest": "{}"}
    parsed: Any = outputs.parse(kinds.get("CivoKubernetesNodePool"), raw)
    assert (parsed.node_pool_id, list(parsed.node_ids), parsed.node_count) == ("workers", ["a"], 3)


@pytest.mark.parametrize("raw", [{"nodepool": "x"}, {"node_count": "many"}, {"node_ids": "x"}])
def test_an_unknown_or_invalid_output_is_an_error(raw: dict[str, Any]) -> None:
    """A misspelt name in a module must not be ignored silently."""
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


def test_a_stack_created_concurrently_by_another_command_is_opened(tmp_path: pathlib.Path) -> None:
    """Two first applies may run at once. The lock decides which of them continues."""
    tools = _pulumi(tmp_path, 'case "$*" in *init*) echo "error: stack \'a\' already exists" >&2; exit 255;; esac')
    opened = stored.StoredStack(stacks.StackName("planton", "a"), _settings(tmp_path), tools)
    assert opened.open(missing=opening.Missing.CREATE).name == "a"


class _Waiting(program.Program):
    """A program whose engine does not answer."""

    def __init__(self) -> None:
        super().__init__(mocks.stack_input(mocks.target("CivoVpc", {"networkName": "a"})), program.Operation())
        self.started = threading.Event()

    async def register(self) -> None:
        """Waits forever, as a module does for a look-up."""
        sync_await._sync_await(self._wait())

    async def _wait(self) -> None:
        self.started.set()
        await asyncio.get_running_loop().create_future()


def test_a_program_ends_when_its_engine_died() -> None:
    """It would otherwise wait forever, and its thread would keep the process alive."""
    run = _Waiting()

    async def in_loop() -> None:
        await run()

    def runs() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(in_loop())

    thread = threading.Thread(target=runs, daemon=True)
    thread.start()
    run.started.wait()
    run.end()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize(("file", "is_stored"), [("", False), ("a.json", True), ("a.json.gz", True)])
def test_a_stack_without_a_state_file_is_not_stored(tmp_path: pathlib.Path, file: str, *, is_stored: bool) -> None:
    """An empty or compressed file counts. Pulumi runs only for a compressed one."""
    folder = tmp_path / ".pulumi" / "stacks" / "planton"
    folder.mkdir(parents=True)
    if file:
        (folder / file).touch()
    started = tmp_path / "started"
    tools = _pulumi(tmp_path, f": > {started}")
    opened = stored.StoredStack(stacks.StackName("planton", "a"), _settings(tmp_path, tmp_path), tools)
    assert opened.is_stored() is is_stored
    assert started.exists() is (file == "a.json.gz")


def test_a_state_in_a_folder_is_read_from_its_file(tmp_path: pathlib.Path) -> None:
    """An unreadable file is damaged. A stack with an organization is in no folder."""
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


def test_a_destroy_without_resources_starts_no_plugin(tmp_path: pathlib.Path) -> None:
    """The plugin could fail forever, for example with a revoked token."""
    file = tmp_path / ".pulumi" / "stacks" / "planton" / "a.json"
    file.parent.mkdir(parents=True)
    resources = [{"urn": "u", "type": "pulumi:providers:civo", "id": "1", "custom": True}]
    file.write_text(json.dumps({"checkpoint": {"latest": {"resources": resources}}}), "utf-8")
    tools = _pulumi(tmp_path, f'echo "$@" >> {tmp_path}/commands')
    opened = stored.StoredStack(stacks.StackName("planton", "a"), _settings(tmp_path, tmp_path), tools)
    assert session.Session(opened, None).destroy().plan.empty
    [command] = (tmp_path / "commands").read_text("utf-8").splitlines()
    assert command.split()[1:3] == ["stack", "rm"]
    assert "--force" in command


def test_a_command_that_the_user_stops_is_no_failure_of_the_backend(tmp_path: pathlib.Path) -> None:
    """Pulumi ends as if it had failed."""
    tools = _pulumi(tmp_path, "trap 'exit 255' INT; while :; do :; done")
    interrupt = interruption.Interruption()
    chosen = dataclasses.replace(_settings(tmp_path, tmp_path), interruption=interrupt)
    opened = stored.StoredStack(stacks.StackName("planton", "a"), chosen, tools)
    opened.open(missing=opening.Missing.BEGIN)
    threading.Timer(0.1, interrupt.ask).start()
    with pytest.raises(errors.PlantonError) as caught:
        opened.ask("stack", "export")
    assert caught.value.reason is errors.Reason.INTERRUPTED


@pytest.mark.parametrize("call", ["unlock", "remove", "replace_state"])
def test_a_backend_that_fails_is_an_error_with_a_reason(call: str, tmp_path: pathlib.Path) -> None:
    """Errors of Pulumi's stack commands are not internal errors of planton."""
    failing = 'case "$*" in *select*) exit 0;; esac; echo "error: the stack is currently locked by 1 lock(s)" >&2; exit 255'
    name = stacks.StackName("planton", "a", "owner")  # a folder has no owners
    opened = stored.StoredStack(name, _settings(tmp_path), _pulumi(tmp_path, failing))
    with pytest.raises(errors.PlantonError) as caught:
        getattr(opened, call)(*([{}] if call == "replace_state" else []))
    assert caught.value.reason is errors.Reason.STACK_LOCKED
