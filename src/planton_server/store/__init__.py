"""The API's memory: clusters, node pools, reports, events, answers to repeat, tokens, in SQLite or PostgreSQL.

Statements are written once, with SQLAlchemy Core, compiled once for each database, and run by the database's own driver:
a statement takes half the processor time that it takes
through SQLAlchemy's asyncio engine (``benchmarks/store.py``). SQL is
here and nowhere else. What a row means is decided above, in ``planton_server``.
"""

from __future__ import annotations
