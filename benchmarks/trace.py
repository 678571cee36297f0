"""Draws the trace of a node pool, from the request to the API to the requests that reach the cloud.

Usage: python benchmarks/trace.py [--cloud CLOUD] [--all]

Runs the API, a controller, Pulumi and the sandbox, which is ten times faster than a cloud. Without ``--all``, statements, requests to
the API and internals of the engine are left out.
"""

import argparse
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))

from support import collector as collectors
from support import controllers

WIDTH = 32
#: Names of spans that are left out, with what is below them.
HIDDEN = re.compile(
    r"SELECT|INSERT|UPDATE|(GET|PUT) /api/v1/(clusters|nodepools)|gocloud|time-to|pulumi-plan$|run-program|newPlugin|pulumi$"
    r"|diyBackend|stack\.|pulumirpc.(Lang|ResourceM)|.*/(Handshake|Attach|GetPluginInfo|CheckConfig|Configure|Check|Diff|Cancel)$"
)
#: Of those, the ones whose children are shown in their place.
THROUGH = re.compile(r"pulumi$|pulumi-plan$")


def children(spans: list, above: bytes, *, is_all: bool) -> list:
    """Returns the spans below a span, by their begin."""
    descendants = []
    for span in spans:
        if span.parent_span_id != above:
            continue
        if is_all or not HIDDEN.match(span.name):
            descendants.append(span)
        elif THROUGH.match(span.name):
            descendants += children(spans, span.span_id, is_all=is_all)
    return sorted(descendants, key=lambda span: span.start_time_unix_nano)


def draw(spans: list, requests: list[dict], *, is_all: bool) -> None:
    """Prints a line for each span, with a bar; below a span, the requests that the cloud's log has of it."""
    begin = min(span.start_time_unix_nano for span in spans)
    length = max(span.end_time_unix_nano for span in spans) - begin

    def line(span: object, depth: int) -> None:
        first = (span.start_time_unix_nano - begin) / length * WIDTH  # type: ignore[attr-defined]
        last = (span.end_time_unix_nano - begin) / length * WIDTH  # type: ignore[attr-defined]
        bar = " " * int(first) + "█" * max(1, round(last - first))
        seconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9  # type: ignore[attr-defined]
        name = span.name.replace("pulumirpc.", "")  # type: ignore[attr-defined]
        action = collectors.attributes(span).get("planton.action", "")
        print(f"{bar[:WIDTH]:{WIDTH}} {seconds:6.3f} s  {'  ' * depth}{name}{f': {action}' if action else ''}")
        for sent in requests:
            is_own = sent["traceparent"][36:52] == span.span_id.hex()  # type: ignore[attr-defined]
            if is_own and not name.startswith(sent["method"]):
                print(f"{'':{WIDTH}} {'':8}  {'  ' * (depth + 1)}cloud: {sent['method']} {short(sent['path'])}")
        for child in children(spans, span.span_id, is_all=is_all):  # type: ignore[attr-defined]
            line(child, depth + 1)

    for root in children(spans, b"", is_all=is_all):
        line(root, 0)


def short(path: str) -> str:
    """Returns a path without ids."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{id}", path)


def main() -> None:
    """Creates a node pool, and draws its trace."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cloud", default="civo", choices=sorted(controllers.SIZES))
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    with collectors.running() as collected, tempfile.TemporaryDirectory() as folder:
        arguments = ("--with-controllers", "--otlp-endpoint", collected.endpoint)
        with controllers.world(pathlib.Path(folder), options.cloud, *arguments) as world:
            cluster = world.create_cluster()
            world.until_ready(f"/clusters/{cluster}")
            mark = world.control.mark()
            world.until_ready(f"/nodepools/{world.create_pool(cluster)}")
            requests = world.control.requests(mark, options.cloud)
            world.server.stop()
    created = collected.named("POST /api/v1/clusters/{cluster_id}/nodepools")
    spans = collected.of_trace(created.trace_id.hex())
    print(
        f"{len(spans)} spans; requests to the cloud: {sum(each['traceparent'][3:35] == created.trace_id.hex() for each in requests)}"
    )
    draw(spans, requests, is_all=options.all)


if __name__ == "__main__":
    main()
