"""Answers as messages, for gRPC: read from the same text that REST sends, so that both say the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format

from planton.api import records

if TYPE_CHECKING:
    from google.protobuf import message


def of(answer: records.Answer, response: type[message.Message]) -> message.Message:
    """Returns an answer as the response of its method."""
    if isinstance(answer, records.Nothing):
        return response()
    data: Any = json.loads(records.text(answer))
    if isinstance(answer, records.Resource):
        data = {answer.kind.field: data}
    found: message.Message = json_format.ParseDict(data, response())
    return found
