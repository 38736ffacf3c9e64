"""A listing that lacks something is read once more before anything is deleted.

Where a row is deleted between two pages, the rows behind it move, and one of them can fall through: it stood on neither
page. So what a listing of several pages lacks is only taken for deleted when a second reading lacks it too. Most
listings lack nothing and are read once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

from onefold.connectors.page import Page, PageReader
from onefold.connectors.window import Window

log = logging.getLogger(__name__)

AGAIN = "again:"
"""Begins the token of an extraction that has read the whole listing once; the second reading's own token follows."""


def confirmed(
    read: PageReader, window: Window, token: str | None, lacks: Callable[[], bool], named: str
) -> Iterator[Page]:
    """The pages of a listing, and those of a second reading where the first one `lacks` something that is known.

    `lacks` is asked when every page of the first reading was taken. A listing of one page is one picture, and a part
    of a stream can lack anything: neither is read again.
    """
    if token is None or not token.startswith(AGAIN):
        in_doubt = False
        for number, page in enumerate(read(window, token), start=1):
            whole = any(not each.name and each.snapshot_since for each in page.ended)
            in_doubt = page.token is None and whole and not (token is None and number == 1)
            yield replace(page, token=AGAIN) if in_doubt else page
        if not in_doubt:
            return
        token = AGAIN
    if token == AGAIN:
        if not lacks():
            return
        log.info("%s: records are missing from the listing; it is read once more, to be sure", named)
    for page in read(window, token.removeprefix(AGAIN) or None):
        yield replace(page, token=None if page.token is None else AGAIN + page.token, ended=())
