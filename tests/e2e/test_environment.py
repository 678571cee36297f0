"""A shell with variables that would change what Pulumi does."""

from __future__ import annotations

import pathlib

from planton.config import folders
from support import planton as support

#: What breaks an operation, moves a state, or runs without consent; each of them was tried on its own.
HOSTILE = {
    "PULUMI_SKIP_CONFIRMATIONS": "true",
    "PULUMI_OPTION_YES": "true",
    "PULUMI_OPTION_STACK": "elsewhere",
    "PULUMI_OPTION_JSON": "true",
    "PULUMI_OPTION_PREVIEW_ONLY": "true",
    "PULUMI_OPTION_REFRESH": "true",
    "PULUMI_OPTION_TARGET": "urn:pulumi:a::b::c::d",
    "PULUMI_OPTION_EXPECT_NO_CHANGES": "true",
    "PULUMI_OPTION_SECRETS_PROVIDER": "awskms://nowhere",
    "PULUMI_DIY_BACKEND_GZIP": "true",
    "PULUMI_DIY_BACKEND_LEGACY_LAYOUT": "true",
    "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
    "PULUMI_SKIP_CHECKPOINTS": "true",
    "PULUMI_EXPERIMENTAL": "true",
    "PULUMI_RUN_PROGRAM": "false",
    "PULUMI_PARALLEL": "0",
    "PULUMI_CONFIG": '{"civo:token": "hostile"}',
    "PULUMI_ERROR_OUTPUT_STRING": "true",
    "PULUMI_API": "https://127.0.0.1:9",
    "PULUMI_DEBUG_GRPC": "/nonexistent/log",
    "PULUMI_PYTHON_CMD": "/nonexistent/python",
    "TRACEPARENT": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "PULUMI_OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:9",
}


def test_no_variable_of_pulumi_changes_an_operation(planton: support.Planton) -> None:
    """Plan, apply, drift and destroy end as they do in a clean shell, and the state is where it always is."""
    file = planton.write("n.yaml", support.network())
    assert planton.json("plan", "-f", file, **HOSTILE)["summary"]["changed"] == 1
    planton.run("apply", "-f", file, code=5, **HOSTILE)
    planton.run("apply", "-f", file, "--yes", **HOSTILE)
    (state,) = (planton.folder / "data" / "state" / ".pulumi" / "stacks").glob("*/*.json")
    assert state.with_name(f"{state.name}.bak").is_file()
    assert planton.json("drift", "-f", file, **HOSTILE)["resources"][0]["changes"] == []
    assert planton.actions("plan", "-f", file) == {}
    planton.run("destroy", "-f", file, "--yes", **HOSTILE)
    assert [each["label"] for each in planton.sandbox.control.resources()["networks"]] == ["default"]


def test_a_home_that_is_not_the_accounts_changes_nothing(planton: support.Planton, tmp_path: pathlib.Path) -> None:
    """Planton and the engine look for plugins in one folder."""
    home = tmp_path / "home"
    home.mkdir()
    file = planton.write("n.yaml", support.network())
    environ = {"HOME": str(home), "PLANTON_CACHE_DIR": str(folders.cache())}
    planton.run("apply", "-f", file, "--yes", **environ)
    planton.run("drift", "-f", file, **environ)
    planton.run("destroy", "-f", file, "--yes", **environ)
