"""One session for each connection, so that one server stands for many plugin processes.

The engine starts an official plugin once for each provider resource of a program and dials it once. It dials an attached stand-in
once for each of them, too, at the same port. The connection (gRPC's peer) therefore separates what processes would separate:
credentials, region, and the effect of a crash.
"""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import threading
import typing

_MAXIMUM_SESSIONS: typing.Final = 1024


class Fault(Exception):  # noqa: N818  # the cloud's or the user's, not this program's
    """A call failed like the official plugin's; the message is the plugin's text."""


class Rejected(Fault):
    """The arguments of a function are invalid in a way that only the function can detect."""


class Crash(Exception):  # noqa: N818  # an event, caught in one place
    """The official plugin's process would have crashed here."""


@dataclasses.dataclass(kw_only=True)
class Session:
    """The state of a plugin process.

    Attributes:
        cloud: the cloud's client, once configured.
        accepts_secrets: whether the engine accepts secrets in answers.
        engine: the address of the engine's own server; empty before it attached.
        death: resolves when the process has crashed.
    """

    cloud: typing.Any = None
    accepts_secrets: bool = False
    engine: str = ""
    death: concurrent.futures.Future[None] = dataclasses.field(default_factory=concurrent.futures.Future)

    @property
    def dead(self) -> bool:
        """Whether the process has crashed."""
        return self.death.done()

    def die(self) -> None:
        """Crashes the process; a second call has no effect."""
        try:
            self.death.set_result(None)
        except concurrent.futures.InvalidStateError:
            return

    def gate(self) -> None:
        """Returns if the process is alive.

        Raises:
            Crash: The process has crashed; nothing more may be sent.
        """
        if self.dead:
            raise Crash


class Sessions:
    """The sessions by connection; the least recently used ones are dropped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_peer: collections.OrderedDict[str, Session] = collections.OrderedDict()

    def of(self, peer: str) -> Session:
        """Returns the session of a connection."""
        with self._lock:
            session = self._by_peer.setdefault(peer, Session())
            self._by_peer.move_to_end(peer)
            while len(self._by_peer) > _MAXIMUM_SESSIONS:
                self._by_peer.popitem(last=False)
            return session

    def restart(self, peer: str) -> Session:
        """Returns the session of a connection, or a new one if its process has crashed."""
        with self._lock:
            session = self._by_peer.get(peer)
            if session is None or session.dead:
                self._by_peer[peer] = session = Session()
            return session

    def end(self) -> None:
        """Crashes all sessions."""
        with self._lock:
            for session in self._by_peer.values():
                session.die()
