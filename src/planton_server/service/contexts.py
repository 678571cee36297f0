"""The circumstances of a call: its caller, its time, its headers, and the settings of the operator."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planton_server.service import reporters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request.

    Attributes:
        name: An email address, or the name of a controller.
        controller: Whether it is a controller. A controller sees all resources, reports status, and changes no spec.
        may_report: Whether it may report status: controllers, and owners on a loopback address.
        reports_as: The controller names under which it may report. ``*`` stands for any characters.
    """

    name: str
    controller: bool = False
    may_report: bool = False
    reports_as: tuple[str, ...] = reporters.ANY


@dataclasses.dataclass(frozen=True, slots=True)
class Context:
    """Everything that a call carries in addition to its message.

    Attributes:
        caller: The caller.
        now: The time, RFC 3339 in UTC with six digits of the second.
        if_match: The ``If-Match`` header; empty if the call has none.
        idempotency_key: The ``Idempotency-Key`` header; empty if the call has none.
        in_cluster: Whether the path names the cluster of a list. A missing cluster is then an error, not an empty list.
    """

    caller: Caller
    now: str
    if_match: str = ""
    idempotency_key: str = ""
    in_cluster: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """The settings of the operator.

    Attributes:
        expected: Kind's noun and platform → the controllers that must report before a resource is ready.
        deadline: Seconds after which a resource that is not ready has failed, if a controller is expected.
        resync: Seconds between two resync events of a resource, at most; 0 for no resync.
        credential_keys: The file of the keys that encrypt credentials; empty for none.
    """

    expected: Mapping[tuple[str, str], Sequence[str]] = dataclasses.field(default_factory=dict)
    deadline: float = 1800
    resync: float = 3600
    credential_keys: str = ""
