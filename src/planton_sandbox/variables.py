"""The variables that point programs at a running sandbox.

No server is imported, so that `planton sandbox env` is fast.
"""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from planton_sandbox import clients, files

if TYPE_CHECKING:
    from planton_sandbox import launch

#: The clouds that the variables are about.
CLOUDS = ("civo", "digitalocean", "gcp")
#: The variables that `environment` sets.
NAMES = (
    "CIVO_API_URL",
    "CIVO_TOKEN",
    "CIVO_REGION",
    "CIVO_CONFIG",
    "DIGITALOCEAN_API_URL",
    "DIGITALOCEAN_TOKEN",
    "DIGITALOCEAN_ACCESS_TOKEN",
    "DIGITALOCEAN_CONFIG",
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    "GOOGLE_PROJECT",
    "GOOGLE_API_URL",
    "GOOGLE_CONTAINER_CUSTOM_ENDPOINT",
    "GOOGLE_COMPUTE_CUSTOM_ENDPOINT",
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER",
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE",
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE",
    "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
    "CLOUDSDK_CONFIG",
    "CLOUDSDK_CORE_PROJECT",
    "CLOUDSDK_CORE_DISABLE_PROMPTS",
)


def environment(info: launch.Info) -> dict[str, str]:
    """Returns the variables that point the clouds' clients at the sandbox."""
    return {
        "CIVO_API_URL": info.clouds["civo"],
        "CIVO_TOKEN": info.tokens["civo"],
        "CIVO_REGION": clients.CIVO_REGION,
        # The civo command line reads its endpoint from this file only.
        "CIVO_CONFIG": info.files["civo"],
        "DIGITALOCEAN_API_URL": info.clouds["digitalocean"],
        "DIGITALOCEAN_TOKEN": info.tokens["digitalocean"],
        "DIGITALOCEAN_ACCESS_TOKEN": info.tokens["digitalocean"],
        # With its own file, doctl does not send the token of a context in the user's file.
        "DIGITALOCEAN_CONFIG": info.files["digitalocean"],
        **_google(info),
    }


def _google(info: launch.Info) -> dict[str, str]:
    """Returns the variables of Google Cloud's clients: the provider's, and those of gcloud, which has files of its own."""
    home, endpoint = pathlib.Path(info.files["gcp"]).parent, info.clouds["gcp"]
    return {
        # Only planton and the provider read it. A key in GOOGLE_CREDENTIALS or GOOGLE_APPLICATION_CREDENTIALS would also be used
        # for a backend of states in Google's cloud.
        "GOOGLE_OAUTH_ACCESS_TOKEN": info.tokens["gcp"],
        "GOOGLE_PROJECT": clients.GCP_PROJECT,
        # planton has one address for all of Google's APIs.
        "GOOGLE_API_URL": endpoint,
        "GOOGLE_CONTAINER_CUSTOM_ENDPOINT": f"{endpoint}/v1beta1/",
        "GOOGLE_COMPUTE_CUSTOM_ENDPOINT": f"{endpoint}/compute/beta/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER": f"{endpoint}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": f"{endpoint}/compute/v1/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE": f"{endpoint}/",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(home / files.GCLOUD_TOKEN),
        "CLOUDSDK_CONFIG": str(home / files.GCLOUD_CONFIG),
        "CLOUDSDK_CORE_PROJECT": clients.GCP_PROJECT,
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    }


def debug_providers(info: launch.Info) -> str:
    """Returns the value of ``PULUMI_DEBUG_PROVIDERS`` that attaches the stand-in plugins."""
    return ",".join(f"{name}:{port}" for name, port in info.providers.items())
