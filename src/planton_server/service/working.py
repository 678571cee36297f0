"""Methods of the work queue: controllers claim, renew and finish work; users and operators list and retry it."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Final

from planton_server.service import answers, errors
from planton_server.store import work

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planton_server.service.call import Call
    from planton_server.store import database

_DEFAULT_LIMIT: Final = 50
#: The fewest seconds between two looks of a process that waits. Work that becomes due meanwhile is claimed together.
_TOGETHER: Final = 0.2
#: The fewest seconds between two looks after notifications.
_APART: Final = 0.02
#: The greatest factor of a backoff.
_JITTER: Final = 1.25


async def claim(call: Call) -> answers.Answer:
    """Takes results, and claims work. Waits for work if the request says so.

    Raises:
        ApiError: ``FORBIDDEN``: the caller is not a controller.
    """
    _check(call)
    claim_request = call.request.claim
    until = time.monotonic() + claim_request.wait.ToTimedelta().total_seconds()
    results = _results(claim_request.results)
    accepted: Mapping[tuple[str, int], work.Finished] = {}
    rows: Sequence[database.Row] = ()
    if results:
        async with call.store.transaction() as transaction:
            await work.lock(transaction)
            await _register(call, transaction)
            accepted = await work.finish(transaction, call.workers.limits, claim_request.process, results)
            if claim_request.limit:
                rows = await _claimed(call, transaction)
        _finished(call, results, accepted)
    else:
        async with call.store.transaction() as transaction:
            await _register(call, transaction)
    call.workers.serves(frozenset(claim_request.platforms))
    if claim_request.limit and not rows:
        rows = await _wait(call, until)
    return answers.of_claim(rows, _accepted(results, accepted), call.workers.limits.lease)


async def renew(call: Call) -> answers.Answer:
    """Renews the lease of a process, and takes back the work of processes whose lease has ended.

    Raises:
        ApiError: ``FORBIDDEN``: the caller is not a controller.
    """
    _check(call)
    beat, limits = call.request.heartbeat, call.workers.limits
    async with call.store.unit() as transaction:
        is_alive = await work.renew(transaction, limits, beat.process, version=beat.version)
        must_sweep = await work.expired(transaction, limits)
    if must_sweep or not is_alive:
        async with call.store.transaction() as transaction:
            await _sweep(call, transaction)
            if not is_alive:
                await work.revive(transaction, limits, beat.process)
    return answers.of_held(await work.held(call.store, beat.process), limits.lease)


async def finish(call: Call) -> answers.Answer:
    """Takes results of a process.

    Raises:
        ApiError: ``FORBIDDEN``: the caller is not a controller.
    """
    _check(call)
    sent = call.request.finish
    results = _results(sent.results)
    async with call.store.unit() as transaction:
        accepted = await work.finish(transaction, call.workers.limits, sent.process, results)
    _finished(call, results, accepted)
    return answers.of_finished(_accepted(results, accepted))


async def list_work(call: Call) -> answers.Answer:
    """Returns a page of work."""
    request = call.request
    limit = request.limit if request.HasField("limit") else _DEFAULT_LIMIT
    selection = work.Filter(call.owner, request.state, request.platform, request.kind)
    # One row more than the page has: it says that there is a next page.
    rows = await work.page(call.store, selection, limit=limit + 1, after=request.page_token)
    return answers.of_work_page(rows[:limit], rows[limit - 1]["id"] if len(rows) > limit else "")


async def retry(call: Call) -> answers.Answer:
    """Makes work due at once.

    Raises:
        ApiError: ``NOT_FOUND``.
    """
    async with call.store.transaction() as transaction:
        is_retried = await work.retry(transaction, call.workers.limits, call.request.id, owner=call.owner)
        row = await work.get(transaction, call.request.id) if is_retried else None
    if row is None:
        raise errors.not_found("Work")
    call.workers.changed()
    return answers.of_work(row)


async def list_processes(call: Call) -> answers.Answer:
    """Returns the processes."""
    return answers.of_processes(await work.processes(call.store, call.workers.limits))


def _check(call: Call) -> None:
    # Owners may report status on a loopback address, but work is everybody's.
    if not call.caller.controller:
        raise errors.forbidden("only controllers claim work")


async def _register(call: Call, transaction: database.Transaction) -> None:
    """Registers the process of a claim. If its lease has ended, its work is taken back first."""
    claim_request, limits = call.request.claim, call.workers.limits
    described: dict[str, Any] = {"version": claim_request.version, "platforms": claim_request.platforms}
    if not await work.register(transaction, limits, claim_request.process, **described):
        await _sweep(call, transaction)
        await work.revive(transaction, limits, claim_request.process)
        await work.register(transaction, limits, claim_request.process, **described)


async def _sweep(call: Call, transaction: database.Transaction) -> None:
    if lost := await work.sweep(transaction, call.workers.limits):
        call.workers.counted("LOST", lost)
        call.workers.changed()


async def _wait(call: Call, until: float) -> Sequence[database.Row]:
    """Returns claimed work as soon as some is due; none after the time, or when the server stops."""
    claim_request, workers = call.request.claim, call.workers
    while True:
        due = await work.next_due(call.store, workers.limits, claim_request.platforms)
        seconds = workers.poll if due is None else min(workers.poll, max(_TOGETHER, due / 1000))
        if due is not None and due <= 0:
            async with call.store.transaction() as transaction:
                await work.lock(transaction)
                if rows := await _claimed(call, transaction):
                    return rows
        looked = time.monotonic()
        if looked >= until or workers.is_stopping:
            return ()
        await workers.wait(min(seconds, until - looked))
        # Many changes at once are one look.
        await workers.pause(looked + _APART)


async def _claimed(call: Call, transaction: database.Transaction) -> Sequence[database.Row]:
    claim_request = call.request.claim
    return await work.claim(
        transaction, call.workers.limits, claim_request.process, platforms=claim_request.platforms, limit=claim_request.limit
    )


def _results(sent: Sequence[Any]) -> list[work.Result]:  # of WorkResult messages
    """Returns the results of a request in the form of the store."""
    return [
        work.Result(
            result.id.lower(),
            result.epoch,
            result.generation,
            result.outcome,
            round(result.next_look.ToMilliseconds()) if result.HasField("next_look") else None,
            result.error.code,
            result.error.message,
            random.uniform(1, _JITTER),  # noqa: S311 - spreads retries
        )
        for result in sent
    ]


def _accepted(results: Sequence[work.Result], accepted: Mapping[tuple[str, int], work.Finished]) -> list[tuple[str, bool]]:
    return [(result.id, (result.id, result.epoch) in accepted) for result in results]


def _finished(call: Call, results: Sequence[work.Result], accepted: Mapping[tuple[str, int], work.Finished]) -> None:
    """Counts results, and wakes processes if work is due at once."""
    for result in results:
        if (result.id, result.epoch) in accepted:
            call.workers.counted(result.outcome, 1)
    if any(finished.is_due for finished in accepted.values()):
        call.workers.changed()
