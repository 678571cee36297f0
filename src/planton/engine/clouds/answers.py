"""Answers of clouds that a run asks for once, however many of its resources need them."""

from __future__ import annotations

import threading
from concurrent import futures
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


class Answers:
    """The answers to the requests of one run. Threads may share it: the second that asks waits for the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[Hashable, futures.Future[Any]] = {}

    def get(self, request: Hashable, send: Callable[[], Any]) -> Any:  # JSON data
        """Returns the answer to a request, which is sent only once; an error counts as its answer.

        Args:
            request: What tells the request from all others, account included.
            send: Sends it.
        """
        with self._lock:
            answer = self._answers.get(request)
            is_first = answer is None
            if answer is None:
                answer = self._answers[request] = futures.Future()
        if is_first:
            try:
                answer.set_result(send())
            except BaseException as error:  # noqa: BLE001  # it is raised by `result`, in each thread that waits
                answer.set_exception(error)
        return answer.result()
