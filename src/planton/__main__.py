"""``python -m planton`` is ``planton``."""

import sys

from planton import cli

sys.exit(cli.main())
