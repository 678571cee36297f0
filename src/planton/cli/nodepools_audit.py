"""The output of ``planton nodepools events``: what controllers have changed in the cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from planton.cli import render, times

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from planton import client

_HEADER: Final = ("TIME", "ACTION", "CAUSE", "USER", "PROCESS", "OUTCOME", "CHANGE")
#: Changes of an action that a table shows.
_MOST: Final = 8
#: The most items of a page of the API.
_PAGE: Final = 100


def read(api: client.Transport, path: str, limit: int) -> list[dict[str, Any]]:
    """Returns the latest actions, newest first.

    Args:
        api: The API.
        path: The path of the resource.
        limit: The maximum number of actions.
    """
    items: list[dict[str, Any]] = []
    query: dict[str, str] = {}
    while len(items) < limit:
        page = api.request("GET", f"{path}/events", query={**query, "limit": str(min(_PAGE, limit - len(items)))})
        items += page["events"]
        if page.get("next_page_token") in (None, "", query.get("page_token")):
            break
        query["page_token"] = page["next_page_token"]
    return items


def lines(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the lines of a table: one for each change, the oldest action first."""
    rows = [row for item in reversed(items) for row in _rows(item)]
    return render.table([_HEADER, *rows]) if rows else ["controllers have changed nothing"]


def _rows(item: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    first = (
        times.utc(item["created_at"]),
        item["action"],
        item["cause"],
        item["requested_by"] or "-",
        item["process"] or item["controller_name"],
        item["outcome"],
    )
    why = ": ".join(text for text in (item["reason"], item["error"]) if text)
    yield (*first, why)
    for text in _changes(item["changes"]):
        yield (*("" for _ in first), f"  {text}")


def _changes(listed: Sequence[Mapping[str, str]]) -> Iterable[str]:
    for each in listed[:_MOST]:
        subject = f"{each['action']} {each['resource']}"
        if not each["field"]:
            yield f"{subject}: {each['after']}" if each["after"] else subject
        elif each["before"]:
            yield f"{subject}: {each['field']} {each['before']} → {each['after'] or '(unset)'}"
        else:
            yield f"{subject}: {each['field']} {each['after']}"
    if len(listed) > _MOST:
        yield f"and {len(listed) - _MOST} more: -o yaml shows them"
