"""Serves packages over gRPC on loopback, in threads of this process."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import typing

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from planton_sandbox.providers import package, protocol


@dataclasses.dataclass(frozen=True, kw_only=True)
class Handle:
    """A served provider.

    Attributes:
        port: the port on loopback.
        stop: stops it; calls in progress fail.
    """

    port: int
    stop: typing.Callable[[], None]


def serve(served: package.Package, *, port: int = 0) -> Handle:
    """Serves a package on loopback, in threads.

    Args:
        served: the package.
        port: the port; 0 for any free one.

    Raises:
        OSError: The port is taken.
    """
    servicer = protocol.Servicer(served)
    pool = concurrent.futures.ThreadPoolExecutor(max_workers=protocol.WORKERS, thread_name_prefix=f"{served.name}-rpc")
    server = grpc.server(pool, options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    try:
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError as error:
        raise OSError(f"port {port} is taken") from error
    server.start()

    def stop() -> None:
        servicer.close()
        server.stop(grace=0).wait()
        pool.shutdown(wait=False, cancel_futures=True)

    return Handle(port=bound, stop=stop)


def server(describe: typing.Callable[..., package.Package]) -> typing.Callable[..., Handle]:
    """Returns a function that serves the package that ``describe`` returns for an endpoint."""

    def serve_package(endpoint: str, port: int = 0, *, wait: typing.Callable[[float], None]) -> Handle:
        """Serves the stand-in on loopback, in threads.

        Args:
            endpoint: the API's URL for programs that configure none.
            port: the port; 0 for any free one.
            wait: is called with the seconds wherever the official plugin waits.

        Returns:
            The handle, with the port and the function that stops it.

        Raises:
            OSError: The port is taken.
        """
        return serve(describe(endpoint, wait=wait), port=port)

    return serve_package
