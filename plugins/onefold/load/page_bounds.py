"""An extraction ends, whatever a source gives: so many pages, so many that bring nothing, no page over and over.

Here, where all connectors' pages come through; what they know of their protocol's ends is theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from onefold.catalog.limits import Limits
from onefold.connectors.page import Page
from onefold.connectors.paging import SAME_PAGE
from onefold.errors import Fatal


def bounded(pages: Iterator[Page], limits: Limits, named: str, before: int) -> Iterator[Page]:
    """The pages, as they come. `before` is how many an earlier attempt has read.

    Raises Fatal when there are more than the limits allow, or when one with the same records comes again and again
    under ever new tokens.
    """
    met: Counter[int] = Counter()
    empty = 0
    for number, page in enumerate(pages, start=before + 1):
        if number > limits.pages:
            raise Fatal(
                f"{named}: the source gives more than {limits.pages} pages (limits.pages). {_REMEDY.format('pages')}"
            )
        empty = 0 if page.records or page.lookup_results or page.ended else empty + 1
        if empty > limits.empty_pages and page.token is not None:
            raise Fatal(
                f"{named}: the source gave {empty} pages one after another that bring nothing, and names another one "
                f"(limits.empty_pages). {_REMEDY.format('empty_pages')}"
            )
        if page.records:
            content = hash(tuple(record.payload for record in page.records))
            met[content] += 1
            if met[content] > SAME_PAGE and page.token is not None:
                raise Fatal(
                    f"{named}: the source gave a page of the same {len(page.records)} records {met[content]} times and "
                    "leads in a circle. Report it to the system's owner, or compare `next` in the system's YAML with "
                    "its interface. Nothing was published."
                )
        yield page


_REMEDY = (
    "Ask for larger pages or a shorter window, or raise limits.{} in the system's YAML if it really has so many; else "
    "report it to the system's owner. Nothing was published."
)
