"""Programs that their engine has left."""

from __future__ import annotations

import asyncio
import contextvars

from planton.engine import abandoned

PROGRAM = contextvars.ContextVar("PROGRAM", default="none")


def test_a_suspended_program_ends_outside_of_every_other_program() -> None:
    """Its cleanup does not see what belongs to the program that happens to run."""
    loop = asyncio.new_event_loop()
    seen: list[str] = []

    async def wait() -> None:
        PROGRAM.set("suspended")
        try:
            await loop.create_future()
        finally:
            seen.append(PROGRAM.get())

    async def begin() -> asyncio.Task[None]:
        task = asyncio.ensure_future(wait())
        abandoned.watch(task)
        await asyncio.sleep(0)
        return task

    task = loop.run_until_complete(begin())
    token = PROGRAM.set("another")
    abandoned.close()
    PROGRAM.reset(token)
    assert seen == ["none"]
    task.cancel()
    loop.close()


def test_a_program_that_runs_is_left_alone() -> None:
    """Its own loop continues it."""
    loop = asyncio.new_event_loop()

    async def run() -> str:
        task = asyncio.current_task()
        assert task is not None
        abandoned.watch(task)
        abandoned.close()
        await asyncio.sleep(0)
        return "ended"

    assert loop.run_until_complete(run()) == "ended"
    loop.close()
