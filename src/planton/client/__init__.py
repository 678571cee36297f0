"""The client of the NodePool API: for the command line, for controllers, for other programs.

    with client.Client("http://127.0.0.1:8080", email="user@example.com") as api:
        for pool in api.list_node_pools(status="Ready"):
            print(pool.name, pool.spec.node_count)

A refused request raises ``ApiError``. An unreachable server raises ``API_UNREACHABLE``, after all safe retries.
"""

from __future__ import annotations

from planton.client.api import Client
from planton.client.transport import ApiError, Transport

__all__ = ["ApiError", "Client", "Transport"]
