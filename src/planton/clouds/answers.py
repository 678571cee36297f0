"""A cache of cloud responses, so that a run sends each request once for all of its resources."""

from __future__ import annotations

import threading
from concurrent import futures
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


class Answers:
    """The responses to the requests of one run. Thread-safe: a second caller waits for the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[Hashable, futures.Future[Any]] = {}

    def get(self, request: Hashable, send: Callable[[], Any]) -> Any:  # JSON data
        """Returns the response to a request, which is sent only once; an error counts as the response.

        Args:
            request: The key of the request, including the account.
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
