"""The writer of the inbox: what one event or a warehouse that hangs does to the others."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from onefold.receive import inbox
from onefold.receive.inbox import Inbox, InboxEvent, StorageDown
from tests.roles import as_role

STORE = "select inbox.store(array['s'], array['t'], array['other'], array['{}'::jsonb], array['b'::bytea])"


def posted(event_id: str, size: int = 1) -> InboxEvent:
    return InboxEvent("s", "t", event_id, {}, b"x" * size)


def store(url: str, *events: InboxEvent) -> list[str]:
    """Store all at once; what became of each."""

    async def run() -> list[str]:
        writer = Inbox(as_role(url, "onefold_receiver"))
        await writer.start()
        outcomes = await asyncio.gather(*(writer.store(each) for each in events), return_exceptions=True)
        await writer.stop()
        return ["stored" if outcome is None else type(outcome).__name__ for outcome in outcomes]

    return asyncio.run(run())


def stored(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        found = connection.execute("select event_id from inbox.event order by sequence").fetchall()
    return [event_id for (event_id,) in found]


def test_an_event_that_postgresql_refuses_harms_no_other_of_its_commit(warehouse_url: str) -> None:
    events = [posted("a"), posted("with \0"), posted("long" * 100), posted("b")]
    outcomes = store(warehouse_url, *events)
    assert outcomes == ["stored", "StorageDown", "StorageDown", "stored"]
    assert stored(warehouse_url) == ["a", "b"]


def test_requests_that_come_at_once_share_commits(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "BYTES", 100)
    events = [posted(f"e{number}", 30) for number in range(50)]
    assert store(warehouse_url, *events) == ["stored"] * 50
    assert stored(warehouse_url) == [each.event_id for each in events]
    with psycopg.connect(warehouse_url) as connection:
        commits = connection.execute(
            "select xmin, count(*) from inbox.event group by xmin order by min(sequence)"
        ).fetchall()
    assert [count for _, count in commits] == [4] * 12 + [2]


def test_what_waits_is_bounded(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "WAITING", 50)
    outcomes = store(warehouse_url, *(posted(f"e{number}", 30) for number in range(4)))
    assert outcomes == ["stored", "stored", "StorageDown", "StorageDown"]
    assert stored(warehouse_url) == ["e0", "e1"]


def test_a_warehouse_that_hangs_is_told_as_down_and_takes_the_event_when_it_is_sent_again(
    warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "SECONDS", 0.5)
    with psycopg.connect(as_role(warehouse_url, "onefold_receiver")) as slow:
        slow.execute(STORE)
        assert store(warehouse_url, posted("a")) == ["StorageDown"]
    assert store(warehouse_url, posted("a"), posted("a")) == ["stored", "stored"]
    assert stored(warehouse_url) == ["other", "a"]


def test_after_a_fault_that_nobody_foresaw_nothing_is_taken_any_more(
    warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(batch: object, url: object) -> None:
        raise KeyError("unforeseen")

    monkeypatch.setattr(Inbox, "_store", fault)

    async def run() -> None:
        writer = Inbox(as_role(warehouse_url, "onefold_receiver"))
        await writer.start()
        for attempt in (writer.store(posted("a")), writer.store(posted("b")), writer.check()):
            with pytest.raises(StorageDown):
                await attempt
        await writer.stop()

    asyncio.run(run())


def test_an_inbox_that_ends_tells_who_waits(warehouse_url: str) -> None:
    async def run() -> None:
        writer = Inbox(as_role(warehouse_url, "onefold_receiver"))
        waits = asyncio.create_task(writer.store(posted("a")))  # nobody writes yet
        await asyncio.sleep(0)
        await writer.stop()
        with pytest.raises(StorageDown):
            await waits

    asyncio.run(run())
