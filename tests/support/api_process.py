"""The server as users run it: ``planton server start`` as a process."""

import pathlib
import signal
import socket
import subprocess
import sys
import threading

#: Seconds after which a start, a log line, or a stop is considered to fail.
TIMEOUT_SECONDS = 60


class Process:
    """A running server.

    Attributes:
        url: The URL of the server.
        lines: The lines of its log.
    """

    def __init__(self, database_url: str, *options: str, port: int = 0) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lines: list[str] = []
        self._logged = threading.Condition()
        program = pathlib.Path(sys.executable).with_name("planton")
        command = [str(program), "server", "start", f"--port={self.port}", f"--database-url={database_url}", *options]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.wait_for("running on")

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._logged:
                self.lines.append(line)
                self._logged.notify_all()
        with self._logged:
            self.lines.append("")
            self._logged.notify_all()

    def wait_for(self, text: str) -> None:
        """Waits until the server has logged a text."""
        with self._logged:
            self._logged.wait_for(lambda: any(text in line for line in self.lines) or "" in self.lines, TIMEOUT_SECONDS)
        assert any(text in line for line in self.lines), "".join(self.lines[-30:])

    def kill(self) -> None:
        """Kills the server, like a power cut."""
        self._process.kill()
        self._end()

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Sends a signal to the server."""
        self._process.send_signal(number)

    def stop(self) -> int:
        """Stops the server and returns its exit code."""
        if self._process.poll() is None:
            self.signal()
        return self._end()

    def _end(self) -> int:
        code = self._process.wait(TIMEOUT_SECONDS)
        self._reader.join(TIMEOUT_SECONDS)
        return code


def free_port() -> int:
    """Returns a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
