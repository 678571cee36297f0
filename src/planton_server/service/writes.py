"""Methods that create and update resources, and acknowledge events."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from planton_server.service import answers, errors, kinds, rows
from planton_server.store import access, database, events, resources

if TYPE_CHECKING:
    from planton_server.service.call import Call


async def create(call: Call) -> answers.Answer:
    """Creates a resource. A repeated ``Idempotency-Key`` returns the first answer.

    Raises:
        ApiError: The name is taken, the cluster does not exist, or the key was used for another request.
    """
    digest = hashlib.sha256(call.kind.noun.encode() + call.request.SerializeToString(deterministic=True)).hexdigest()
    try:
        return await _create_once(call, digest)
    except database.DuplicateError as error:
        # Either the name is taken, or an earlier request had the same key and stored its answer.
        stored = None
        if call.context.idempotency_key:
            stored = await access.answer(call.store, call.caller.name, call.context.idempotency_key)
        if stored is None:
            raise call.name_taken(call.resource.name) from error
    if stored["digest"] != digest:
        raise errors.conflict("Idempotency-Key was used for another request", details="use a new key for a new request")
    return answers.of_resource(call.kind, json.loads(stored["resource"]), call.acceptance)


async def update(call: Call) -> answers.Answer:
    """Replaces the spec of a resource.

    Raises:
        ApiError: The resource does not exist, has another version, or a field is immutable.
    """
    answer = None
    # Another writer may write between the read and the write. Each retry follows a finished writer, so the loop ends.
    while answer is None:
        answer = await _update_once(call)
    return answer


async def acknowledge(call: Call) -> answers.Answer:
    """Acknowledges an event.

    Raises:
        ApiError: ``NOT_FOUND``.
    """
    async with call.store.transaction() as transaction:
        if not await events.acknowledge(transaction, call.request.id, now=call.now, owner=call.owner):
            raise errors.not_found("Event")
    return answers.Answer()


async def _create_once(call: Call, digest: str) -> answers.Answer:
    kind, context = call.kind, call.context
    row = rows.new(call)
    is_single_statement = not (context.idempotency_key or call.request.dry_run)
    async with call.store.unit() if is_single_statement else call.store.transaction() as transaction:
        if context.idempotency_key:
            stored = {"identity": call.caller.name, "key": context.idempotency_key, "digest": digest}
            await access.keep_answer(transaction, stored | {"resource": json.dumps(row), "created_at": call.now})
        if not await resources.insert(transaction, kind.table, row, rows.event(call, kind, row, "created")):
            raise errors.not_found(kinds.CLUSTER.name)
        return call.done(answers.of_resource(kind, row, call.acceptance))


async def _update_once(call: Call) -> answers.Answer | None:
    """Returns the answer; None if the resource changed between reading and writing."""
    kind = call.kind
    async with call.store.transaction() if call.request.dry_run else call.store.unit() as transaction:
        row = call.visible(kind, await resources.get(transaction, kind.table, call.request.id))
        expected = call.expected_version(row, call.resource.resource_version)
        changed, replaced = rows.updated(call, row)
        if changed is None:
            return answers.of_resource(kind, row, call.acceptance)
        event = rows.event(call, kind, changed, "updated", replaced)
        try:
            if not await resources.update(transaction, kind.table, changed, event, expected=expected):
                return None
        except database.DuplicateError as error:
            raise call.name_taken(changed["name"]) from error
        return call.done(answers.of_resource(kind, changed, call.acceptance))
