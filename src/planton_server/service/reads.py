"""Methods that read: a resource, a list, a status, events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from planton_server.service import answers, errors, kinds, paging, status
from planton_server.store import events, lists, resources

if TYPE_CHECKING:
    from planton_server.service.call import Call

_DEFAULT_LIMIT: Final = 50
_EVENTS_LIMIT: Final = 100


async def get(call: Call) -> answers.Answer:
    """Returns a resource.

    Raises:
        ApiError: ``NOT_FOUND``.
    """
    row = await resources.get(call.store, call.kind.table, call.request.id)
    return answers.of_resource(call.kind, call.visible(call.kind, row), call.acceptance)


async def get_status(call: Call) -> answers.Answer:
    """Returns the status of a resource, with the report of each controller.

    Raises:
        ApiError: ``NOT_FOUND``.
    """
    row, reports = await resources.get_with_reports(call.store, call.kind.table, call.request.id)
    return answers.of_status(call.kind, call.visible(call.kind, row), reports, call.acceptance)


async def list_resources(call: Call) -> answers.Answer:
    """Returns a page of a list.

    Raises:
        ApiError: The cursor is invalid, or the cluster in the path does not exist.
    """
    request = call.request
    selected = lists.Filter(
        owner=call.owner,
        cluster_id=getattr(request, "cluster_id", ""),
        platform=request.platform,
        phases=_phases(request.status, request.health),
        deleting=request.include_deleting,
    )
    after = _cursor(call, selected)
    limit = request.limit if request.HasField("limit") else _DEFAULT_LIMIT
    # One row more than the page has: it says that there is a next page.
    rows = await lists.page(call.store, call.kind.table, selected, limit=limit + 1, offset=request.offset, after=after)
    total = await _total(call, selected, is_empty=not rows)
    token = paging.token(rows[limit - 1], selected) if len(rows) > limit else ""
    return answers.of_page(
        call.kind, rows[:limit], call.acceptance, total=total, limit=limit, offset=request.offset, next_page_token=token
    )


async def list_events(call: Call) -> answers.Answer:
    """Returns events after a cursor, oldest first."""
    request = call.request
    limit = request.limit if request.HasField("limit") else _EVENTS_LIMIT
    rows = await events.read(call.store, events.cursor(request.after), limit=limit, owner=call.owner)
    return answers.of_events(rows, str(events.place(rows[-1])) if rows else request.after)


def _cursor(call: Call, selected: lists.Filter) -> tuple[str, str] | None:
    """Returns ``created_at`` and ``id`` of the row before the page, or None."""
    request = call.request
    if not request.page_token:
        return None
    if request.offset:
        raise errors.bad_field(
            "offset", "list.offset_or_page_token", f"offset ({request.offset}) must not be set together with page_token"
        )
    try:
        return paging.place(request.page_token, selected)
    except ValueError as error:
        raise errors.bad_field("page_token", "list.page_token", str(error)) from error


async def _total(call: Call, selected: lists.Filter, *, is_empty: bool) -> int:
    """Returns how many resources the list has on all its pages.

    Raises:
        ApiError: ``NOT_FOUND``: the path names a cluster that does not exist.
    """
    if not (call.context.in_cluster and selected.cluster_id and is_empty):
        # The cluster of a visible node pool exists, so only an empty page needs the check.
        return await lists.count(call.store, call.kind.table, selected)
    cluster, total = await lists.count_in_cluster(call.store, selected)
    call.visible(kinds.CLUSTER, cluster)
    return total


def _phases(phase: str, health: str) -> tuple[str, ...]:
    """Returns the phases that a list selects; none for all."""
    if phase and health:
        # A phase without this health selects nothing.
        return (phase,) if phase in status.PHASES[health] else ("none",)
    return (phase,) if phase else status.PHASES.get(health, ())
