"""The causes of failures, by the words of clouds, plugins and the engine: the reason, and what to do next."""

from __future__ import annotations

import dataclasses
import re

from planton import errors
from planton.base import retries


@dataclasses.dataclass(frozen=True, slots=True)
class Cause:
    """What the text of a failure says about its cause.

    Attributes:
        pattern: The words in a cloud's, a plugin's or the engine's text, in any case.
        reason: The reason of the error.
        hint: What to do next; ``{target}`` stands for ``KIND/NAME``.
    """

    pattern: str
    reason: errors.Reason
    hint: str


STUCK_HINT = (
    "the cloud keeps a resource in BUILDING when quota, free addresses of the network or the region's capacity run out: check "
    "those in its dashboard, then run the same command again (--timeout MINUTES waits longer)"
)
#: The first one that fits counts.
_CAUSES = (
    Cause(
        r"failed to save snapshot",
        errors.Reason.STATE_NOT_SAVED,
        "free disk space or restore the backend, then run the same command again: it reads from the cloud what the state lacks",
    ),
    Cause(
        r"error reading from server|exited prematurely",
        errors.Reason.ENGINE_FAILED,
        "the plugin has crashed or was killed; run the same command again: it reads the cloud and continues",
    ),
    Cause(
        r"immutable_|duplicate|already exists|has a .* already|already in use|name.*taken",
        errors.Reason.CLOUD_NAME_TAKEN,
        "a resource with this name exists: adopt it (planton import {target} ID -f FILE), or choose another name",
    ),
    Cause(
        r"IP_SPACE_EXHAUSTED|IP space of .* is exhausted",
        errors.Reason.CLOUD_QUOTA_REACHED,
        "the subnetwork has no addresses for more nodes: free some, enlarge its range, or use fewer nodes, then apply again",
    ),
    Cause(
        r"STOCKOUT|RESOURCE_POOL_EXHAUSTED|does not have enough resources available",
        errors.Reason.CLOUD_FAILED,
        "the cloud has no such machines there for now: apply again later, or choose other zones or another size",
    ),
    Cause(
        # Google Cloud also calls a limit of requests a quota.
        r"quota(?![\s\S]*rateLimitExceeded)|droplet limit",
        errors.Reason.CLOUD_QUOTA_REACHED,
        "ask the cloud for a higher quota, or use fewer or smaller machines, then apply again",
    ),
    Cause(
        r"AuthenticationError|requires_authentication|authentication|unable to authenticate|\b401\b",
        errors.Reason.CLOUD_AUTH,
        "check the token: planton doctor says which one is used; a new one comes from the cloud's account page",
    ),
    Cause(
        r"inuse|in use|DeleteWith|dependen|members",
        errors.Reason.CLOUD_IN_USE,
        "something still uses it; destroy that first (planton get lists what has been applied)",
    ),
    Cause(
        retries.TROUBLE,
        errors.Reason.CLOUD_FAILED,
        retries.HINT,
    ),
    Cause(
        r"SERVICE_DISABLED|accessNotConfigured|has not been used in project",
        errors.Reason.CLOUD_AUTH,
        "enable this API of the cloud for the project, wait a few minutes, then run the same command again",
    ),
    Cause(
        r"PERMISSION_DENIED|\b403\b|permission denied|not authorized",
        errors.Reason.CLOUD_AUTH,
        "the credential may not do this: grant its account what the text names, or use another one (planton doctor says which one "
        "is used)",
    ),
    Cause(r"timeout while waiting for state|Timeout waiting to", errors.Reason.CLOUD_STUCK, STUCK_HINT),
    Cause(
        r"connection refused|no such host|timeout|timed out|Timeout|reset by peer|urlopen error|Remote end closed|\bEOF\b",
        errors.Reason.CLOUD_UNREACHABLE,
        "the cloud did not answer; check the network and the API address, then run the same command again",
    ),
    Cause(
        r"\[ERR\] failed to",
        errors.Reason.CLOUD_FAILED,
        "the plugin passes on no more of the cloud's answer than this; correct what it names, else wait a little, then run the same "
        "command again",
    ),
)


def find(text: str) -> Cause | None:
    """Returns the cause that a text names; None if it names none."""
    return next((cause for cause in _CAUSES if re.search(cause.pattern, text, re.IGNORECASE)), None)
