"""Makes the shared sandbox fixture known to these tests."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.sandbox import sandbox  # noqa: E402, F401 - the path comes first; a fixture
