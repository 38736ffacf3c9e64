"""What a load of any stream leaves, whatever its windows and pages: DESIGN's load protocol, guarantees 2 to 5."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from onefold.connectors.page import Page, PageReader
from onefold.connectors.window import Window
from onefold.load import steps
from onefold.load.window import WindowRequest
from tests.acceptance.bench import Bench, Observed, assert_gone, everything
from tests.acceptance.streams import (
    ALL,
    CASES,
    EXEMPT,
    Listed,
    able,
    catalogued,
    each_kind,
    each_stream,
    each_thing,
    history,
    resumption,
    windows,
)


def test_every_stream_of_the_catalogue_is_listed_or_exempt_for_a_written_reason():
    assert CASES.keys() | EXEMPT.keys() == catalogued()
    assert not CASES.keys() & EXEMPT.keys()
    assert all(len(reason) > 20 for reason in EXEMPT.values())


@each_stream
def test_the_first_load_stages_what_the_source_has_and_quarantines_exactly_what_is_broken(
    loaded_read_only: Bench, listed: Listed
):
    loaded = loaded_read_only
    sound, broken = loaded.expected(listed)
    quarantined = loaded.query(
        "select _key, reason, suite from ops.quarantine where system = %s and attribute is null", listed.system.system
    )
    incomplete = loaded.incomplete(listed)
    assert len(sound) > 20
    assert broken or incomplete
    assert {key for key, _, _ in loaded.observed(listed).withheld} == incomplete
    assert loaded.observed(listed).keys == sound.keys()
    assert_gone(loaded, listed, sound)
    assert {key for key, _, _ in quarantined} == broken
    assert len(quarantined) == loaded.rows_refused(listed)
    assert all(reason and suite for _, reason, suite in quarantined)


@each_thing(history, ALL)
def test_the_same_window_again_makes_no_version(loaded: Bench, listed: Listed):
    before = loaded.query(f"select * from {listed.staging} order by _key")  # noqa: S608
    undisturbed = loaded.observed(listed)
    loaded.let_answers_age(listed)
    again = loaded.load(listed, requested=everything(listed))
    assert again.rows_read >= len(before)
    assert (again.rows_new, again.rows_changed, again.rows_deleted, again.rows_quarantined) == (0, 0, 0, 0)
    assert loaded.query(f"select * from {listed.staging} order by _key") == before  # noqa: S608
    assert loaded.observed(listed) == undisturbed


@each_thing(windows, ALL)
def test_overlapping_windows_give_the_union(empty: Bench, listed: Listed, undisturbed: Observed):
    cursors = sorted(cursor for _, _, cursor, _ in undisturbed.versions if cursor)
    timed = listed.stream.cursor is not None and listed.stream.cursor.kind != "integer"
    middle = datetime.fromisoformat(cursors[len(cursors) // 2]) if timed else datetime(2026, 1, 1, tzinfo=UTC)
    overlap = timedelta(days=20)
    later = empty.load(listed, requested=WindowRequest(middle - overlap, datetime.now(UTC), exactly=True))
    earlier = empty.load(listed, requested=WindowRequest(listed.case.history, middle + overlap, exactly=True))
    if timed:
        both = later.rows_read + earlier.rows_read
        assert both > len(undisturbed.versions) > later.rows_read > 0
    assert empty.observed(listed) == undisturbed


@each_thing(history, able("several pages"))
def test_pages_in_any_order_and_repeated_give_the_same(empty: Bench, listed: Listed, undisturbed: Observed):
    order = random.Random(11)
    seen: list[int] = []

    def disturbed(pages: PageReader) -> PageReader:
        def read(window: Window, token: str | None) -> Iterator[Page]:
            given = list(pages(window, token))
            shuffled = [*given, *order.sample(given, 2)]
            while shuffled == sorted(shuffled, key=given.index):
                order.shuffle(shuffled)
            seen.extend(map(given.index, shuffled))
            yield from shuffled

        return read

    empty.load(listed, wrap=disturbed)
    assert len(set(seen)) > 2
    assert empty.observed(listed) == undisturbed


class Killed(BaseException):
    """The end of the loading process."""


@each_kind(resumption, able("several pages"))
def test_an_extraction_killed_after_a_page_goes_on_from_there(empty: Bench, listed: Listed, undisturbed: Observed):
    tokens: list[str | None] = []

    def killed(pages: PageReader) -> PageReader:
        def read(window: Window, token: str | None) -> Iterator[Page]:
            yield next(pages(window, token))
            raise Killed

        return read

    def noted(pages: PageReader) -> PageReader:
        def read(window: Window, token: str | None) -> Iterator[Page]:
            tokens.append(token)
            yield from pages(window, token)

        return read

    with pytest.raises(Killed):
        steps.land(empty.job(listed, wrap=killed, run="scheduled__1", last_attempt=False))
    ((load_id, pages, rows),) = empty.query(
        "select load_id, pages, rows_read from ops.load where system = %s", listed.system.system
    )
    load = empty.load(listed, wrap=noted, run="scheduled__1")
    assert tokens[0] is not None
    assert (load.load_id, pages) == (load_id, 1)
    assert 0 < rows < load.rows_read
    twice = rows if "several requests" in listed.case.cannot_have else 0
    assert load.rows_read == len(undisturbed.versions) + len(undisturbed.quarantined) + twice
    assert empty.observed(listed) == undisturbed
