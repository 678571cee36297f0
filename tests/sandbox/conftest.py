"""Makes the shared `sandbox` fixture available to these tests."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.sandbox import sandbox  # noqa: F401 - the path comes first; a fixture
