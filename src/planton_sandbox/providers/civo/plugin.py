"""The stand-in for the official ``civo`` plugin, version 2.4.8.

It sends the plugin's requests in the plugin's order, so it works against any server with Civo's API. Unlike the plugin it never
reads ``~/.civo.json``, which may hold a key of the real cloud.
"""

from __future__ import annotations

import json
import os
import pathlib
import typing

from planton_sandbox.providers import package, serving, sessions, values, waiting
from planton_sandbox.providers.civo import api, clusters, firewalls, functions, networks, pools, tables

VERSION: typing.Final = "2.4.8"


def describe(endpoint: str, *, wait: typing.Callable[[float], None]) -> package.Package:
    """Returns the provider's description.

    Args:
        endpoint: the API's URL for programs that configure none.
        wait: is called with the seconds wherever the official plugin waits.
    """

    def connect(config: dict[str, values.Json], gate: typing.Callable[[], None]) -> api.Client:
        address = str(config.get("apiEndpoint") or os.environ.get("CIVO_API_URL") or endpoint)
        region = str(config.get("region") or os.environ.get("CIVO_REGION") or "")
        timing = waiting.Timing(wait=wait, gate=gate)
        client = api.Client(endpoint=address, token=_token(config), region=region, timing=timing)
        try:
            client.get("/v2/regions")
        except api.CloudError as error:
            if error.code == "database_account_not_found":
                where = "Please go to https://dashboard.civo.com/security to generate one"
                raise sessions.Fault(f"the Civo token from environment variable is invalid. {where}") from error
            raise sessions.Fault(f"an error occoured while connecting to Civo's API: {error}") from error
        return client

    return package.Package(
        name="civo",
        version=VERSION,
        config=tables.CONFIG,
        resources=(networks.NETWORK, firewalls.FIREWALL, clusters.CLUSTER, pools.NODE_POOL),
        functions=functions.FUNCTIONS,
        connect=connect,
        config_warnings=_config_warnings,
    )


serve = serving.server(describe)


def _config_warnings(config: dict[str, values.Json]) -> list[str]:
    # The official plugin does not warn if CIVO_TOKEN is set, too. That is this process's own variable here, not the engine's.
    if not config.get("token"):
        return []
    advice = "Please use the CIVO_TOKEN environment variable or the credentials_file attribute instead."
    return [f'The "token" attribute is deprecated. {advice}']


def _token(config: dict[str, values.Json]) -> str:
    token = config.get("token") or os.environ.get("CIVO_TOKEN")
    path = config.get("credentialsFile") or os.environ.get("CIVO_CREDENTIAL_FILE")
    problem = "no key is configured"
    if not token and path:
        try:
            stored = json.loads(pathlib.Path(str(path)).expanduser().read_text(encoding="utf-8"))
            token = stored["apikeys"][stored["meta"]["current_apikey"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = f"error reading from credentials_file: {error}"
    if not token:
        looked = "$CIVO_TOKEN or credentials_file or ~/.civo.json"
        fetch = "Please go to https://dashboard.civo.com/security to fetch one"
        raise sessions.Fault(f"[ERR] No token configuration found in {looked}. {fetch}: {problem}")
    return str(token)
