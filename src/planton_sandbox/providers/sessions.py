"""One session for each connection, so that one server can stand for many plugin processes.

The engine starts an official plugin once for each provider resource of a program and dials it once. Attached, it dials
the one port again for each of them, so the connection (gRPC's peer) tells apart what processes would have kept apart:
credentials, region, and who dies of a crash.
"""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import threading
import typing

_KEPT: typing.Final = 1024


class Fault(Exception):  # noqa: N818  # the cloud's or the user's, not this program's
    """A call failed as the official plugin fails; the message is its text."""


class Rejected(Fault):
    """The arguments of a function are wrong in a way that only the function can see."""


class Crash(Exception):  # noqa: N818  # an event, caught in one place
    """The official plugin process would have died here."""


@dataclasses.dataclass(kw_only=True)
class Session:
    """What a plugin process would hold.

    Attributes:
        cloud: the cloud's client once configured.
        accepts_secrets: the engine takes secrets in answers.
        death: resolves when the process has died.
    """

    cloud: typing.Any = None
    accepts_secrets: bool = False
    death: concurrent.futures.Future[None] = dataclasses.field(default_factory=concurrent.futures.Future)

    @property
    def dead(self) -> bool:
        """Whether the process has died."""
        return self.death.done()

    def die(self) -> None:
        """Kills the process; twice is no more than once."""
        try:
            self.death.set_result(None)
        except concurrent.futures.InvalidStateError:
            return

    def gate(self) -> None:
        """Lets the living pass.

        Raises:
            Crash: The process has died; nothing more may be sent.
        """
        if self.dead:
            raise Crash


class Sessions:
    """The sessions by connection; the ones longest unused are forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_peer: collections.OrderedDict[str, Session] = collections.OrderedDict()

    def of(self, peer: str) -> Session:
        """Returns the session of a connection."""
        with self._lock:
            session = self._by_peer.setdefault(peer, Session())
            self._by_peer.move_to_end(peer)
            while len(self._by_peer) > _KEPT:
                self._by_peer.popitem(last=False)
            return session

    def restart(self, peer: str) -> Session:
        """Returns a living, unconfigured session of a connection whose plugin has died."""
        with self._lock:
            session = self._by_peer.get(peer)
            if session is None or session.dead:
                self._by_peer[peer] = session = Session()
            return session

    def end(self) -> None:
        """Kills all sessions."""
        with self._lock:
            for session in self._by_peer.values():
                session.die()
