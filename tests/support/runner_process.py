"""A process of controllers whose runs do nothing but wait: the real runner, lease and queue, without clouds.

Usage, in the folder of the tests: python -m support.runner_process URL PROCESS VERSION PARALLEL SECONDS NEXT SHIFT

Each run takes some seconds, or until it is interrupted, and the next look comes some seconds later. It writes a line of JSON at the
begin and the end of each run: the event, the id of the work, the number of the claim, its clusters and accounts, and the time.
SHIFT is the number of seconds that the process's clock is ahead; the times of the lines are right. SIGTERM stops it.
"""

from __future__ import annotations

import datetime
import functools
import json
import signal
import sys
import threading
import time

from planton import client
from planton.controllers import lease, queue, reconcile, runner

_SLICE = 0.02
_NOW = time.time


def main(url: str, process: str, version: str, parallel: int, seconds: float, pause: float) -> None:
    """Runs until a signal."""
    connect = functools.partial(client.Client, url, email="controller@system.local")
    lock = threading.Lock()

    def tell(event: str, work: queue.Work) -> None:
        facts = {"event": event, "process": process, "id": work.id, "epoch": work.epoch, "time": _NOW()}
        with lock:
            print(json.dumps({**facts, "cluster": work.cluster_id, "account": work.account}), flush=True)

    def run(work: queue.Work, interruption: lease.Interruption) -> reconcile.Done:
        tell("begin", work)
        ended = threading.Event()
        ends = time.monotonic() + seconds
        try:
            while time.monotonic() < ends:
                interruption.check()
                ended.wait(_SLICE)
        finally:
            tell("end", work)
        return reconcile.Done(0, datetime.timedelta(seconds=pause))

    with connect() as claims, connect(deadline=2.0) as beats:
        jobs, heartbeats = (queue.ApiQueue(each, process, version, ("civo",)) for each in (claims, beats))
        running = runner.Runner(jobs, heartbeats, run, parallel=parallel, held=lease.Lease())
        signal.signal(signal.SIGTERM, lambda _number, _frame: running.stop())
        running.run()


if __name__ == "__main__":
    ahead = float(sys.argv[7])
    time.time = lambda: _NOW() + ahead
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]), float(sys.argv[6]))
