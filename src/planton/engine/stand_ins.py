"""Stand-ins: the sandbox's providers in place of the official plugins, where they are meant and allowed."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.engine import settings, toolchain

if TYPE_CHECKING:
    from collections.abc import Mapping


def variables(environ: Mapping[str, str], tools: toolchain.Toolchain, config: Any) -> dict[str, str]:
    """Returns the variables that attach the sandbox's stand-ins, where they are meant and allowed.

    A stand-in serves where the official plugin is not installed and the requests go to this machine; nothing stands in
    against a real cloud.

    Raises:
        PlantonError: ``TOOLCHAIN_MISSING``: neither the official plugin nor a stand-in can serve.
    """
    attached = dict(entry.split(":") for entry in environ.get("PULUMI_DEBUG_PROVIDERS", "").split(",") if ":" in entry)
    local = {name for name in attached if _is_local(name, environ, config)}
    provider = None if config is None else type(config).DESCRIPTOR.name.removesuffix("ProviderConfig").lower()
    usable = {name: port for name, port in attached.items() if name in local and name not in tools.plugins}
    if provider is not None and provider not in tools.plugins and provider not in usable:
        raise errors.PlantonError(
            f"the official {provider} plugin is not installed",
            code=errors.Code.MISSING,
            reason=errors.Reason.TOOLCHAIN_MISSING,
            hint=f"install it: pulumi plugin install resource {provider} {toolchain.PLUGINS[provider]}; without an account, "
            'use the sandbox: eval "$(planton sandbox env)"',
        )
    if not usable:
        return {"PULUMI_DEBUG_PROVIDERS": ""}
    return {
        "PULUMI_DEBUG_PROVIDERS": ",".join(f"{name}:{port}" for name, port in usable.items()),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def _is_local(name: str, environ: Mapping[str, str], config: Any) -> bool:
    endpoint = (config is not None and config.api_endpoint) or environ.get(settings.ENDPOINTS.get(name, ""), "")
    return urllib.parse.urlsplit(endpoint).hostname in ("127.0.0.1", "localhost", "::1")
