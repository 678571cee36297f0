"""Functions that list items, filtered and sorted, and functions that find one item by one of several keys.

The plugins of both clouds use the same library for their lists.
"""

from __future__ import annotations

import dataclasses
import operator
import re
import typing

from planton_sandbox.providers import package, schema, sessions, values

Args = dict[str, values.Json]
_FILTER = (
    schema.Property(name="key", required=True, doc="The field to compare."),
    schema.Property(name="values", type=schema.LIST, required=True, doc="The accepted values."),
    schema.Property(name="all", type=schema.BOOL, default=False, doc="Whether all the values must match."),
    schema.Property(name="matchBy", default="exact", doc="exact, re or substring."),
)
_SORT = (
    schema.Property(name="key", required=True, doc="The field to sort by."),
    schema.Property(name="direction", doc="asc or desc."),
)
_SETTINGS = (
    schema.Property(name="filters", wire="filter", type=schema.SET, fields=_FILTER, doc="The filters."),
    schema.Property(name="sorts", wire="sort", type=schema.LIST, fields=_SORT, doc="The order."),
)
_MATCHES: typing.Final[dict[str, typing.Callable[[str, str], bool]]] = {
    "exact": lambda value, expected: value.casefold() == expected.casefold(),
    "substring": lambda value, expected: expected in value,
    "re": lambda value, expected: re.search(expected, value) is not None,
}
_CLOSE = 1e-6


@dataclasses.dataclass(frozen=True, kw_only=True)
class Listing:
    """A function that lists items.

    Attributes:
        token: the function's type token.
        result: the key of the list in the results.
        rows: the properties of each item.
        fetch: returns the cloud's items; its argument is the cloud's client.
        flatten: converts a cloud's item, or returns ``None`` to leave it out.
        identify: returns the result's id; its argument is the list of items.
    """

    token: str
    result: str
    rows: tuple[schema.Property, ...]
    fetch: typing.Callable[[typing.Any], list[values.Json]]
    flatten: typing.Callable[[Args], Args | None]
    identify: typing.Callable[[list[Args]], str]

    def function(self) -> package.Function:
        """Returns the function."""
        properties = (*_SETTINGS, schema.out(self.result, schema.LIST, self.rows))
        table = schema.Table(token=self.token, doc=f"Lists {self.result}.", properties=properties)
        return package.Function(table=table, call=self._call)

    def _call(self, client: typing.Any, args: Args) -> Args:
        filters, sorts = args.get("filters") or [], args.get("sorts") or []
        columns = {row.path: row.name for row in self.rows}
        for name, items in (("filter", filters), ("sort", sorts)):
            for index, item in enumerate(items):
                if item["key"] not in columns:
                    listed = " ".join(f'"{column}"' for column in columns)
                    raise sessions.Rejected(f"expected {name}.{index}.key to be one of [{listed}], got {item['key']}")
        try:
            items = self.fetch(client)
        except sessions.Fault as fault:
            raise sessions.Fault(f"Unable to load records: {fault}") from fault
        rows = [row for row in map(self.flatten, items) if row is not None]
        identity = self.identify(rows)
        rows = [row for row in rows if all(_passes(row[columns[criterion["key"]]], criterion) for criterion in filters)]
        for criterion in reversed(sorts):
            rows.sort(key=operator.itemgetter(columns[criterion["key"]]), reverse=criterion.get("direction") == "desc")
        results: Args = {"id": identity, self.result: rows}
        for name, items in (("filters", filters), ("sorts", sorts)):
            if items:
                results[name] = [{key: value for key, value in item.items() if key != "__defaults"} for item in items]
        return results


def exactly_one(args: Args, *keys: str) -> str:
    """Returns which of the keys is set, if exactly one is.

    Raises:
        Rejected: No key or several keys are set.
    """
    present = [key for key in keys if args.get(key)]
    listed = ",".join(keys)
    if len(present) == 1:
        return present[0]
    if not present:
        raise sessions.Rejected(f'Invalid combination of arguments. "{keys[0]}": one of `{listed}` must be specified')
    several = f"only one of `{listed}` can be specified, but `{','.join(present)}` were specified."
    raise sessions.Rejected(f'Invalid combination of arguments. "{keys[0]}": {several}')


def _passes(value: values.Json, criterion: Args) -> bool:
    hits = [_matches(value, str(expected), criterion.get("matchBy") or "exact") for expected in criterion["values"]]
    return all(hits) if criterion.get("all") else any(hits)


def _matches(value: values.Json, expected: str, how: str) -> bool:
    if isinstance(value, list):
        return any(_matches(item, expected, how) for item in value)
    if isinstance(value, bool):
        return value == (expected.lower() in ("true", "t", "1"))
    if isinstance(value, float):
        return abs(value - float(expected)) < _CLOSE
    if isinstance(value, int):
        return str(value) == expected
    return _MATCHES[how](str(value), expected)
