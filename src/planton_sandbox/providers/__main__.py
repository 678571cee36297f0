"""Serves one stand-in: ``python -m planton_sandbox.providers civo --endpoint URL --port N``.

It prints ``NAME:PORT``, for ``PULUMI_DEBUG_PROVIDERS``. The plugin's pauses are skipped, unless ``--sleep`` is set.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time

from planton_sandbox.providers.civo import plugin as civo
from planton_sandbox.providers.digitalocean import plugin as digitalocean
from planton_sandbox.providers.gcp import plugin as gcp

_ENDS = {signal.SIGINT, signal.SIGTERM}
_SERVERS = {"civo": civo.serve, "digitalocean": digitalocean.serve, "gcp": gcp.serve}


def main(arguments: list[str] | None = None) -> int:
    """Serves until SIGINT or SIGTERM, and returns the exit code."""
    parser = argparse.ArgumentParser(prog="planton_sandbox.providers", description="Serve a stand-in Pulumi provider.")
    parser.add_argument("provider", choices=sorted(_SERVERS))
    parser.add_argument("--endpoint", required=True, help="the URL of the cloud's API, without a slash at its end")
    parser.add_argument("--port", type=int, default=0, help="the port on loopback (default: a free port)")
    parser.add_argument("--sleep", action="store_true", help="wait as long as the official plugin waits")
    options = parser.parse_args(arguments)
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)  # before any thread starts, so that only sigwait sees them
    handle = _SERVERS[options.provider](options.endpoint, options.port, wait=time.sleep if options.sleep else lambda _: None)
    sys.stdout.write(f"{options.provider}:{handle.port}\n")
    sys.stdout.flush()
    try:
        signal.sigwait(_ENDS)
    finally:
        handle.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
