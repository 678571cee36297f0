"""The server as users run it: ``planton server start`` in a process of its own."""

import pathlib
import signal
import socket
import subprocess
import sys
import threading

#: Seconds after which a server that does not start, say or stop what it should fails its test.
TIMEOUT_SECONDS = 60


class Process:
    """A running server.

    Attributes:
        url: Where it listens.
        lines: What it has logged.
    """

    def __init__(self, database_url: str, *options: str, port: int = 0) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lines: list[str] = []
        self._told = threading.Condition()
        program = pathlib.Path(sys.executable).with_name("planton")
        command = [str(program), "server", "start", f"--port={self.port}", f"--database-url={database_url}", *options]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.wait_for("running on")

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._told:
                self.lines.append(line)
                self._told.notify_all()
        with self._told:
            self.lines.append("")
            self._told.notify_all()

    def wait_for(self, text: str) -> None:
        """Returns when the server has logged a text."""
        with self._told:
            told = self._told.wait_for(lambda: any(text in line for line in self.lines) or "" in self.lines, TIMEOUT_SECONDS)
        assert told and any(text in line for line in self.lines), "".join(self.lines[-30:])  # noqa: PT018 - one thing to tell

    def kill(self) -> None:
        """Ends the server as a power cut does."""
        self._process.kill()
        self._end()

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Asks the server to stop."""
        self._process.send_signal(number)

    def stop(self) -> int:
        """Asks the server to stop, and returns its exit code when it has."""
        if self._process.poll() is None:
            self.signal()
        return self._end()

    def _end(self) -> int:
        code = self._process.wait(TIMEOUT_SECONDS)
        self._reader.join(TIMEOUT_SECONDS)
        return code


def free_port() -> int:
    """Returns a port on which nobody listens."""
    """Returns a port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
