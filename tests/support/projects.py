"""The standalone projects of ``iac/``, opened on the real engine against the sandbox.

Where ``pulumi-language-python`` is on PATH these are the literal ``pulumi up`` and ``pulumi import`` in a copy of the project's folder.
Elsewhere the very same ``__main__.py`` is run as the program of a stack that is opened on that folder, and ``pulumi import`` is
replaced by the option ``import_``.
"""

from __future__ import annotations

import contextlib
import dataclasses
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
from planton.engine import process, toolchain
from support import sandbox as support

IAC = pathlib.Path(__file__).resolve().parents[2] / "iac"
LITERAL = shutil.which("pulumi-language-python") is not None
FAST_ENOUGH = 300.0


@dataclasses.dataclass
class World:
    """A sandbox, and what opens projects against it."""

    sandbox: support.Sandbox
    tools: toolchain.Toolchain
    folder: pathlib.Path

    def open(
        self, folder: pathlib.Path, *, config: str = "", before: Callable[[], None] | None = None, stack: str = "test"
    ) -> automation.Stack:
        """Opens the project of a folder; ``before`` runs in front of the substitute's program."""
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
            pulumi_command=process.PulumiCommand(self.tools, timeout=FAST_ENOUGH, interruption=interruption.Interruption()),
            env_vars={
                **self.sandbox.env,
                "PULUMI_HOME": str(self.folder / "pulumi-home"),
                "PULUMI_BACKEND_URL": f"file://{state}",
                "PULUMI_CONFIG_PASSPHRASE": "of the test",
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                "PULUMI_PYTHON_CMD": sys.executable,
                "PYTHONPATH": str(pathlib.Path(modules.__file__).parents[2]),
            },
        )
        if LITERAL:
            opened = automation.create_or_select_stack(stack, work_dir=str(folder), opts=options)
        else:
            opened = automation.create_or_select_stack(stack, settings["name"], program, opts=options)
        if config:
            opened.set_config("planton-cloud:stack-input", automation.ConfigValue(config, secret=True))
        return opened

    def project(self, name: str, *, cloud: str = "civo") -> pathlib.Path:
        """Returns a copy of a project of iac."""
        return pathlib.Path(shutil.copytree(IAC / cloud / name, self.folder / name))


@contextlib.contextmanager
def world(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A sandbox with the stand-in provider, in an environment that points at it and names no stack input."""
    tools = toolchain.find()
    assert tools is not None, "the Pulumi command line is missing: run planton setup"
    for name in ("STACK_INPUT_YAML", "STACK_INPUT_YAML_FILE"):
        monkeypatch.delenv(name, raising=False)
    with support.running(folder / "sandbox", providers=True) as served:
        for name, value in served.env.items():
            monkeypatch.setenv(name, value)
        yield World(served, tools, folder)
