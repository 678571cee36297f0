"""Rows about callers: static tokens, and the first answers to requests that may be repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from planton_server.store import tables
from planton_server.store.database import Database, Row, Statement, Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ANSWERS: Final = tables.ANSWERS
_TOKENS: Final = tables.TOKENS


async def answer(database: Database, identity: str, key: str) -> Row | None:
    """Returns the first answer to a caller's request with an idempotency key: ``digest`` and ``resource``; None if there is none."""
    rows = await database.rows(_ANSWER, identity=identity, key=key)
    return rows[0] if rows else None


async def keep_answer(transaction: Transaction, values: Mapping[str, Any]) -> None:
    """Keeps an answer.

    Raises:
        DuplicateError: Another request of the caller has the key.
    """
    await transaction.rows(_KEEP, **values)


async def token(database: Database, digest: str) -> Row | None:
    """Returns the token with a digest: ``subject``, ``role``, ``expires_at``, ``reports_as``; None if there is none."""
    rows = await database.rows(_TOKEN, digest=digest)
    return rows[0] if rows else None


async def put_token(transaction: Transaction, values: Mapping[str, Any]) -> None:
    """Stores a token's digest, subject, role and times, and the names under which it reports."""
    await transaction.rows(_PUT_TOKEN, **{"reports_as": None, **values})


async def list_tokens(database: Database) -> Sequence[Row]:
    """Returns all tokens, the oldest first."""
    return await database.rows(_LIST_TOKENS)


async def revoke_token(transaction: Transaction, digest: str) -> bool:
    """Deletes a token; returns whether there was exactly one whose digest begins like this."""
    rows = await transaction.rows(_LIKE, digest=digest)
    if len(rows) != 1:
        return False
    await transaction.rows(_REVOKE, digest=rows[0]["digest"])
    return True


_ANSWER: Final = Statement(
    sa.select(_ANSWERS).where(_ANSWERS.c.identity == sa.bindparam("identity"), _ANSWERS.c.key == sa.bindparam("key"))
)
_KEEP: Final = Statement(sa.insert(_ANSWERS).values({column.name: sa.bindparam(column.name) for column in _ANSWERS.c}))
_TOKEN: Final = Statement(sa.select(_TOKENS).where(_TOKENS.c.digest == sa.bindparam("digest")))
_PUT_TOKEN: Final = Statement(sa.insert(_TOKENS).values({column.name: sa.bindparam(column.name) for column in _TOKENS.c}))
_LIST_TOKENS: Final = Statement(sa.select(_TOKENS).order_by(_TOKENS.c.created_at, _TOKENS.c.digest))
_LIKE: Final = Statement(
    sa.select(_TOKENS.c.digest).where(_TOKENS.c.digest.startswith(sa.bindparam("digest", type_=sa.Text), autoescape=False))
)
_REVOKE: Final = Statement(sa.delete(_TOKENS).where(_TOKENS.c.digest == sa.bindparam("digest")))
