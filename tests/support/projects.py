"""The standalone projects of ``iac/``, opened on the real engine against the sandbox.

With ``pulumi-language-python`` on PATH these are the literal ``pulumi up`` and ``pulumi import`` in a copy of the project's folder.
Otherwise the same ``__main__.py`` is the program of a stack that is opened in that folder, and the option ``import_`` replaces
``pulumi import``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib
import runpy
import shutil
import sys
from collections.abc import Callable, Iterator

import pytest
import yaml
from pulumi import automation

from planton import modules
from planton.base import interruption
from planton.engine import process, toolchain, workspace
from support import key_service
from support import sandbox as support

IAC = pathlib.Path(__file__).resolve().parents[2] / "iac"
LITERAL = shutil.which("pulumi-language-python") is not None
TIMEOUT_SECONDS = 300.0


@dataclasses.dataclass
class World:
    """A sandbox, and a function that opens projects in it."""

    sandbox: support.Sandbox
    tools: toolchain.Toolchain
    folder: pathlib.Path

    def open(
        self, folder: pathlib.Path, *, config: str = "", before: Callable[[], None] | None = None, stack: str = "test"
    ) -> automation.Stack:
        """Opens the project in a folder; ``before`` runs before the substitute's program."""
        print(
            "literal: pulumi up"
            if LITERAL
            else "substitute: __main__.py as the program of a stack opened on the project's folder"
        )

        def program() -> None:
            if before is not None:
                before()
            runpy.run_path(str(folder / "__main__.py"), run_name="__main__")

        settings = yaml.safe_load((folder / "Pulumi.yaml").read_text("utf-8"))
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        options = automation.LocalWorkspaceOptions(
            work_dir=str(folder),
            secrets_provider=key_service.KEY,
            pulumi_command=process.PulumiCommand(self.tools, timeout=TIMEOUT_SECONDS, interruption=interruption.Interruption()),
            env_vars={
                **self.sandbox.env,
                "PULUMI_HOME": str(self.folder / "pulumi-home"),
                "PULUMI_BACKEND_URL": f"file://{state}",
                **key_service.variables(),
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                "PULUMI_PYTHON_CMD": sys.executable,
                "PYTHONPATH": str(pathlib.Path(modules.__file__).parents[2]),
            },
        )
        if LITERAL:
            pulumi_stack = automation.create_or_select_stack(stack, work_dir=str(folder), opts=options)
        else:
            if not (state / ".pulumi" / "stacks" / settings["name"] / f"{stack}.json").exists():
                workspace.create(stack, program, options)
            local = workspace.select(stack, program, options, is_known=True).workspace
            pulumi_stack = _Stack(stack, local, workspace.StackInitMode.SELECT)
        if config:
            pulumi_stack.set_config("planton-cloud:stack-input", automation.ConfigValue(config, secret=True))
        return pulumi_stack

    def project(self, name: str, *, cloud: str = "civo") -> pathlib.Path:
        """Returns a copy of a project in iac."""
        return pathlib.Path(shutil.copytree(IAC / cloud / name, self.folder / name))


class _Stack(workspace.Stack):
    """A stack whose operations start Pulumi twice, for themselves and for the outputs. The Automation API would start it five times."""

    def outputs(self) -> automation.OutputMap:
        opened = self.workspace
        command = ["stack", "output", "--json", "--show-secrets", "--stack", self.name]
        done = opened.pulumi_command.run(command, opened.work_dir, opened.env_vars)
        return {name: automation.OutputValue(value, secret=False) for name, value in json.loads(done.stdout).items()}


@contextlib.contextmanager
def world(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A sandbox with the stand-in provider; the environment has its addresses and no stack input."""
    tools = toolchain.find()
    assert tools is not None, "the Pulumi command line is missing: run planton setup"
    for name in ("STACK_INPUT_YAML", "STACK_INPUT_YAML_FILE"):
        monkeypatch.delenv(name, raising=False)
    with support.running(folder / "sandbox", providers=True) as sandbox:
        for name, value in sandbox.env.items():
            monkeypatch.setenv(name, value)
        yield World(sandbox, tools, folder)
