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
from pulumi import automation
from pulumi.runtime import sync_await

from planton import errors
from planton.config import settings
from planton.engine import session, stacks, stand_ins, toolchain
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
    parsed: Any = session.parse_outputs(kinds.get("CivoKubernetesNodePool"), raw)
    assert (parsed.node_pool_id, list(parsed.node_ids), parsed.node_count) == ("workers", ["a"], 3)


@pytest.mark.parametrize("raw", [{"nodepool": "x"}, {"node_count": "many"}, {"node_ids": "x"}])
def test_an_output_that_the_message_does_not_know_is_an_error(raw: dict[str, Any]) -> None:
    """A misspelt name in a module fails instead of vanishing."""
    with pytest.raises(errors.PlantonError, match="CivoKubernetesNodePoolStackOutputs does not know") as caught:
        session.parse_outputs(kinds.get("CivoKubernetesNodePool"), raw)
    assert caught.value.reason is errors.Reason.OUTPUT_INVALID


def test_a_stack_that_another_command_has_just_made_is_opened(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two first applies at once both find the stack; which of them goes on is decided by the lock."""

    def late(*_given: object, **_options: object) -> None:
        raise automation.StackAlreadyExistsError(automation.CommandResult("", "stack 'a' already exists", 255))

    monkeypatch.setattr(session.workspace, "create", late)
    monkeypatch.setattr(session.workspace, "select", lambda *_given, **_options: "opened")
    chosen = settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path)})
    opened = session.Session(stacks.StackName("planton", "a"), None, chosen, _tools())
    assert opened._open(create=True) == "opened"


def test_a_program_whose_engine_has_died_ends(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would wait for an answer for ever, and its thread would keep this process from ending."""
    begun = threading.Event()

    async def waits() -> None:
        begun.set()
        await asyncio.get_running_loop().create_future()

    def runs() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(in_loop())

    async def in_loop() -> None:
        opened._program()

    def command(*_given: Any) -> None:
        program.start()
        begun.wait()
        raise automation.CommandError(automation.CommandResult("", "error: update failed", -9))

    given = mocks.stack_input(mocks.target("CivoVpc", {"networkName": "a"}))
    chosen = settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path)})
    opened = session.Session(stacks.StackName("planton", "a"), given, chosen, _tools("civo"))
    monkeypatch.setattr(session.modules, "run", lambda *_args, **_more: sync_await._sync_await(waits()))
    monkeypatch.setattr(opened, "_sign", lambda: None)
    monkeypatch.setattr(opened, "_open", lambda **_more: None)
    program = threading.Thread(target=runs, daemon=True)
    with pytest.raises(errors.PlantonError):
        opened._run("apply", command, None, create=True)
    program.join(60)
    assert not program.is_alive()


@pytest.mark.parametrize(("file", "there"), [("", False), ("a.json", True), ("a.json.gz", True)])
def test_a_stack_that_is_no_file_of_the_folder_is_not_there(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, file: str, *, there: bool
) -> None:
    """An empty one is, and so is a compressed one; nothing is started to see that there is none."""
    folder = tmp_path / ".pulumi" / "stacks" / "planton"
    folder.mkdir(parents=True)
    if file:
        (folder / file).touch()
    chosen = settings.Settings(backend=tmp_path.as_uri(), environ={"PLANTON_DATA_DIR": str(tmp_path)})
    opened = session.Session(stacks.StackName("planton", "a"), None, chosen, _tools())
    started: list[bool] = []
    monkeypatch.setattr(opened, "_open", lambda *, create: started.append(create))
    assert opened.is_there() is there
    assert started == ([False] if there else [])


def test_a_program_is_told_which_cluster_its_stack_is_about_to_have() -> None:
    """By the id that is imported; of what the stack has it knows by itself. The stack input of the run stays as it is."""
    given = mocks.stack_input(mocks.target("CivoKubernetesCluster", {"clusterName": "dev"}))
    name, chosen = stacks.StackName("planton", "a"), settings.Settings(environ={})
    told: Any = session.Session(name, given, chosen, _tools(), imports={"cluster": "c-1", "node_pool-web": "c-1:web"})._input
    assert (told.target.status.outputs.cluster_id, told.target.spec.cluster_name) == ("c-1", "dev")
    assert not given.target.HasField("status")
    assert session.Session(name, given, chosen, _tools(), imports={})._input is given


def test_the_state_in_a_folder_is_read_before_the_engine_writes_it(tmp_path: pathlib.Path) -> None:
    """Other backends are asked by the program, and so is one whose file cannot be read now."""
    file = tmp_path / ".pulumi" / "stacks" / "planton" / "a.json"
    file.parent.mkdir(parents=True)
    chosen = settings.Settings(backend=tmp_path.as_uri(), environ={"PLANTON_DATA_DIR": str(tmp_path)})
    opened = session.Session(stacks.StackName("planton", "a"), None, chosen, _tools())
    file.write_text('{"checkpoint": {"latest": {"resources": []}}}', "utf-8")
    assert opened._state_before() == {"resources": []}
    file.write_text('{"checkpoint": {"lat', "utf-8")
    assert opened._state_before() is None
    assert session.Session(stacks.StackName("planton", "a", "acme"), None, chosen, _tools())._state_before() is None


def test_a_destroy_of_nothing_starts_no_plugin(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could fail for ever: in a region that is not there, or with a token that was revoked."""
    file = tmp_path / ".pulumi" / "stacks" / "planton" / "a.json"
    file.parent.mkdir(parents=True)
    resources = [{"urn": "u", "type": "pulumi:providers:civo", "id": "1", "custom": True}]
    file.write_text(json.dumps({"checkpoint": {"latest": {"resources": resources}}}), "utf-8")
    chosen = settings.Settings(backend=tmp_path.as_uri(), environ={"PLANTON_DATA_DIR": str(tmp_path)})
    opened = session.Session(stacks.StackName("planton", "a"), None, chosen, _tools())
    written: list[dict[str, Any]] = []
    monkeypatch.setattr(opened, "replace_state", written.append)
    monkeypatch.setattr(opened, "_run_on_state", lambda *_given: pytest.fail("the engine was started"))
    assert opened.destroy().plan.empty
    assert written == [{"resources": []}]
