"""A source that gives a link to go on from: when the link is too old, all is listed anew, and what is gone is found."""

from __future__ import annotations

from onefold.connectors.window import BEGINNING
from tests.acceptance.bench import Bench, assert_gone
from tests.acceptance.streams import LISTING, Listed, each_kind

LINKED = [listed for listed in LISTING if listed.system.system == "microsoft365"]


@each_kind(lambda listed: "{user}" in listed.stream.request.path, LINKED)
def test_a_link_that_is_too_old_lists_everything_anew_and_still_finds_what_was_deleted(loaded: Bench, listed: Listed):
    for _ in range(2):
        loaded.sandbox.control("advance", changes=2)
    loaded.load(listed)
    loaded.sandbox.control("reset")  # the source knows nothing of the links' time any more: 410
    loaded.sandbox.control("advance", deletions=6)
    happened = loaded.expected(listed)[0]
    load = loaded.load(listed)
    assert load.window.start > BEGINNING
    assert load.rows_deleted == sum(happened.values()) == 6
    assert_gone(loaded, listed, happened)
    again = loaded.load(listed)
    assert (again.rows_read, again.rows_deleted) == (0, 0)  # it goes on from the new links
