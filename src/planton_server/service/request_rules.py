"""The rules of requests that are not in the protos: the form of bodies, query parameters and headers. The ids are part of the API."""

from __future__ import annotations

from typing import Final

from planton.manifest import json_values
from planton_server.service import errors

#: Rule id → when a request breaks it.
RULES: Final = {
    "json.malformed": "The body is not UTF-8 or not JSON, holds NaN or Infinity, or is nested too deeply.",
    "json.unknown_field": "The object has no such field.",
    "json.duplicate_key": "A key is repeated in an object, or a field is set in two spellings.",
    "json.wrong_type": "The value does not match the type of its field.",
    "json.text": "The text contains the character NUL, or half of a surrogate pair.",
    "json.too_deep": f"Free data is nested more than {json_values.MAX_DEPTH} levels deep.",
    "json.too_large": f"Free data holds more than {json_values.MAX_VALUES:,} values, including each list and object.",
    errors.TOO_MANY: f"There are more violations than the {errors.MAX_VIOLATIONS} that are reported. Over gRPC, metadata limit their number.",
    "query.unknown_parameter": "The request has no such query parameter.",
    "query.duplicate": "A query parameter is repeated.",
    "query.wrong_type": "The value does not match the type of its query parameter.",
    "header.duplicate": "A conditional header is repeated.",
    "header.if_match": "If-Match is empty.",
    "header.name_length": "The name in a signed token is too long.",
    "header.idempotency_key": "Idempotency-Key is empty, too long, or not visible ASCII.",
}
