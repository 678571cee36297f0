"""Times of the API: RFC 3339, in answers always in UTC with six digits of the second."""

from __future__ import annotations

import datetime
import re
from typing import Final

from google.protobuf import timestamp_pb2

_EPOCH: Final = datetime.datetime(1970, 1, 1)  # noqa: DTZ001  # differences of naive UTC times are what is computed here
_FORM: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))\Z", re.ASCII
)
_LEAP: Final = "60"


def parse(text: str) -> timestamp_pb2.Timestamp | None:
    """Returns the time of a text, cut to microseconds; None if it is not RFC 3339, or out of the range of protobuf.

    A leap second becomes the second after it.
    """
    match = _FORM.match(text)
    if match is None:
        return None
    day, minute, second, fraction, sign, hours, minutes = match.groups()
    leap = second == _LEAP
    try:
        moment = datetime.datetime.fromisoformat(f"{day}T{minute}:{'59' if leap else second}")
        if sign is not None:
            offset = datetime.timedelta(hours=int(hours), minutes=int(minutes))
            moment = moment - offset if sign == "+" else moment + offset
        if leap:
            if (moment.hour, moment.minute) != (23, 59):
                return None
            moment += datetime.timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None
    passed = moment - _EPOCH
    nanos = int((fraction or "")[:6].ljust(6, "0")) * 1000
    return timestamp_pb2.Timestamp(seconds=passed.days * 86_400 + passed.seconds, nanos=nanos)


def text(moment: datetime.datetime) -> str:
    """Returns a time with a zone as text: ``2025-10-17T10:30:00.000000Z``."""
    return f"{moment.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def render(moment: timestamp_pb2.Timestamp) -> str:
    """Returns a time as text, cut to microseconds: ``2025-10-17T10:30:00.000000Z``."""
    passed = datetime.timedelta(seconds=moment.seconds, microseconds=moment.nanos // 1000)
    return f"{(_EPOCH + passed).isoformat(timespec='microseconds')}Z"
