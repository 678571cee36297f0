"""Google's client of GKE in a process of its own: its protos and those of Pulumi's SDK define the same message.

Each line of the input is a call, and each line of the output its result or error, in JSON.
"""

from __future__ import annotations

import functools
import json
import sys
from typing import Any

from google.api_core import client_options, exceptions
from google.cloud import container_v1
from google.cloud.container_v1.services.cluster_manager.transports import rest
from google.oauth2 import credentials


@functools.cache
def client(host: str, token: str) -> Any:
    """Returns a client that sends REST without TLS to a host, with an access token."""
    transport = rest.ClusterManagerRestTransport(host=host, url_scheme="http", credentials=credentials.Credentials(token=token))
    options = client_options.ClientOptions(api_endpoint=host)
    return container_v1.ClusterManagerClient(transport=transport, client_options=options)


def answer(call: dict[str, Any]) -> dict[str, Any]:
    """Makes a call and returns its result, with the names of enums, or the status and text of the cloud's error."""
    try:
        result = getattr(client(call["host"], call["token"]), call["method"])(*call["arguments"], **call["keywords"])
    except exceptions.GoogleAPICallError as error:
        return {"status": error.code, "message": error.message}
    return {"result": None if result is None else type(result).to_dict(result, use_integers_for_enums=False)}


def main() -> None:
    """Answers calls until the input ends."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
