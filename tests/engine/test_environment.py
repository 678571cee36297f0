"""The environment of the engine: which variables of the user reach it, and which do not."""

from __future__ import annotations

import pathlib
import re

import pytest

from planton.config import settings
from planton.engine import environment, stacks, stored, toolchain

#: The variables that Pulumi 3.259 reads, in its command line, its engine, its backends and its SDKs for Python.
PULUMI_VARIABLES = """
    ACCEPT ACCESS_TOKEN AGENT_MODEL API AUTOMATION_API AUTOMATION_API_SKIP_VERSION_CHECK BACKEND_URL CI_BUILD_ID CI_BUILD_NUMBER
    CI_BUILD_TYPE CI_BUILD_URL CI_PULL_REQUEST_SHA CI_SYSTEM CLOUD_SECRET_OVERRIDE COMMIT_MESSAGE CONFIG CONFIG_PASSPHRASE
    CONFIG_PASSPHRASE_FILE CONFIG_SECRET_KEYS CONSOLE_DOMAIN CONTINUE_ON_ERROR CREDENTIALS_PATH CREDENTIAL_STORE DEBUG_COMMANDS
    DEBUG_GRPC DEBUG_LANGUAGES DEBUG_PROVIDERS DEFAULT_ORGANIZATION DEV DISABLE_AUTOMATIC_PLUGIN_ACQUISITION DISABLE_CI_DETECTION
    DISABLE_JOURNALING DISABLE_OUTPUT_VALUES DISABLE_PROVIDER_PREVIEW DISABLE_REFRESH_BEFORE_UPDATE DISABLE_REGISTRY_RESOLVE
    DISABLE_RESOURCE_REFERENCES DISABLE_SECRET_CACHE DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS DIY_BACKEND_GZIP
    DIY_BACKEND_IGNORE_DEPRECATION_ERROR DIY_BACKEND_LEGACY_LAYOUT DIY_BACKEND_NO_LEGACY_WARNING DIY_BACKEND_PARALLEL
    DIY_BACKEND_RETAIN_CHECKPOINTS DIY_BACKEND_ZSTD DRY_RUN ENABLE_LEGACY_APPLY ENABLE_LEGACY_DIFF ENABLE_LEGACY_REFRESH_DIFF
    ENABLE_STREAMING_JSON_PREVIEW ENV EPHEMERAL_AGENT_ACCOUNT ERROR_ON_DEPENDENCY_CYCLES ERROR_OUTPUT_STRING EXPERIMENTAL
    FALLBACK_TO_STATE_SECRETS_MANAGER GITSSH_PASSPHRASE GOROUTINE_PANIC_RECOVERY GO_DEP_ROOT HOME IGNORE_AMBIENT_PLUGINS
    JOURNALING_BATCH_PERIOD JOURNALING_BATCH_SIZE LEGACY_PROVIDER_PREVIEW LIVE LOG_OTLP_ENDPOINT LOG_ROTATION_MAX_AGE_DAYS
    LOG_ROTATION_MAX_TOTAL_MB MONITOR NEO NEO_SUMMARY_MAXLEN NEO_SUMMARY_MODEL NODEJS_DRY_RUN OPEN_LIVE OPTIMIZED_CHECKPOINT_PATCH
    OPTION_COLOR OPTION_CONFIG_FILE OPTION_DEBUG OPTION_DIFF OPTION_EXPECT_NO_CHANGES OPTION_JSON OPTION_LOGFLOW OPTION_NON_INTERACTIVE
    OPTION_PARALLEL OPTION_POLICY_PACK OPTION_PREVIEW_ONLY OPTION_REFRESH OPTION_REPLACE OPTION_RUN_PROGRAM OPTION_SECRETS_PROVIDER
    OPTION_SHOW_SECRETS OPTION_SKIP_PREVIEW OPTION_STACK OPTION_TARGET OPTION_TRACING OPTION_VERBOSE OPTION_YES ORGANIZATION
    OTEL_EXPORTER_OTLP_ENDPOINT PACKAGE_TEMPLATE_BRANCH PACKAGE_TEMPLATE_GIT_REPOSITORY PACKAGE_TEMPLATE_PATH PARALLEL
    PARALLEL_ANALYZE PARALLEL_DIFF PLUGIN_DOWNLOAD_URL_OVERRIDES POLICY_TEMPLATE_BRANCH POLICY_TEMPLATE_GIT_REPOSITORY
    POLICY_TEMPLATE_PATH PREFER_YARN PROJECT PR_NUMBER PYTHON_CMD ROOT_DIRECTORY RPC_TARGET RUNTIME_VIRTUALENV RUN_PROGRAM
    SKIP_CHECKPOINTS SKIP_CONFIRMATIONS SKIP_UPDATE_CHECK STACK SUPPRESS_NEO_LINK TEMPLATE_BRANCH TEMPLATE_GIT_REPOSITORY
    TEMPLATE_PATH TEST_MODE TRACING_HEADER TRACING_MEMSTATS_POLL_INTERVAL TRACING_NO_PAYLOADS VCS_REPO_KIND VCS_REPO_NAME
    VCS_REPO_OWNER VCS_REPO_ROOT
"""
HOSTILE = {f"PULUMI_{name}": "~hostile~" for name in PULUMI_VARIABLES.split()}
#: Variables of other programs that the engine, the plugins or Python read.
OTHER_VARIABLES = dict.fromkeys(
    ("TRACEPARENT", "CIVO_TOKEN", "DIGITALOCEAN_TOKEN", "PLANTON_CIVO_TOKEN", "PYTHONSTARTUP", "LD_PRELOAD", "GIT_DIR"),
    "~hostile~",
)


