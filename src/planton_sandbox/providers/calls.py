"""How a call ends: with an answer, with the plugin's error, or with the plugin's crash."""

from __future__ import annotations

import concurrent.futures
import typing

import grpc
from pulumi.runtime.proto import provider_pb2, status_pb2

from planton_sandbox.providers import outputs, planning, sessions, transport

_DEAD = "error reading from server: EOF"
_T = typing.TypeVar("_T")


class InitFailed(Exception):  # noqa: N818  # named for the protocol's own message
    """A resource exists, but its creation or update has failed.

    Attributes:
        detail: the message with the properties that the engine keeps in its state.
    """

    def __init__(self, reason: str, detail: provider_pb2.ErrorResourceInitFailed) -> None:
        super().__init__(reason)
        self.detail = detail


def run(pool: concurrent.futures.Executor, context: typing.Any, session: sessions.Session, work: typing.Callable[[], _T]) -> _T:
    """Runs ``work`` in ``pool`` and returns its answer, or ends the call with its error.

    The call ends immediately when the session's process crashes, even while the work is running.
    """
    future = pool.submit(transport.traced(context.invocation_metadata(), work)) if not session.dead else None
    if future is not None:
        pending: tuple[concurrent.futures.Future[typing.Any], ...] = (future, session.death)
        concurrent.futures.wait(pending, return_when=concurrent.futures.FIRST_COMPLETED)
    if future is None or session.dead:
        return abort(context, grpc.StatusCode.UNAVAILABLE, _DEAD)
    try:
        return future.result()
    except sessions.Crash:
        session.die()
        return abort(context, grpc.StatusCode.UNAVAILABLE, _DEAD)
    except InitFailed as failed:
        context.set_trailing_metadata((("grpc-status-details-bin", _status(failed)),))
        return abort(context, grpc.StatusCode.UNKNOWN, str(failed))
    except sessions.Fault as fault:
        return abort(context, grpc.StatusCode.UNKNOWN, str(fault))


def abort(context: typing.Any, code: typing.Any, text: str) -> typing.NoReturn:
    """Ends a call with a status code and a text."""
    context.abort(code, text)
    raise AssertionError  # abort raises


def listed(fault: sessions.Fault) -> str:
    """Returns an error as the plugins list their errors."""
    return f"1 error occurred:\n\t* {fault}\n\n"


def init_failed(form: outputs.Form, data: planning.Data, reason: str) -> InitFailed:
    """Returns the error of a resource whose id and properties the engine must keep."""
    properties = form.settled(data, data.state)
    detail = provider_pb2.ErrorResourceInitFailed(id=data.id, properties=properties, reasons=[reason])
    return InitFailed(reason, detail)


def _status(failed: InitFailed) -> bytes:
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(failed))
    status.details.add().Pack(failed.detail)
    return status.SerializeToString()
