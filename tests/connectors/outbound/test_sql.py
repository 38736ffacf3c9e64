"""Tables of real databases as targets: what each outcome says is true in the table itself."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from purgatory import SyncCircuitBreakerFactory
from sqlalchemy.dialects import mysql

from onefold.connectors.outbound.contract import Change, Outbound, Place, Result
from onefold.connectors.outbound.registry import open_outbound
from onefold.errors import Fatal
from onefold.http.attempt import Attempt
from onefold.http.limit import MemoryLimiter
from onefold.platform.postgres import Postgres, free_port
from tests.connectors.databases import READER, Source, on_mariadb, on_postgresql, system
from tests.connectors.outbound.cut_wire import Wire, wire_to

KINDS = {
    "nazwa": "text",
    "nip": "text",
    "kwota": "number",
    "aktywny": "boolean",
    "dzien": "date",
    "chwila": "timestamp",
    "kod": "text",
}
SECRET = "Małgorzata Źdźbło"
Held = tuple[Source, Wire]


def table(*more: sa.schema.SchemaItem) -> sa.Table:
    stamp = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    return sa.Table(
        "klienci",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("nazwa", sa.String(40), server_default="(none)"),
        sa.Column("nip", sa.String(15), unique=True),
        sa.Column("kwota", sa.Numeric(14, 2)),
        sa.Column("aktywny", sa.Boolean),
        sa.Column("dzien", sa.Date),
        sa.Column("chwila", stamp),
        sa.Column("kod", sa.CHAR(5)),
        sa.Column("wersja", sa.Integer, server_default="1"),
        sa.Column("onefold_ref", sa.String(40), unique=True),
        *more,
    )


def held(source: Source, made: sa.Table) -> Iterator[Held]:
    with source.owner.connect() as connection:
        made.create(connection)
    source.run(f"grant select, insert, update, delete on klienci to {READER}")
    if source.name == "postgresql":
        source.run(f"grant usage on all sequences in schema public to {READER}")
    with wire_to(sa.make_url(source.endpoint.url).port or 0) as wire:
        yield source, wire


@pytest.fixture
def postgresql(postgres: Postgres) -> Iterator[Held]:
    with on_postgresql(postgres) as source:
        yield from held(source, table())


@pytest.fixture(params=["postgresql", "mariadb"])
def target(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[Held]:
    with (
        on_postgresql(postgres)
        if request.param == "postgresql"
        else on_mariadb(request.getfixturevalue("maria")) as source
    ):
        yield from held(source, table())


def opened(target: Held, *, port: int | None = None, version: str | None = None, **more: object) -> Outbound:
    source, wire = target
    url = sa.make_url(source.endpoint.url).set(port=port or wire.port)
    endpoint = dataclasses.replace(source.endpoint, url=url.render_as_string(hide_password=False), **more)
    erp = system("klienci", timezone="Europe/Warsaw")
    place = Place("erp", erp, "klienci", "id", "onefold_ref", KINDS, timedelta(seconds=5), version)
    return open_outbound(
        "sql",
        place,
        endpoint,
        seen.append,
        limiter=MemoryLimiter(),
        breakers=SyncCircuitBreakerFactory(default_threshold=100),
        sleep=lambda _: None,
    )


seen: list[Attempt] = []


def create(reference: str = "r1", **fields: object) -> Change:
    return Change(f"id of {reference}", "create", reference, None, {"nazwa": SECRET, **fields})


def rows(target: Held, columns: str = "onefold_ref, nazwa") -> list[tuple]:
    with target[0].owner.connect() as connection:
        found = sa.select(sa.text(columns)).select_from(sa.table("klienci")).order_by(sa.text("id"))
        return [tuple(row) for row in connection.execute(found)]


def one(outbound: Outbound, change: Change):
    (outcome,) = outbound.apply([change])
    assert outcome.id == change.id
    assert SECRET not in str(outcome) and "test-only" not in str(outcome)
    return outcome


def test_a_create_is_written_with_our_reference_and_comes_back_with_key_and_version(target: Held):
    with opened(target) as outbound:
        outcome = one(outbound, create())
        (current,) = outbound.find(["r1"])
        assert outcome.result is Result.DONE
        assert (current.key, current.version) == (outcome.key, outcome.version)
        assert outbound.read([outcome.key, "77", "no number"]) == [current]
        assert outbound.match("nazwa", SECRET) == [current]
        assert outbound.find(["nobody's"]) == []
    assert rows(target) == [("r1", SECRET)]


def test_values_are_written_and_read_digit_for_digit_and_null_is_not_missing(target: Held):
    fields = {
        "nazwa": "Źółć „Ł” 😀 'x'; --",
        "kwota": Decimal("123456789012.10"),
        "aktywny": False,
        "dzien": date(2026, 2, 28),
        "chwila": datetime(2026, 7, 1, 10, 0, 0, 120, UTC),
        "kod": "AB",
        "nip": None,
    }
    with opened(target) as outbound:
        assert one(outbound, create(**fields)).result is Result.DONE
        assert one(outbound, Change("2", "create", "r2", None, {})).result is Result.DONE
        first, second = (outbound.find([reference])[0].fields for reference in ("r1", "r2"))
    assert first == fields
    assert str(first["kwota"]) == "123456789012.10"
    assert second["nazwa"] == "(none)"
    assert str(rows(target, "chwila")[0][0]) == "2026-07-01 12:00:00.000120"


def test_a_create_whose_answer_to_the_commit_is_lost_is_ambiguous_and_written_once_when_tried_again(target: Held):
    with opened(target) as outbound:
        outbound.find(["r1"])
        target[1].fail("answer lost")
        assert one(outbound, create()).result is Result.AMBIGUOUS
        assert target[1].passed_on.wait(5)
        assert rows(target) == [("r1", SECRET)]
        (current,) = outbound.find(["r1"])
        again = one(outbound, create())
        assert (again.result, again.key) == (Result.DONE, current.key)
    assert rows(target) == [("r1", SECRET)]


def test_a_create_whose_commit_never_arrives_is_ambiguous_and_not_written(target: Held):
    with opened(target) as outbound:
        outbound.find(["r1"])
        target[1].fail("request lost")
        assert one(outbound, create()).result is Result.AMBIGUOUS
        assert rows(target) == []


def test_a_second_create_waits_for_one_whose_commit_is_late_and_does_not_double_it(target: Held):
    _, wire = target
    with opened(target) as outbound:
        outbound.find(["r1"])
        wire.fail("request late")
        assert one(outbound, create()).result is Result.AMBIGUOUS
        assert outbound.find(["r1"]) == []
        threading.Timer(0.3, wire.released.set).start()  # sooner than the server ends a session that says nothing
        again = one(outbound, create())
        assert wire.passed_on.wait(10)
        assert (again.result, again.key) == (Result.DONE, outbound.find(["r1"])[0].key)
    assert rows(target) == [("r1", SECRET)]


def test_a_commit_that_comes_later_than_the_longest_run_is_none_any_more(postgresql: Held):
    with opened(postgresql) as outbound:
        outbound.find(["r1"])
        postgresql[1].fail("request late")
        assert one(outbound, create()).result is Result.AMBIGUOUS
        threading.Event().wait(1.3)  # limits.timeout, which the server keeps to as well
        postgresql[1].released.set()
        assert postgresql[1].passed_on.wait(10)
        assert rows(postgresql) == [] == outbound.find(["r1"])


@pytest.mark.parametrize("fault", ["answer lost", "request lost"])
def test_a_create_whose_connection_is_lost_before_its_commit_is_surely_not_written(target: Held, fault):
    with opened(target) as outbound:
        outbound.find(["r1"])
        target[1].fail(fault, b"INSERT")
        outcome = one(outbound, create())
        assert (outcome.result, "was not carried out" in outcome.reason) == (Result.NOT_SENT, True)
        assert rows(target) == []


def test_nothing_is_written_where_nobody_answers_or_the_password_is_wrong(postgresql: Held):
    for outbound in (opened(postgresql, port=free_port()), opened(postgresql, password="test-only, but wrong")):
        with outbound:
            assert one(outbound, create()).result is Result.NOT_SENT
    assert rows(postgresql) == []


REFUSED = {
    "too long": ({"nazwa": "x" * 41}, "StringDataRightTruncation"),
    "more decimals than the column has": ({"kwota": Decimal("1.005")}, "would keep kwota otherwise"),
    "a number that is none": ({"kwota": "a lot"}, "does not fit its column"),
    "another record's NIP": ({"nip": "5260001246"}, "klienci_nip_key"),
    "no such field": ({"imie": "x"}, "no field 'imie'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_table_cannot_hold_is_refused_with_a_reason_and_nothing_is_written(postgresql: Held, case: str):
    fields, reason = REFUSED[case]
    postgresql[0].run("insert into klienci (nazwa, nip) values ('other', '5260001246')")
    before = rows(postgresql, "*")
    with opened(postgresql) as outbound:
        outcome = one(outbound, create(**fields))
    assert outcome.result is Result.REFUSED
    assert reason in outcome.reason and "5260001246" not in outcome.reason and "xxx" not in outcome.reason
    assert rows(postgresql, "*") == before


def test_a_character_that_the_column_does_not_have_is_refused_and_never_written_as_a_question_mark(maria: int):
    with on_mariadb(maria) as source:
        made = table()
        made.kwargs.update({"mysql_default_charset": "cp1250"})
        for held_one in held(source, made):
            source.run("set global sql_mode = ''")
            with opened(held_one) as outbound:
                outcomes = [one(outbound, create(f"r{n}", nazwa=name)) for n, name in enumerate(["Łódź", "日本", "😀"])]
            assert [each.result for each in outcomes] == [Result.DONE, Result.REFUSED, Result.REFUSED]
            assert rows(held_one) == [("r0", "Łódź")]
            source.run("set global sql_mode = default")


def test_an_update_is_written_in_the_version_that_was_read_and_moved_after_somebody_elses(target: Held):
    with opened(target) as outbound:
        made = one(outbound, create())
        update = Change("u", "update", "r1", made.key, {"nazwa": "Nowa", "kwota": 5}, made.version)
        done = one(outbound, update)
        assert done.result is Result.DONE and done.version != made.version
        target[0].run("update klienci set kod = 'X'")
        stale = dataclasses.replace(update, version=done.version, fields={"nazwa": "Stara"})
        assert one(outbound, stale).result is Result.MOVED
        assert one(outbound, dataclasses.replace(stale, kind="delete")).result is Result.MOVED
        assert rows(target, "nazwa, trim(kod)") == [("Nowa", "X")]
        now = outbound.read([made.key])[0].version
        assert one(outbound, Change("d", "delete", "r1", made.key, {}, now)).result is Result.DONE
        assert rows(target) == []
        assert one(outbound, dataclasses.replace(update, version=now)).result is Result.MOVED


def test_an_update_without_a_version_is_refused(postgresql: Held):
    with opened(postgresql) as outbound:
        made = one(outbound, create())
        assert one(outbound, Change("u", "update", "r1", made.key, {"nazwa": "x"})).result is Result.REFUSED
    assert rows(postgresql) == [("r1", SECRET)]


def test_the_declared_row_version_is_the_version(postgresql: Held):
    with opened(postgresql, version="wersja") as outbound:
        made = one(outbound, create())
        assert made.version == "1"
        postgresql[0].run("update klienci set nazwa = 'theirs'")  # their trigger would raise it
        done = one(outbound, Change("u", "update", "r1", made.key, {"kod": "A"}, "1"))
        assert done.result is Result.DONE
        postgresql[0].run("update klienci set wersja = 2")
        assert one(outbound, Change("v", "update", "r1", made.key, {"kod": "B"}, "1")).result is Result.MOVED
    assert rows(postgresql, "kod, wersja") == [("A    ", 2)]


def test_a_create_whose_reference_a_different_record_has_is_moved_and_overwrites_nothing(postgresql: Held):
    with opened(postgresql) as outbound:
        one(outbound, create())
        other = one(outbound, create(nazwa="Inna"))
        assert (other.result, other.key) == (Result.MOVED, outbound.find(["r1"])[0].key)
    assert rows(postgresql) == [("r1", SECRET)]


def test_a_record_that_was_linked_gets_our_reference_with_its_update(postgresql: Held):
    postgresql[0].run("insert into klienci (nazwa, nip) values ('theirs', '5260001246')")
    with opened(postgresql) as outbound:
        (there,) = outbound.match("nip", "5260001246")
        assert there.reference is None
        assert one(outbound, Change("u", "update", "r9", there.key, {}, there.version)).result is Result.DONE
    assert rows(postgresql) == [("r9", "theirs")]


def test_nothing_is_created_where_the_database_would_take_a_reference_twice(postgresql: Held):
    postgresql[0].run("alter table klienci drop constraint klienci_onefold_ref_key")
    with opened(postgresql) as outbound:
        outcome = one(outbound, create())
    assert outcome.result is Result.NOT_SENT and "unique index on onefold_ref" in outcome.reason
    assert rows(postgresql) == []


def test_several_changes_have_an_outcome_each_and_two_of_one_record_are_no_batch(postgresql: Held):
    with opened(postgresql) as outbound:
        outcomes = outbound.apply([create("a"), create("b", nazwa="x" * 50), create("c")])
        assert [each.result for each in outcomes] == [Result.DONE, Result.REFUSED, Result.DONE]
        with pytest.raises(ValueError, match="same reference"):
            outbound.apply([create("a"), dataclasses.replace(create("a"), id="other")])
        with pytest.raises(ValueError, match="more than the 100"):
            outbound.apply([create(str(n)) for n in range(101)])
    assert [row[0] for row in rows(postgresql)] == ["a", "c"]


def test_reading_a_target_cannot_write(postgresql: Held):
    with opened(postgresql) as outbound, pytest.raises(Fatal, match="ReadOnlySqlTransaction"):
        outbound._database.ask("SELECT", "klienci", lambda c: (c.execute(sa.text("delete from klienci")), 0))
