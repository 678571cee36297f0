"""Pulumi's language host for Python, for a command line without one: the engine starts it to run the program of a project.

Pulumi's own host is a part of its official distribution. A command line that was built from source has none, and then
``pulumi up`` in a project with ``runtime: python`` needs this one. It runs the program with the Python that runs the host.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import importlib.metadata
import os
import pathlib
import runpy
import sys
import traceback
from typing import TYPE_CHECKING

import grpc
import pulumi
from pulumi import runtime
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HOST = "127.0.0.1"
#: Resources that wait for each other need threads of their own.
_THREADS_PER_RESOURCE = 4


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """The part of the protocol that runs programs."""

    def __init__(self, engine: str) -> None:
        """Creates the host of an engine.

        Args:
            engine: The address of the engine.
        """
        self._engine = engine

    def GetPluginInfo(self, _request: object, _context: object) -> plugin_pb2.PluginInfo:  # noqa: N802  # the protocol's name
        """Returns the version of the host: that of the SDK."""
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def GetRequiredPackages(  # noqa: N802  # the protocol's name
        self, _request: object, _context: object
    ) -> language_pb2.GetRequiredPackagesResponse:
        """Returns nothing: the engine finds the plugins when the program uses them."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(  # noqa: N802  # the protocol's name
        self, _request: object, _context: object
    ) -> language_pb2.GetRequiredPluginsResponse:
        """Returns nothing, as `GetRequiredPackages`."""
        return language_pb2.GetRequiredPluginsResponse()

    def About(self, _request: object, _context: object) -> language_pb2.AboutResponse:  # noqa: N802  # the protocol's name
        """Returns the Python that runs programs."""
        return language_pb2.AboutResponse(executable=sys.executable, version=".".join(map(str, sys.version_info[:3])))

    def Run(  # noqa: N802  # the protocol's name
        self, request: language_pb2.RunRequest, _context: object
    ) -> language_pb2.RunResponse:
        """Runs the program of a project, and returns its error, if it had one."""
        folder = pathlib.Path(request.info.program_directory or request.pwd or ".")
        unfit = _other_environment(request, folder)
        if unfit:
            return language_pb2.RunResponse(error=unfit)
        runtime.reset_options(
            project=request.project,
            stack=request.stack,
            root_directory=request.info.root_directory or None,
            parallel=request.parallel,
            engine_address=self._engine,
            monitor_address=request.monitor_address,
            preview=request.dryRun,
            organization=request.organization or "organization",
        )
        runtime.set_all_config(dict(request.config), list(request.configSecretKeys))
        return language_pb2.RunResponse(error=_run(lambda: _program(folder, request.info.entry_point), request.parallel))


def _other_environment(request: language_pb2.RunRequest, folder: pathlib.Path) -> str:
    fields = request.info.options.fields
    named = fields["virtualenv"].string_value if "virtualenv" in fields else ""
    if not named or (folder / named).resolve() == pathlib.Path(sys.prefix).resolve():
        return ""
    return (
        f"the project wants the virtual environment {named}, and this language host runs programs in {sys.prefix}: activate that "
        "environment with project-planton installed in it, or install Pulumi's official distribution"
    )


def _program(folder: pathlib.Path, entry_point: str) -> None:
    script = folder / (entry_point or ".")
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    runpy.run_path(str(script / "__main__.py" if script.is_dir() else script), run_name="__main__")


def _run(program: Callable[[], None], parallel: int) -> str:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(max(parallel, 1) * _THREADS_PER_RESOURCE))
    try:
        loop.run_until_complete(runtime.run_in_stack(program))
    except pulumi.RunError as error:
        return str(error)
    except grpc.RpcError as error:
        # The engine has ended, and says why itself.
        return "" if error.code() is grpc.StatusCode.UNAVAILABLE else f"the engine refused: {error.details()}"
    except BaseException:  # noqa: BLE001  # a program may raise anything, SystemExit too; the engine shows it
        return traceback.format_exc()
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return ""


def main(arguments: Sequence[str]) -> None:
    """Serves until the engine ends the process.

    Args:
        arguments: Options of the engine, and its address last.
    """
    addresses = [word for word in arguments if not word.startswith("-")]
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", -1)])
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(addresses[-1] if addresses else ""), server)
    port = server.add_insecure_port(f"{_HOST}:0")
    server.start()
    # The engine reads the port from the first line.
    print(port, flush=True)  # noqa: T201  # the protocol of plugins
    # The engine ends the process with an interruption.
    with contextlib.suppress(KeyboardInterrupt):
        server.wait_for_termination()


if __name__ == "__main__":
    main(sys.argv[1:])
