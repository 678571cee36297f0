"""Timed work: deadlines, resyncs and cleaning, on schedules that DBOS keeps in the server's database.

Every replica knows the schedules. Each moment of a schedule is one row in the database, which one replica takes; what it runs is one
set-based statement (:mod:`planton.store.ticks`), so it is as good done twice as once. Nothing here holds up the start of the server:
where the database is gone, the schedules begin when it is back.
"""

from __future__ import annotations

import contextlib
import contextvars
import datetime
import logging
import threading
import uuid
from typing import TYPE_CHECKING, Any, Final

from planton.api import resyncs, status, timestamps
from planton.store import ticks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from planton.api import settings

_LOG: Final = logging.getLogger("planton.api.timers")
_DBOS_LOG: Final = logging.getLogger("dbos")
#: Replicas of one version take each other's ticks. It is not ours: old and new ones do so too, while they roll.
_VERSION: Final = "1"
#: PostgreSQL's schema with the tables of the schedules; in SQLite they stand beside ours.
_SCHEMA: Final = "dbos"
_CLEANING: Final = "0 */10 * * * *"
#: How long answers under an Idempotency-Key and the record of ticks are kept.
_ANSWERS: Final = datetime.timedelta(hours=24)
_RECORD: Final = datetime.timedelta(hours=1)
#: Seconds until it is tried again to begin, and that a stop waits for a tick.
_AGAIN: Final = 5.0
_GRACE: Final = 20.0
#: DBOS is one in a process. Who holds this has it.
_ONE: Final = threading.Lock()


