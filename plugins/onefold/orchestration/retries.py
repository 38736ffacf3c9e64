"""How a task that failed is tried again: soon at first, then less and less often, at most ten minutes later.

Each attempt has a time limit, so that one that hangs, whatever on, is ended and tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from onefold.settings import task_time


def retried(times: int) -> Mapping[str, object]:
    """The default arguments of a DAG whose tasks are tried again so often."""
    return {
        "retries": times,
        "retry_delay": timedelta(seconds=10),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=10),
        "execution_timeout": task_time(),
    }
