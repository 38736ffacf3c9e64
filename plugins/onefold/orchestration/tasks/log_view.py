"""How a task's log looks in Airflow's UI."""

from __future__ import annotations

import logging
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

LINE = 88
"""Characters that fit into a line of the UI's log view."""


@contextmanager
def log_group(title: str) -> Iterator[None]:
    """What is logged within is one group, which the UI folds: these are the markers that Airflow itself uses."""
    log.info("::group::%s", title)
    try:
        yield
    finally:
        log.info("::endgroup::")


def log_lines(level: int, text: str) -> None:
    """Log a text in lines that fit the UI's log view."""
    for line in textwrap.wrap(text, LINE):
        log.log(level, line)
