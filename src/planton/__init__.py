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
    from planton.config.settings import Settings
    from planton.deploy.approve import Approved, Consent
    from planton.deploy.loading import load, validate
    from planton.deploy.plan import Options, Plan
    from planton.deploy.queries import drift, outputs, refresh
    from planton.deploy.results import Result, RunError
    from planton.deploy.runtime import configure
    from planton.deploy.sdk import apply, approve, destroy, plan, plan_destroy, plan_import

#: A distribution can add clouds and kinds in folders ``planton/clouds`` and ``planton/modules`` of its own.
__path__ = pkgutil.extend_path(__path__, __name__)

__version__ = "0.1.0"
__all__ = [
    "Approved",
    "Consent",
    "InvalidError",
    "Options",
    "Plan",
    "PlantonError",
    "Result",
    "RunError",
    "Settings",
    "Violation",
    "apply",
    "approve",
    "configure",
    "destroy",
    "drift",
    "load",
    "outputs",
    "plan",
    "plan_destroy",
    "plan_import",
    "refresh",
    "validate",
]

#: Name → the module that defines it.
_MODULES = {
    "Approved": "planton.deploy.approve",
    "Consent": "planton.deploy.approve",
    "Options": "planton.deploy.plan",
    "Plan": "planton.deploy.plan",
    "Result": "planton.deploy.results",
    "RunError": "planton.deploy.results",
    "Settings": "planton.config.settings",
    "configure": "planton.deploy.runtime",
    "drift": "planton.deploy.queries",
    "load": "planton.deploy.loading",
    "outputs": "planton.deploy.queries",
    "refresh": "planton.deploy.queries",
    "validate": "planton.deploy.loading",
}


def __getattr__(name: str) -> Any:
    """Returns a public name, imported at first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES.get(name, "planton.deploy.sdk")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Returns the public names, imported or not."""
    return sorted({*globals(), *__all__})
