"""What changed at the source arrives with the next load: exactly that, deletions and newcomers too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from onefold.connectors.page import Page, PageReader
from onefold.connectors.window import BEGINNING, Window
from onefold.load.ledger import Load
from tests.acceptance.bench import Bench, assert_gone, everything
from tests.acceptance.streams import (
    ALL,
    LISTING,
    LOOKUPS,
    Listed,
    covering,
    each_thing,
    history,
    increments,
    look_up,
    windows,
)

each_listing = each_thing(increments, LISTING)
each_changing = each_thing(
    history, [listed for listed in LISTING if not {"changes", "deletions"} <= listed.case.cannot_have.keys()]
)

READ_ANEW = frozenset(LISTING[place] for place in covering([history(listed) for listed in LISTING]))
"""The streams that are also read anew: whether parts make a whole is the engine's doing, whoever has read them."""

each_looking_up = each_thing(look_up, LOOKUPS)

Contents = dict[str, tuple[object, bool]]


def contents(bench: Bench, listed: Listed) -> Contents:
    """The current content and whether it is deleted, by key."""
    return {key: (content, deleted) for key, content, _, deleted in bench.observed(listed, current=True).versions}


def difference(before: Contents, after: Contents) -> tuple[int, int, int]:
    """How many are new, changed and deleted."""
    moved = {key for key, content in after.items() if before.get(key) != content}
    deleted = {key for key in moved if after[key][1]}
    new = moved - before.keys() - deleted
    return len(new), len(moved - new - deleted), len(deleted)


def still_given(listed: Listed, found: Contents) -> Contents:
    """What a source that forgets what is gone can still give: all but that."""
    if "gone records" not in listed.case.cannot_have:
        return found
    return {key: content for key, content in found.items() if not content[1]}


def counted(load: Load) -> tuple[int, int, int]:
    return load.rows_new, load.rows_changed, load.rows_deleted


@each_listing
def test_the_next_load_brings_exactly_what_changed_was_deleted_or_is_new(
    loaded: Bench, listed: Listed, request: pytest.FixtureRequest
):
    before, (sound_before, broken_before) = contents(loaded, listed), loaded.expected(listed)
    happened = loaded.sandbox.control("advance", changes=12, deletions=6, new=8)
    load = loaded.load(listed)
    sound, broken = loaded.expected(listed)
    changed, deleted, new = (happened[what][listed.name] for what in ("changed", "deleted", "new"))
    assert (load.rows_changed, load.rows_deleted) == (changed, deleted)
    assert load.rows_new == new - len(broken - broken_before) == len(sound) - len(sound_before)
    for what, count in zip(("newcomers", "changes", "deletions"), counted(load), strict=True):
        assert (count > 0) is (what not in listed.case.cannot_have)
    assert contents(loaded, listed).keys() == sound.keys()
    assert_gone(loaded, listed, sound)
    increment = contents(loaded, listed)
    assert counted(load) == difference(before, increment)
    if listed in READ_ANEW or request.config.getoption("matrix") == "full":
        loaded.forget(listed)
        loaded.load(listed)
        # as if it had always been read in one go
        assert still_given(listed, contents(loaded, listed)) == still_given(listed, increment)


@each_looking_up
def test_the_next_look_up_brings_exactly_what_changed_and_who_was_struck_off(loaded: Bench, listed: Listed):
    before, (known, _) = contents(loaded, listed), loaded.expected(listed)
    loaded.sandbox.control("advance", changes=40, deletions=30)
    if not listed.stream.lookup.feed:
        loaded.let_answers_age(listed)
    load = loaded.load(listed)
    sound, _ = loaded.expected(listed)
    assert sound.keys() == known.keys()
    assert_gone(loaded, listed, sound)
    assert sum(sound.values()) > sum(known.values())
    after = contents(loaded, listed)
    assert after.keys() == before.keys()
    assert counted(load) == difference(before, after)
    assert load.rows_changed > 0
    loaded.forget(listed)
    loaded.load(listed)
    assert still_given(listed, contents(loaded, listed)) == still_given(listed, after)


@each_looking_up
def test_companies_that_other_systems_name_since_then_are_looked_up(loaded: Bench, listed: Listed):
    before, (known, _) = contents(loaded, listed), loaded.expected(listed)
    loaded.sandbox.control("advance", new=12)
    for naming in listed.naming:
        loaded.load(naming)
    load = loaded.load(listed)
    sound, _ = loaded.expected(listed)
    assert counted(load) == (len(sound) - len(known), 0, 0)
    assert load.rows_new > 0
    assert contents(loaded, listed).keys() == sound.keys()
    assert {key: content for key, content in contents(loaded, listed).items() if key in before} == before


@each_thing(windows, ALL)
def test_a_load_after_which_nothing_happened_brings_nothing(loaded: Bench, listed: Listed):
    undisturbed = loaded.observed(listed)
    load = loaded.load(listed)
    assert counted(load) == (0, 0, 0)
    assert load.window.start > BEGINNING  # it goes on from the cursor and does not read everything again
    assert loaded.observed(listed) == undisturbed


@each_changing
def test_pages_from_before_a_change_that_come_after_it_change_nothing(loaded: Bench, listed: Listed):
    # Not for look-ups: a load asks each question once, and the ledger lets no older load publish after a newer one.
    old: list[Page] = []

    def kept(pages: PageReader) -> PageReader:
        def read(window: Window, token: str | None) -> Iterator[Page]:
            old.extend(pages(window, token))
            yield from old

        return read

    def late(pages: PageReader) -> PageReader:
        def read(window: Window, token: str | None) -> Iterator[Page]:
            yield from [*pages(window, token), *old]

        return read

    loaded.load(listed, requested=everything(listed), wrap=kept)
    loaded.sandbox.control("advance", changes=40, deletions=30)
    load = loaded.load(listed, requested=everything(listed), wrap=late)
    after = contents(loaded, listed)
    assert load.rows_changed + load.rows_deleted > 2
    loaded.forget(listed)
    loaded.load(listed)
    assert still_given(listed, contents(loaded, listed)) == still_given(listed, after)
