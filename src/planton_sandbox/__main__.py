"""The sandbox as a process: ``python -m planton_sandbox serve --home DIR``.

It handles arguments and signals only; `launch` starts it in the background.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import pathlib
import signal
import sys

from planton_sandbox import clock, files, server


def main(arguments: list[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT, and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m planton_sandbox", description="Serve the sandbox.")
    commands = parser.add_subparsers(required=True)
    serve = commands.add_parser("serve", help="serve until stopped")
    serve.add_argument("--home", type=pathlib.Path, required=True, help="the folder of its state")
    serve.add_argument("--latency", choices=clock.LATENCIES, default=clock.INSTANT, help="how long changes take")
    serve.add_argument("--port", type=int, default=0, help="the control port (default: a free port)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    files.prepare(options.home)
    if not files.hold(options.home / files.LOCK):
        sys.stderr.write(f"another sandbox is running in {options.home}\n")
        return 1
    try:
        asyncio.run(_serve(server.Options(home=options.home, latency=options.latency, port=options.port)))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"the sandbox cannot start: {error}\n")
        return 1
    return 0


async def _serve(options: server.Options) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    running = server.Server(options)
    _use_sandbox_tokens(running)
    await running.start()
    try:
        await stopping.wait()
    finally:
        await running.stop()


def _use_sandbox_tokens(running: server.Server) -> None:
    """Gives the stand-in plugins, which run in this process, the sandbox's tokens and no others.

    Like the official plugins they read tokens from the environment. The shell that started the sandbox may hold real ones.
    """
    for name in list(os.environ):
        if name.startswith(("CIVO_", "DIGITALOCEAN_", "GOOGLE_", "GCLOUD_", "CLOUDSDK_")):
            del os.environ[name]
    os.environ["CIVO_TOKEN"] = running.world.clouds["civo"].token
    os.environ["DIGITALOCEAN_TOKEN"] = running.world.clouds["digitalocean"].token
    os.environ["GOOGLE_OAUTH_ACCESS_TOKEN"] = running.world.clouds["gcp"].token


if __name__ == "__main__":
    sys.exit(main())
