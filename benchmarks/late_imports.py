"""What each import inside a function saves: its CPU time in a process that has imported what its module imports.

Usage: python benchmarks/late_imports.py [RUNS]. These imports have the mark ``PLC0415`` and a reason. One that costs less than 0.5 ms
and needs no extra belongs to the top of its file: the program then fails.
"""

import ast
import pathlib
import subprocess
import sys

SOURCES = pathlib.Path(__file__).resolve().parents[1] / "src"
BOUND = 0.5
CODE = """
import importlib, sys, time
importlib.import_module(sys.argv[1])
for word in sys.argv[2:]:
    module, _, name = word.partition(":")
    start = time.process_time()
    try:
        importlib.import_module(f"{module}.{name}" if name else module)
    except ModuleNotFoundError as error:
        if error.name != f"{module}.{name}":
            raise
    print(time.process_time() - start)
"""


def late(path: pathlib.Path) -> list[tuple[list[str], str]]:
    """Returns the imports inside functions of a file: their modules, and the reason on the line."""
    lines = path.read_text("utf-8").splitlines()
    listed = []
    tree = ast.parse("\n".join(lines))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    nodes = {node: None for function in functions for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)}
    for node in nodes:
        reason = lines[node.lineno - 1].partition("PLC0415  # ")[2]
        prefix = f"{node.module}:" if isinstance(node, ast.ImportFrom) else ""
        listed.append(([prefix + each.name for each in node.names], reason))
    return listed


def milliseconds(module: str, words: list[str], runs: int) -> float:
    """Returns the least CPU time of imports after a module."""
    times = []
    for _ in range(runs):
        done = subprocess.run([sys.executable, "-c", CODE, module, *words], capture_output=True, text=True, check=True)
        times.append(sum(map(float, done.stdout.split())))
    return min(times) * 1000


def main() -> None:
    cheap = []
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for path in sorted(SOURCES.rglob("*.py")):
        module = ".".join(path.relative_to(SOURCES).with_suffix("").parts).removesuffix(".__init__")
        for words, reason in late(path):
            saved = milliseconds(module, words, runs)
            print(f"{saved:7.1f} ms  {module}: {', '.join(words)}  # {reason}", flush=True)
            if saved < BOUND and "the extra" not in reason:
                cheap.append(f"{module}: {', '.join(words)}")
    sys.exit(f"these cost less than {BOUND} ms: import them at the top of the file: {'; '.join(cheap)}" if cheap else 0)


if __name__ == "__main__":
    main()
