"""Configuration files that point the clouds' own command lines at the sandbox.

They are in the sandbox's home, so the user's files stay unchanged.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping

from planton_sandbox import files

CIVO_REGION = "LON1"
GCP_PROJECT = "sandbox-project"


def write(home: pathlib.Path, *, clouds: Mapping[str, str], tokens: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, str]:
    """Writes a file for each cloud and returns their paths.

    Args:
        home: The sandbox's home.
        clouds: The URL of each cloud's API by name.
        tokens: The token of each cloud by name.
        keys: The text of each cloud's key file by name.
    """
    paths = {"civo": home / files.CIVO_CONFIG, "digitalocean": home / files.DOCTL_CONFIG, "gcp": home / files.GCP_KEY}
    files.write(paths["civo"], _civo(clouds["civo"], tokens["civo"]))
    files.write(paths["digitalocean"], _doctl(clouds["digitalocean"], tokens["digitalocean"]))
    files.write(paths["gcp"], keys["gcp"])
    # gcloud reads the token from a file, and writes its own settings and logs to a folder.
    files.write(home / files.GCLOUD_TOKEN, tokens["gcp"])
    (home / files.GCLOUD_CONFIG).mkdir(mode=0o700, exist_ok=True)
    return {name: str(path) for name, path in paths.items()}


def _civo(endpoint: str, token: str) -> str:
    config = {
        "apikeys": {"sandbox": token},
        "meta": {
            "admin": False,
            "current_apikey": "sandbox",
            "default_region": CIVO_REGION,
            "url": endpoint,
            # A date in the future keeps the command line from checking for releases and rewriting this file.
            "latest_release_check": "2999-01-01T00:00:00Z",
            "last_command_executed": "2026-01-01T00:00:00Z",
        },
    }
    return json.dumps(config, indent=2) + "\n"


def _doctl(endpoint: str, token: str) -> str:
    return f"access-token: {token}\napi-url: {endpoint}\ncontext: default\n"
