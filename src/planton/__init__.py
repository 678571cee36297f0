"""planton: Kubernetes clusters and node pools from Protobuf manifests.

The verbs of the SDK take paths, YAML texts or generated messages (docs/extend/sdk.md). They are imported at first use, because a check of
manifests needs no Pulumi. Layers are in ``pyproject.toml`` (import-linter): a package imports only what is below it.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

from planton.errors import InvalidError, PlantonError, Violation

if TYPE_CHECKING:
    from planton.clouds.associated import Leftover
    from planton.config.settings import Settings
    from planton.deploy.approve import Approved, Consent
    from planton.deploy.check import check
    from planton.deploy.describe import Description
    from planton.deploy.health import Finding, Health
    from planton.deploy.inspecting import describe, health, history, inspect, nodes, operations, overview, plan_drain
    from planton.deploy.loading import graph, load, validate
    from planton.deploy.machine import Machine, machine, open_cloud, sandbox_error, setup
    from planton.deploy.nodes import Node
    from planton.deploy.overview import Filter, Overview
    from planton.deploy.plan import Options, Plan
    from planton.deploy.progress import Event, Listener, Moment
    from planton.deploy.prune import Pruning
    from planton.deploy.queries import (
        applied,
        credential,
        drift,
        find,
        kubeconfig,
        outputs,
        refresh,
        select,
        stack_inputs,
    )
    from planton.deploy.recycling import Allowed, Drain
    from planton.deploy.results import Result, RunError
    from planton.deploy.runtime import configure
    from planton.deploy.saved import Saved
    from planton.deploy.sdk import (
        apply,
        approve,
        destroy,
        missing_consent,
        plan,
        plan_destroy,
        plan_import,
        plan_saved,
        read_saved,
        save,
    )
    from planton.deploy.states import migration, states
    from planton.deploy.upgrading import plan_upgrade, upgrade
    from planton.deploy.waves import Pace, Upgrade
    from planton.engine.toolchain import installed_plugins
    from planton.state.inventory import Applied
    from planton.state.migration import Migration
    from planton.state.stores import Stores

#: A distribution can add clouds and kinds in folders ``planton/clouds`` and ``planton/modules`` of its own.
__path__ = pkgutil.extend_path(__path__, __name__)

__version__ = "0.1.0"
__all__ = [
    "Allowed",
    "Applied",
    "Approved",
    "Consent",
    "Description",
    "Drain",
    "Event",
    "Filter",
    "Finding",
    "Health",
    "InvalidError",
    "Leftover",
    "Listener",
    "Machine",
    "Migration",
    "Moment",
    "Node",
    "Options",
    "Overview",
    "Pace",
    "Plan",
    "PlantonError",
    "Pruning",
    "Result",
    "RunError",
    "Saved",
    "Settings",
    "Stores",
    "Upgrade",
    "Violation",
    "api_server_rule",
    "applied",
    "apply",
    "approve",
    "check",
    "configure",
    "credential",
    "describe",
    "destroy",
    "drift",
    "find",
    "graph",
    "health",
    "history",
    "inspect",
    "installed_plugins",
    "kubeconfig",
    "load",
    "machine",
    "migration",
    "missing_consent",
    "nodes",
    "open_cloud",
    "operations",
    "orphans",
    "outputs",
    "overview",
    "plan",
    "plan_destroy",
    "plan_drain",
    "plan_import",
    "plan_saved",
    "plan_upgrade",
    "read_saved",
    "refresh",
    "sandbox_error",
    "save",
    "select",
    "setup",
    "stack_inputs",
    "states",
    "upgrade",
    "validate",
]

#: Name → the module that defines it.
_MODULES = {
    "Allowed": "planton.deploy.recycling",
    "Applied": "planton.state.inventory",
    "Approved": "planton.deploy.approve",
    "Consent": "planton.deploy.approve",
    "Description": "planton.deploy.describe",
    "Drain": "planton.deploy.recycling",
    "Event": "planton.deploy.progress",
    "Filter": "planton.deploy.overview",
    "Finding": "planton.deploy.health",
    "Health": "planton.deploy.health",
    "Leftover": "planton.clouds.associated",
    "Listener": "planton.deploy.progress",
    "Machine": "planton.deploy.machine",
    "Migration": "planton.state.migration",
    "Moment": "planton.deploy.progress",
    "Node": "planton.deploy.nodes",
    "Options": "planton.deploy.plan",
    "Overview": "planton.deploy.overview",
    "Pace": "planton.deploy.waves",
    "Plan": "planton.deploy.plan",
    "Pruning": "planton.deploy.prune",
    "Result": "planton.deploy.results",
    "RunError": "planton.deploy.results",
    "Saved": "planton.deploy.saved",
    "Settings": "planton.config.settings",
    "Stores": "planton.state.stores",
    "Upgrade": "planton.deploy.waves",
    "api_server_rule": "planton.deploy.queries",
    "applied": "planton.deploy.queries",
    "apply": "planton.deploy.sdk",
    "approve": "planton.deploy.sdk",
    "check": "planton.deploy.check",
    "configure": "planton.deploy.runtime",
    "credential": "planton.deploy.queries",
    "describe": "planton.deploy.inspecting",
    "destroy": "planton.deploy.sdk",
    "drift": "planton.deploy.queries",
    "find": "planton.deploy.queries",
    "graph": "planton.deploy.loading",
    "health": "planton.deploy.inspecting",
    "history": "planton.deploy.inspecting",
    "inspect": "planton.deploy.inspecting",
    "installed_plugins": "planton.engine.toolchain",
    "kubeconfig": "planton.deploy.queries",
    "load": "planton.deploy.loading",
    "machine": "planton.deploy.machine",
    "migration": "planton.deploy.states",
    "missing_consent": "planton.deploy.sdk",
    "nodes": "planton.deploy.inspecting",
    "open_cloud": "planton.deploy.machine",
    "operations": "planton.deploy.inspecting",
    "orphans": "planton.deploy.inspecting",
    "outputs": "planton.deploy.queries",
    "overview": "planton.deploy.inspecting",
    "plan": "planton.deploy.sdk",
    "plan_destroy": "planton.deploy.sdk",
    "plan_drain": "planton.deploy.inspecting",
    "plan_import": "planton.deploy.sdk",
    "plan_saved": "planton.deploy.sdk",
    "plan_upgrade": "planton.deploy.upgrading",
    "read_saved": "planton.deploy.sdk",
    "refresh": "planton.deploy.queries",
    "sandbox_error": "planton.deploy.machine",
    "save": "planton.deploy.sdk",
    "select": "planton.deploy.queries",
    "setup": "planton.deploy.machine",
    "stack_inputs": "planton.deploy.queries",
    "states": "planton.deploy.states",
    "upgrade": "planton.deploy.upgrading",
    "validate": "planton.deploy.loading",
}


def __getattr__(name: str) -> Any:
    """Returns a public name, imported at first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Returns the public names, imported or not."""
    return sorted({*globals(), *__all__})
