"""How nodes leave in transcripts of controllers."""

from __future__ import annotations

import datetime

from planton.controllers import rollout, values
from planton.deploy import drain

LIMIT = drain.Limit(after=datetime.timedelta(minutes=10))
#: One new node at a time, no node less, and a failure when the limit has passed.
TURNOVER = values.Turnover(limit=LIMIT, surge=1, unavailable=0, soak=datetime.timedelta(), on_timeout=rollout.OnTimeout.FAIL)
