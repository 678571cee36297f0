"""The stand-in for the official ``digitalocean`` plugin, version 4.76.0.

It sends the requests that the plugin sends, in its order, so it works against any server that speaks DigitalOcean's API.
Two things it leaves out: it never calls the real cloud just because a program names no address, and it does not limit how
many requests a second it sends.
"""

from __future__ import annotations

import os
import typing

from planton_sandbox.providers import package, serving, values, waiting
from planton_sandbox.providers.digitalocean import api, clusters, firewalls, functions, pools, tables, vpcs

VERSION: typing.Final = "4.76.0"
_REAL_CLOUD = "https://api.digitalocean.com"
"""What the SDK writes into the settings of a provider whose program names no address."""


def describe(endpoint: str, *, wait: typing.Callable[[float], None]) -> package.Package:
    """Describes the provider.

    Args:
        endpoint: the API's address where a program's provider names none.
        wait: is called with the seconds wherever the official plugin waits.
    """

    def connect(config: dict[str, values.Json], gate: typing.Callable[[], None]) -> api.Client:
        named = _setting(config, "apiEndpoint", "DIGITALOCEAN_API_URL")
        token = _setting(config, "token", "DIGITALOCEAN_TOKEN") or os.environ.get("DIGITALOCEAN_ACCESS_TOKEN", "")
        usual = api.Retries()
        retries = api.Retries(
            most=int(_setting(config, "httpRetryMax", "DIGITALOCEAN_HTTP_RETRY_MAX") or usual.most),
            shortest=float(_setting(config, "httpRetryWaitMin", "DIGITALOCEAN_HTTP_RETRY_WAIT_MIN") or usual.shortest),
            longest=float(_setting(config, "httpRetryWaitMax", "DIGITALOCEAN_HTTP_RETRY_WAIT_MAX") or usual.longest),
        )
        return api.Client(
            endpoint=endpoint if named.rstrip("/") in ("", _REAL_CLOUD) else named,
            token=token,
            patience=waiting.Patience(wait=wait, gate=gate),
            retries=retries,
        )

    return package.Package(
        name="digitalocean",
        version=VERSION,
        config=tables.CONFIG,
        resources=(vpcs.VPC, firewalls.FIREWALL, clusters.CLUSTER, pools.NODE_POOL),
        functions=functions.FUNCTIONS,
        connect=connect,
        newer_bridge=True,
    )


serve = serving.server(describe)


def _setting(config: dict[str, values.Json], name: str, variable: str) -> str:
    """Returns a setting of the program, else of the environment, as text."""
    value = config.get(name)
    return os.environ.get(variable, "") if value in (None, "") else str(value)
