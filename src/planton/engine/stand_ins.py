"""Stand-ins: the sandbox's providers in place of the official plugins, where they are meant and allowed."""

from __future__ import annotations

import socket
import urllib.parse
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.base import addresses
from planton.schema import providers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planton.engine import toolchain

_SECONDS = 1.0


def answers(address: str) -> bool:
    """Returns whether a server listens at a URL of this machine. Returns True for other machines, without a request."""
    parts = urllib.parse.urlsplit(address)
    if not addresses.is_local(address):
        return True
    try:
        socket.create_connection((parts.hostname, parts.port or {"https": 443}.get(parts.scheme, 80)), _SECONDS).close()
    except OSError:
        return False
    return True


def variables(
    environ: Mapping[str, str], tools: toolchain.Toolchain, config: Any, *, listens: Callable[[str], bool] = answers
) -> dict[str, str]:
    """Returns the variables that attach the sandbox's stand-ins, where they are meant and allowed.

    A stand-in serves where the official plugin is not installed and the requests go to this machine; nothing stands in
    against a real cloud.

    Args:
        environ: The environment.
        tools: The toolchain.
        config: The provider config of the stack input; None without one.
        listens: Returns whether a server listens at a URL.

    Raises:
        PlantonError: ``TOOLCHAIN_MISSING``: neither the official plugin nor a stand-in can serve; ``CLOUD_UNREACHABLE``: what
            this machine is to serve does not run.
    """
    attached = dict(entry.split(":") for entry in environ.get("PULUMI_DEBUG_PROVIDERS", "").split(",") if ":" in entry)
    local = {name for name in attached if _is_local(name, environ, config)}
    provider = None if config is None else providers.of_config(config.DESCRIPTOR.name).name
    usable = {name: port for name, port in attached.items() if name in local and name not in tools.plugins}
    if provider is not None and provider not in tools.plugins and provider not in usable:
        raise errors.toolchain_missing(
            f"the official {provider} plugin is not installed",
            hint='install it: planton setup; without an account, use the sandbox: eval "$(planton sandbox env)"',
        )
    if provider is not None:
        # The engine would wait 15 seconds for a missing plugin server, and blame the first resource.
        for address in (
            _endpoint(provider, environ, config),
            f"http://127.0.0.1:{usable[provider]}" if provider in usable else "",
        ):
            if not listens(address):
                raise not_running(address)
    if not usable:
        return {"PULUMI_DEBUG_PROVIDERS": ""}
    return {
        "PULUMI_DEBUG_PROVIDERS": ",".join(f"{name}:{port}" for name, port in usable.items()),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def not_running(address: str) -> errors.PlantonError:
    """Returns the error for a URL of this machine without a server."""
    return errors.cloud_unreachable(
        f"the sandbox that this shell points at does not run: nothing listens at {address}",
        hint='start it: planton sandbox start, then eval "$(planton sandbox env)"; or return to the real cloud: '
        'eval "$(planton sandbox env --unset)"',
    )


def _is_local(name: str, environ: Mapping[str, str], config: Any) -> bool:
    return addresses.is_local(_endpoint(name, environ, config))


def _endpoint(name: str, environ: Mapping[str, str], config: Any) -> str:
    provider = providers.all_providers().get(name)
    variable = "" if provider is None else provider.endpoint_variable
    return str((config is not None and config.api_endpoint) or environ.get(variable, ""))
