"""Retries of requests to clouds: the one policy, for every client."""

from __future__ import annotations

#: How the plugins say 429 and 5xx.
TROUBLE = r"InternalServerError|: (429|5\d\d)\b"
#: Seconds before each further try where the cloud does not say how long.
WAITS = (0.5, 1.5)
#: What to do about what stays so.
PATIENCE = "the cloud has a trouble of its own or asks for patience; wait a little, then run the same command again"
