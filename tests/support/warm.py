"""Commands of planton in a process with all imports: each command runs in a fork and skips the second that imports take.

Each command has its own arguments, environment, folder, streams and exit code. Each worker of pytest starts the server once and
stops it at its end. A command that is killed or signalled in a test is a separate process instead (``Planton.start``).
"""

from __future__ import annotations

import array
import atexit
import contextlib
import functools
import importlib
import json
import os
import pathlib
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence

_READY = b"ready"
#: Modules that commands import lazily.
_MODULES = ("pulumi.automation", "pulumi_civo", "pulumi_digitalocean")
_LARGEST = 1024**2


class Server:
    """The parent process of the commands."""

    def __init__(self) -> None:
        """Starts it, and waits for its imports."""
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with theirs:
            command = [sys.executable, "-P", __file__, str(theirs.fileno())]
            self._process = subprocess.Popen(command, env=environ, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        self._lock = threading.Lock()
        if self._ours.recv(len(_READY)) != _READY:
            raise RuntimeError("the parent of the commands did not start")

    def run(
        self, arguments: Sequence[str], *, cwd: pathlib.Path, env: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Runs ``planton`` with these arguments, like :func:`subprocess.run`.

        Raises:
            TimeoutExpired: The command took too long, and was killed.
        """
        request = json.dumps({"arguments": list(arguments), "cwd": str(cwd), "env": dict(env)}).encode()
        assert len(request) < _LARGEST
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            ours, theirs = socket.socketpair()
            with ours:
                with theirs:
                    fds = array.array("i", [theirs.fileno(), out.fileno(), err.fileno()])
                    with self._lock:
                        self._ours.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
                with ours.makefile("r") as responses:
                    pid = int(responses.readline())
                    ours.settimeout(timeout)
                    try:
                        code = int(responses.readline())
                    except TimeoutError:
                        os.killpg(pid, signal.SIGKILL)
                        raise subprocess.TimeoutExpired(["planton", *arguments], timeout) from None
            texts = []
            for stream in (out, err):
                stream.seek(0)
                texts.append(stream.read().decode())
        return subprocess.CompletedProcess(["planton", *arguments], code, *texts)

    def stop(self) -> None:
        """Stops it."""
        self._ours.close()
        self._process.wait()


@functools.cache
def server() -> Server:
    """Returns the server of this process, which starts with the first command."""
    started = Server()
    atexit.register(started.stop)
    return started


def _serve(requests: socket.socket) -> None:
    import gc

    for name in ("planton", "org.project_planton"):
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    for name in _MODULES:
        importlib.import_module(name)
    gc.freeze()
    requests.send(_READY)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, fds, _flags, _address = socket.recv_fds(requests, _LARGEST, 3)
        if not request:
            return
        if os.fork() == 0:
            requests.close()
            _watch(json.loads(request), *fds)
        for each in fds:
            os.close(each)


def _watch(request: dict, responses: int, out: int, err: int) -> None:
    # A separate process waits for the command, because its parent serves the next one.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(responses)
        _command(request, out, err)
    os.write(responses, f"{pid}\n".encode())
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(BrokenPipeError):
        os.write(responses, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _command(request: dict, out: int, err: int) -> None:
    os.setsid()
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = ["planton", *request["arguments"]]
    code = 1
    try:
        from planton import cli

        code = cli.main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001  # printed like in the interpreter
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
