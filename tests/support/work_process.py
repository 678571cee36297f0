"""A process that claims work and holds it until it is told to finish: the part of a controller that the work queue sees.

Usage, in the folder of the tests: python -m support.work_process URL PROCESS NUMBER

It prints the ids of the claimed work as JSON when it has as many as it wants. Each further line on its input is a heartbeat and a try
to finish all of it; it prints the number of works that it holds, and of results that were accepted.
"""

from __future__ import annotations

import json
import sys
import threading

from google.protobuf import duration_pb2

from org.project_planton.work.v1 import service_pb2, work_pb2
from planton import client

BEAT_SECONDS = 1.0
WAIT_SECONDS = 29


def main(url: str, process: str, number: int) -> None:
    """Runs until its input ends."""
    with client.Client(url, email="controller@system.local") as api, client.Client(url, email="controller@system.local") as beats:
        wait = duration_pb2.Duration(seconds=WAIT_SECONDS)
        items: list[work_pb2.Work] = []
        while len(items) < number:
            claim = service_pb2.Claim(process=process, platforms=["civo"], limit=number - len(items), wait=wait)
            items += api.claim_work(claim).items
        print(json.dumps([item.id for item in items]), flush=True)
        ending = threading.Event()
        beating = threading.Thread(target=_beat, args=(beats, process, ending))
        beating.start()
        for _ in sys.stdin:
            held = len(api.renew_work(process).held)
            results = [work_pb2.WorkResult(id=item.id, epoch=item.epoch, outcome="SUCCEEDED") for item in items]
            accepted = sum(one.accepted for one in api.finish_work(process, results).results)
            print(json.dumps([held, accepted]), flush=True)
        ending.set()
        beating.join()


def _beat(api: client.Client, process: str, ending: threading.Event) -> None:
    while not ending.wait(BEAT_SECONDS):
        api.renew_work(process)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
