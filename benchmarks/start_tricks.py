"""What the tricks of the start are worth: user and system CPU with a trick against without it, in turn, as a ratio.

Usage: python benchmarks/start_tricks.py [PAIRS]. The tricks are in `planton.cli`: no garbage collection during the start, objects of
the start frozen, and no tear-down of the interpreter after ``validate``. A ratio of 1.00 would mean that a trick is worth nothing.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from validate_cold import MANIFEST

START = "import sys; from planton import cli; sys.exit(cli.main())"
#: Trick → what switches it off.
OFF = {
    "gc.disable": "import gc; gc.disable = lambda: None;",
    "gc.freeze": "import gc; gc.freeze = lambda: None;",
    "os._exit": "import os; os._exit = lambda code: None;",
}


def cpu_seconds(code: str, arguments: list[str]) -> float:
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    usage = os.wait4(process.pid, 0)[2]
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "cluster.yaml"
        path.write_text(MANIFEST, "utf-8")
        os.environ["PLANTON_DATA_DIR"] = folder
        commands = [["validate", str(path)], ["plan", "--help"], ["get"]]
        cells = [(trick, command) for trick in OFF for command in commands]
        for trick, command in (cell for cell in cells if cell[1][0] == "validate" or cell[0] != "os._exit"):
            measured = [(cpu_seconds(OFF[trick] + START, command), cpu_seconds(START, command)) for _ in range(pairs)]
            without, with_it = (statistics.median(column) * 1000 for column in zip(*measured, strict=True))
            ratio = statistics.median(pair[1] / pair[0] for pair in measured)
            print(f"{trick:<10} {command[0]:<8} {without:6.1f} ms without, {with_it:6.1f} ms with: ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
