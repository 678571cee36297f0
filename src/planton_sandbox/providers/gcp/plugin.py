"""The stand-in for the official ``gcp`` plugin, version 10.2.0: the resources of GKE.

It sends the plugin's requests in the plugin's order, so it works against any server with Google's API. Unlike the plugin it
never calls the real cloud for a program that configures no endpoint, caches no list, and accepts no pools within clusters.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import typing

from planton_sandbox.providers import package, serving, sessions, values, waiting
from planton_sandbox.providers.gcp import api, cluster_tables, clusters, pools

VERSION: typing.Final = "10.2.0"
_REAL_CLOUD: typing.Final = re.compile(r"https://([a-z]+\.)*googleapis\.com(/|$)")
_PROJECTS = ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT")
_SECONDS: typing.Final = re.compile(r"(\d+(?:\.\d+)?)s")


def describe(endpoint: str, *, wait: typing.Callable[[float], None]) -> package.Package:
    """Returns the provider's description.

    Args:
        endpoint: the API's URL for programs that configure none.
        wait: is called with the seconds wherever the official plugin waits.
    """

    def connect(config: dict[str, values.Json], gate: typing.Callable[[], None]) -> api.Client:
        token, key = _credentials(config)
        container = _setting(config, "containerCustomEndpoint", "GOOGLE_CONTAINER_CUSTOM_ENDPOINT")
        compute = _setting(config, "computeCustomEndpoint", "GOOGLE_COMPUTE_CUSTOM_ENDPOINT")
        poll = _SECONDS.fullmatch(_setting(config, "pollInterval"))
        return api.Client(
            # The plugin cuts the version off, and calls v1beta1.
            container=re.sub(r"/(v1|v1beta1)?/?$", "", _own(container, endpoint)),
            compute=_own(compute, f"{endpoint}/compute/beta/").rstrip("/"),
            token=token,
            key=key,
            project=_setting(config, "project", *_PROJECTS),
            location=_setting(config, "zone", "GOOGLE_ZONE", "GCLOUD_ZONE", "CLOUDSDK_COMPUTE_ZONE")
            or _setting(config, "region", "GOOGLE_REGION", "GCLOUD_REGION", "CLOUDSDK_COMPUTE_REGION"),
            timing=waiting.Timing(wait=wait, gate=gate),
            poll=float(poll.group(1)) if poll else api.POLL,
        )

    return package.Package(
        name="gcp",
        version=VERSION,
        config=cluster_tables.CONFIG,
        resources=(clusters.CLUSTER, pools.NODE_POOL),
        functions=(clusters.GET_CLUSTER,),
        connect=connect,
        newer_bridge=True,
    )


serve = serving.server(describe)


def _credentials(config: dict[str, values.Json]) -> tuple[str, dict[str, values.Json]]:
    """Returns an access token or a key file: the program's, else those of the environment.

    Raises:
        Fault: The credentials are neither a key file nor the path of one.
    """
    token, text = str(config.get("accessToken") or ""), str(config.get("credentials") or "")
    if not token and not text:
        token = os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN", "")
        text = "" if token else _setting({}, "", "GOOGLE_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS")
    if token or not text:
        return token, {}
    try:
        content = text if text.lstrip().startswith("{") else pathlib.Path(text).read_text(encoding="utf-8")
        key = json.loads(content)
        return "", {name: key[name] for name in ("client_email", "private_key", "token_uri")} | {
            "private_key_id": key.get("private_key_id", "")
        }
    except (OSError, ValueError, KeyError) as error:
        raise sessions.Fault("JSON credentials are not valid: the file or its content cannot be read") from error


def _own(address: str, usual: str) -> str:
    return usual if not address or _REAL_CLOUD.match(address) else address


def _setting(config: dict[str, values.Json], name: str, *variables: str) -> str:
    """Returns a setting of the program, or else of the environment, as text."""
    value = config.get(name)
    if value not in (None, ""):
        return str(value)
    return next((os.environ[variable] for variable in variables if os.environ.get(variable)), "")
