"""Three systems that are read and written, each of which holds other texts: they come to rest, and nobody loses."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from onefold.platform.postgres import Postgres
from tests.databases import copy_database, drop_database
from tests.effort import TORTURE
from tests.write_back.world import Outward, publish, target

RECORDS = 300 if TORTURE else 18
ROUNDS = 2
QUOTES = {"„": '"', "”": '"', "–": "-", "€": "EUR"}
NAMES = ("Źółć", "„Ł” sp. z o.o.", "A – B", "Cena €", "O'Brien", "Żak & syn", "😀 Sklep", "Długa nazwa " * 4)
HOLDS = {
    "court": {},
    "crm": {"characters": {"encoding": "cp1250", "replacements": QUOTES}},
    "erp": {"characters": {"encoding": "iso8859-2", "replacements": QUOTES}, "length": {"max": 30}},
}


@pytest.fixture
def court(postgres: Postgres, outward: Outward) -> Iterator[Outward]:
    name = copy_database(postgres, "template0", "court")
    yield Outward(outward.world, postgres.url(name), "court")
    drop_database(postgres, name)


def _holding(of: Outward, name: str) -> None:
    said = HOLDS[name]
    nazwa = {"attribute": "legal_name", "required": True} | {n: said[n] for n in ("length",) if n in said}
    of.target = target(
        target=name,
        system=name,
        **{"objects.partner.fields.nazwa": nazwa, "objects.partner.characters": said.get("characters", {})},
    )


def test_three_systems_with_characters_and_lengths_of_their_own_are_quiet_after_two_rounds_and_no_value_is_lost(
    outward: Outward, crm: Outward, court: Outward
) -> None:
    """The most trusted one has signs that the others do not hold: a target's file in the other order is refused."""
    chance = random.Random(20261130)
    systems = {"crm": crm, "erp": outward, "court": court}
    for name, each in systems.items():
        _holding(each, name)
    first = [(chance.choice(NAMES), f"{at:010}") for at in range(RECORDS)]
    for nazwa, nip in first:
        court.sql("insert into klienci (nazwa, nip) values (%s, %s)", nazwa, nip)
    wrote: list[int] = []
    for _ in range(ROUNDS + 2):
        publish(crm.world, list(systems.values()), [row for each in systems.values() for row in each.sync()])
        before = [row for each in systems.values() for row in each.table()]
        for each in systems.values():
            each.run()
        after = [row for each in systems.values() for row in each.table()]
        wrote.append(sum(row not in before for row in after))
    assert wrote[ROUNDS:] == [0, 0], wrote
    assert [(row["nazwa"], row["nip"]) for row in court.table()] == sorted(first, key=lambda row: row[1])
    for name in ("crm", "erp"):
        for row in systems[name].table():
            given = next(nazwa for nazwa, nip in first if nip == row["nip"])
            assert row["nazwa"] == "".join(QUOTES.get(sign, sign) for sign in given)
    golden = court.world.connection.execute("select legal_name, tax_id_pl from conformed.partner order by 2").fetchall()
    assert golden == [(row["nazwa"], row["nip"]) for row in court.table()]
    assert {reason.split(":")[0] for reason in court.reasons()} == {"nazwa"}, "what they cannot hold is refused"
