"""The stand-in for the official ``digitalocean`` plugin, version 4.76.0.

It sends the plugin's requests in the plugin's order, so it works against any server with DigitalOcean's API. Unlike the plugin it
never calls the real cloud for a program that configures no endpoint, and it does not limit the rate of requests.
"""

from __future__ import annotations

import os
import typing

from planton_sandbox.providers import package, serving, values, waiting
from planton_sandbox.providers.digitalocean import api, clusters, firewalls, functions, pools, tables, vpcs

VERSION: typing.Final = "4.76.0"
_REAL_CLOUD = "https://api.digitalocean.com"
"""The endpoint that the SDK writes into the configuration of a program that has none."""


def describe(endpoint: str, *, wait: typing.Callable[[float], None]) -> package.Package:
    """Returns the provider's description.

    Args:
        endpoint: the API's URL for programs that configure none.
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
            timing=waiting.Timing(wait=wait, gate=gate),
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
        drops_notes=True,
    )


serve = serving.server(describe)


def _setting(config: dict[str, values.Json], name: str, variable: str) -> str:
    """Returns a setting of the program, or else of the environment, as text."""
    value = config.get(name)
    return os.environ.get(variable, "") if value in (None, "") else str(value)
