"""Times of the API: RFC 3339, in answers always in UTC with six digits of the second."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from google.protobuf import duration_pb2, timestamp_pb2

_EPOCH: Final = datetime.datetime(1970, 1, 1)  # noqa: DTZ001  # only differences of naive UTC times are computed


def text(moment: datetime.datetime) -> str:
    """Returns a time with a zone as text: ``2025-10-17T10:30:00.000000Z``."""
    return f"{moment.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def render(moment: timestamp_pb2.Timestamp) -> str:
    """Returns a time as text, cut to microseconds: ``2025-10-17T10:30:00.000000Z``."""
    passed = datetime.timedelta(seconds=moment.seconds, microseconds=moment.nanos // 1000)
    return f"{(_EPOCH + passed).isoformat(timespec='microseconds')}Z"


def render_duration(passed: duration_pb2.Duration) -> str:
    """Returns a duration as text: ``8s``, ``1.500s``."""
    return str(passed.ToJsonString())