def _engine_environment(folder: pathlib.Path, environ: dict[str, str]) -> dict[str, str]:
    """Returns the environment of a command line that a session runs."""
    program = folder / "pulumi"
    program.write_text("#!/bin/sh\nexport -p >> seen\n", "utf-8")
    program.chmod(0o755)
    tools = toolchain.Toolchain(program, folder / "launcher", frozenset())
    config = settings.Settings(environ={**environ, "PLANTON_DATA_DIR": str(folder / "data")})
    opened = stored.StoredStack(stacks.StackName("p", "s"), config, tools)
    opened.ask("stack", "history", create=True)
    text = next((folder / "data" / "workspaces").rglob("seen")).read_text("utf-8")
    return dict(re.findall(r"^(?:export|declare -x) (\w+)=[\"'](.*)[\"']$", text, re.MULTILINE))


def test_only_chosen_variables_of_a_hostile_environment_reach_the_engine(tmp_path: pathlib.Path) -> None:
    """The backend's account comes from the user. planton sets or removes everything else."""
    variables = _engine_environment(
        tmp_path, HOSTILE | OTHER_VARIABLES | {"PATH": "/usr/bin:/bin", "PULUMI_BACKEND_URL": f"file://{tmp_path}/backend"}
    )
    ours = {name: value for name, value in variables.items() if name.startswith("PULUMI_")}
    hostile = {name for name, value in variables.items() if "~hostile~" in value}
    assert hostile == {
        "PULUMI_ACCESS_TOKEN",
        "PULUMI_CREDENTIALS_PATH",
        "PULUMI_DEFAULT_ORGANIZATION",
        "PULUMI_CONFIG_PASSPHRASE",
        "PULUMI_CONFIG_PASSPHRASE_FILE",
        "PULUMI_HOME",
    }
    assert set(ours) - hostile == {
        "PULUMI_AUTOMATION_API",
        "PULUMI_BACKEND_URL",
        "PULUMI_CREDENTIAL_STORE",
        "PULUMI_DEBUG_PROVIDERS",
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER",
        "PULUMI_PYTHON_CMD",
        "PULUMI_SKIP_UPDATE_CHECK",
    }
    assert ours["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/backend"
    assert ours["PULUMI_DEBUG_PROVIDERS"] == ""


def test_a_command_uses_the_passphrase_of_its_settings_and_not_of_the_process(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process may have a passphrase for another backend. A migration opens two."""
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "passphrase of the shell")
    variables = _engine_environment(tmp_path, {"PATH": "/usr/bin:/bin"})
    assert "PULUMI_CONFIG_PASSPHRASE" not in variables
    assert variables["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(tmp_path / "data" / "passphrase")


@pytest.mark.parametrize(
    "name",
    [
        "HOME",
        "TMPDIR",
        "LC_ALL",
        "https_proxy",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "AWS_PROFILE",
        "GOOGLE_CREDENTIALS",
        "PGSSLMODE",
        "AZURE_STORAGE_ACCOUNT",
        "ARM_CLIENT_ID",
        "VAULT_ADDR",
        "GOMEMLIMIT",
    ],
)
def test_variables_of_programs_and_backends_reach_the_engine(name: str) -> None:
    """These are proxies, certificates, and credentials of the cloud that stores the state."""
    assert environment.for_engine({name: "x"})[name] == "x"


def test_garbage_is_collected_less_often_unless_the_user_says_how_often() -> None:
    """The limit of memory belongs to it: near the limit Go collects more often."""
    assert environment.for_engine({}).items() >= {"GOGC": "400", "GOMEMLIMIT": "1GiB"}.items()
    assert environment.for_engine({"GOGC": "50", "GOMEMLIMIT": "9GiB"}).items() >= {"GOGC": "50", "GOMEMLIMIT": "9GiB"}.items()


def test_pulumi_variables_are_hidden_from_its_sdk() -> None:
    """The SDK runs in planton's process. Variables of the backend's account stay."""
    environ = HOSTILE | {"TRACEPARENT": "00-1-1-01", "HOME": "/h"}
    before = dict(environ)
    with environment.hidden_from_sdk(environ):
        assert set(environ) == {
            "HOME",
            "PULUMI_ACCESS_TOKEN",
            "PULUMI_CREDENTIALS_PATH",
            "PULUMI_DEFAULT_ORGANIZATION",
            "PULUMI_HOME",
        }
    assert environ == before


def test_the_plugin_folder_is_the_one_of_pulumi(tmp_path: pathlib.Path) -> None:
    """A variable overrides the account's home. $HOME counts only if that folder does not exist."""
    home = tmp_path / "account"
    home.mkdir()

    def pulumi_home(account: pathlib.Path | None, **environ: str) -> pathlib.Path:
        return environment.pulumi_home(environ, account=lambda: account)

    assert pulumi_home(home, HOME="/h") == home / ".pulumi"
    assert pulumi_home(home, HOME="/h", PULUMI_HOME="/p") == pathlib.Path("/p")
    assert pulumi_home(None, HOME="/h") == pathlib.Path("/h/.pulumi")
    assert pulumi_home(tmp_path / "absent", HOME="/h") == pathlib.Path("/h/.pulumi")


def test_the_engine_uses_the_plugin_folder_of_planton(tmp_path: pathlib.Path) -> None:
    """With a HOME that is not the account's, they would otherwise use two folders."""
    environ = {"HOME": str(tmp_path)}
    assert pathlib.Path(environment.for_engine(environ)["PULUMI_HOME"]) == toolchain.plugin_folder(environ).parent
