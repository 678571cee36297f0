"""Methods of credentials: users store them and list their names, and controllers read that of a cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from planton_server.service import answers, errors, kinds, reporters, sealing
from planton_server.store import credentials, resources

if TYPE_CHECKING:
    from planton_server.service.call import Call
    from planton_server.store import database

#: Credentials of a user.
MOST: Final = 100


async def put(call: Call) -> answers.Answer:
    """Stores a credential of the caller, encrypted.

    Raises:
        ApiError: ``CONFLICT``: the server has no key, or the caller has too many credentials.
    """
    request = call.request
    fields = {field.name: field.value for field in request.value.fields}
    try:
        sealed = sealing.seal(
            call.policy.credential_keys, json.dumps(fields), place=_place(call.caller.name, request.platform, request.name)
        )
    except sealing.UnusableError as error:
        raise errors.failed_precondition("credentials cannot be stored", details=str(error)) from None
    values = {
        "owner": call.caller.name,
        "platform": request.platform,
        "name": request.name,
        "fields": json.dumps(sorted(fields)),
        "key": sealed.key,
        "secret": sealed.text,
        "created_at": call.now,
        "updated_at": call.now,
    }
    async with call.store.transaction() as transaction:
        row = await credentials.put(transaction, values)
        if len(await credentials.of_owner(transaction, call.caller.name)) > MOST:
            raise errors.failed_precondition(f"a user has at most {MOST} credentials", details="delete one first")
    return answers.of_credential(row)


async def list_credentials(call: Call) -> answers.Answer:
    """Returns the credentials of the caller, without their values."""
    return answers.of_credentials(await credentials.of_owner(call.store, call.caller.name))


async def delete(call: Call) -> answers.Answer:
    """Deletes a credential of the caller.

    Raises:
        ApiError: ``NOT_FOUND``.
    """
    async with call.store.transaction() as transaction:
        if not await credentials.delete(transaction, call.caller.name, call.request.platform, call.request.name):
            raise errors.not_found("Credential")
    return answers.Answer()


async def of_cluster(call: Call) -> answers.Answer:
    """Returns the credential that a cluster names, with its value, to the controller of its cloud.

    Raises:
        ApiError: ``FORBIDDEN``; ``NOT_FOUND``: the cluster names none, or its owner has not stored it; ``CONFLICT``: it cannot be
            decrypted.
    """
    # Owners may report status on a loopback address, but a value is shown to no user.
    if not call.caller.controller:
        raise errors.forbidden("only controllers read credentials")
    row = call.visible(kinds.CLUSTER, await resources.get(call.store, kinds.CLUSTER.table, call.request.id))
    platform, owner = row["platform"], row["owner"]
    if not reporters.includes(call.caller.reports_as, f"planton-{platform}"):
        raise errors.forbidden(f"this caller does not report as planton-{platform}")
    name = json.loads(row["spec"])["platform"].get(platform, {}).get("credential", "")
    stored = await credentials.get(call.store, owner, platform, name) if name else None
    if stored is None:
        raise errors.not_found("Credential")
    try:
        sealed = sealing.Sealed(stored["key"], stored["secret"])
        text = sealing.unseal(call.policy.credential_keys, sealed, place=_place(owner, platform, name))
    except sealing.UnusableError as error:
        raise errors.failed_precondition(f"credential {name} cannot be decrypted", details=str(error)) from None
    return answers.of_cluster_credential(platform, name, json.loads(text))


async def rotate(store: database.Database, keys: str) -> int:
    """Encrypts all credentials with the first key, and returns how many had another one. Values that users set meanwhile stay.

    Args:
        store: The database.
        keys: The file of the keys.

    Raises:
        UnusableError: A credential has a key that the file does not have. Nothing is changed.
    """
    async with store.transaction() as transaction:
        changed = 0
        for row in await credentials.every(transaction):
            place = _place(row["owner"], row["platform"], row["name"])
            text = sealing.unseal(keys, sealing.Sealed(row["key"], row["secret"]), place=place)
            sealed = sealing.seal(keys, text, place=place)
            if sealed.key != row["key"]:
                changed += await credentials.reseal(transaction, row, key=sealed.key, secret=sealed.text)
        return changed


def _place(owner: str, platform: str, name: str) -> str:
    return json.dumps([owner, platform, name])