class Timers:
    """The timed work of one process."""

    def __init__(self, wanted: settings.Settings, done: Callable[[str], None] = lambda _work: None) -> None:
        """Prepares it.

        Args:
            wanted: What the operator sets.
            done: Is told of work that was done, ``tick`` or ``clean``.
        """
        self._settings = wanted
        self._done = done
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)

    def start(self) -> None:
        """Begins; returns at once."""
        if self._settings.tick:
            self._thread.start()

    def stop(self) -> None:
        """Ends, after the tick that is running. Blocks."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_GRACE)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not _ONE.acquire(timeout=_AGAIN):
                continue
            try:
                with launched(self._settings, self._done):
                    self._stopping.wait()
            except Exception as error:  # noqa: BLE001 - whatever it is, deadlines must pass later
                _LOG.warning("timed work waits for the database: %s", str(error).partition("\n")[0])
                self._stopping.wait(_AGAIN)
            finally:
                _ONE.release()


def cron(seconds: int) -> str:
    """Returns a schedule, with seconds, of ticks that are so far apart.

    Raises:
        ValueError: They do not divide a minute, and are not one to five minutes: whoever watches the ticks must miss them soon.
    """
    minutes, rest = divmod(seconds, 60)
    if 0 < seconds < 60 and 60 % seconds == 0:  # noqa: PLR2004 - a minute
        return f"*/{seconds} * * * * *"
    if 1 <= minutes <= 5 and not rest:  # noqa: PLR2004 - they divide an hour, each
        return f"0 */{minutes} * * * *"
    raise ValueError("must be seconds that divide a minute, or one to five minutes")


def begin(engine: Engine, wanted: settings.Settings, now: datetime.datetime) -> None:
    """Plans what was not planned while there were no resyncs, so that they can be switched on again."""
    following = resyncs.times(now, wanted.resync)
    if following:
        ticks.plan_resyncs(engine, following=following)


def tick(engine: Engine, wanted: settings.Settings, now: datetime.datetime) -> None:
    """Does what is due at a time: lets deadlines pass, and tells again what is wanted."""
    reason, message = status.LATE
    failed = ticks.deadlines(engine, now=timestamps.text(now), reason=reason, message=message)
    told = ticks.resyncs(engine, now=timestamps.text(now), following=resyncs.times(now, wanted.resync))
    facts = {"moment": timestamps.text(now), "failed": failed, "resynced": told}
    _LOG.log(logging.INFO if failed or told else logging.DEBUG, "tick", extra={"facts": facts})


def clean(engine: Engine, wanted: settings.Settings, now: datetime.datetime) -> None:
    """Deletes what is no longer kept at a time."""
    gone = ticks.clean(
        engine,
        events_before=timestamps.text(now - datetime.timedelta(seconds=wanted.retention)),
        answers_before=timestamps.text(now - _ANSWERS),
    )
    if gone:
        _LOG.info("cleaned", extra={"facts": {"rows": gone}})


@contextlib.contextmanager
def launched(wanted: settings.Settings, done: Callable[[str], None] = lambda _work: None) -> Iterator[None]:
    """Keeps the schedules while the block runs."""
    # Half a second of imports, which no request should wait for.
    from dbos import DBOS

    from planton.store import schema

    engine = schema.engine(wanted.database_url)
    try:
        if not _DBOS_LOG.handlers:
            # Else it makes one that writes no JSON.
            _DBOS_LOG.addHandler(logging.NullHandler())
        DBOS(config=_config(wanted, engine))  # type: ignore[arg-type]
        schedules: list[Any] = [  # ScheduleInput, of dbos
            {
                "schedule_name": "tick",
                "workflow_fn": _workflow(engine, wanted, done),
                "schedule": cron(wanted.tick),
                "context": "tick",
            },
        ]
        schedules.append(schedules[0] | {"schedule_name": "clean", "schedule": _CLEANING, "context": "clean"})
        begin(engine, wanted, datetime.datetime.now(datetime.UTC))
        DBOS.launch()
        DBOS.apply_schedules(schedules)
        yield
    finally:
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=0)
        engine.dispose()


def _workflow(engine: Engine, wanted: settings.Settings, done: Callable[[str], None]) -> Any:  # a function as dbos registers it
    from dbos import DBOS

    @DBOS.workflow(name="planton.timed_work")
    def run(moment: datetime.datetime, name: str) -> None:
        # The serialiser leaves a text.
        now = datetime.datetime.fromisoformat(str(moment))
        if name == "tick":
            tick(engine, wanted, now)
        else:
            clean(engine, wanted, now)
            # In a context of its own: within the workflow's it would be recorded itself.
            contextvars.Context().run(forget, now - _RECORD)
        done(name)

    return run


def migrate(database_url: str) -> None:
    """Makes the tables of the schedules, or brings them up to date, in a database whose own tables are.

    A server makes them itself where they are not there; but then its role must be allowed to.
    """
    from dbos import DBOSPortableJSONSerializer

    # DBOS.migrate would make triggers too that no server of ours needs, and that later migrations of theirs count on.
    from dbos._sys_db import SystemDatabase

    from planton.store import schema

    engine = schema.engine(database_url)
    made = SystemDatabase.create(
        system_database_url=database_url,
        engine_kwargs={},
        engine=engine if engine.dialect.name != "sqlite" else None,
        schema=_SCHEMA,
        serializer=DBOSPortableJSONSerializer(),
        executor_id=None,
        use_listen_notify=False,
    )
    try:
        made.run_migrations()
    finally:
        made.destroy()
        engine.dispose()


def forget(before: datetime.datetime) -> None:
    """Deletes the record of ticks from before a time, also of those during which a server was killed."""
    from dbos import DBOS

    found = DBOS.list_workflows(end_time=before.isoformat(), load_input=False, load_output=False)
    if found:
        DBOS.delete_workflows([one.workflow_id for one in found])


def _config(wanted: settings.Settings, engine: Engine) -> dict[str, Any]:
    from dbos import DBOSPortableJSONSerializer

    return {
        "name": "planton-server",
        "application_version": _VERSION,
        "executor_id": str(uuid.uuid4()),
        "system_database_url": wanted.database_url,
        # With an engine of ours it does not look whether there is a database, for which it would need other rights.
        "system_database_engine": engine if engine.dialect.name != "sqlite" else None,
        "dbos_system_schema": _SCHEMA,
        # Nobody waits for a tick.
        "use_listen_notify": False,
        # A database is no place to load objects from.
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "DEBUG" if wanted.log_level == "debug" else "WARNING",
        "enable_otlp": False,
    }
