"""The API's memory: clusters, node pools, reports, events, answers to repeat, tokens, in SQLite or PostgreSQL.

Statements are written once, with SQLAlchemy Core, and compiled once for each database. The database's own driver runs them, in
half the processor time of SQLAlchemy's asyncio engine (``benchmarks/store.py``). SQL is
here and nowhere else. What a row means is decided above, in ``planton_server``.
"""

from __future__ import annotations
