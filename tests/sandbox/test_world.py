"""The world is the same for the same seed, plausible, and broken only where it says so."""

import hashlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from stdnum.pl import nip, regon

from sandbox.stand_ins import STAND_INS
from sandbox.world import World
from sandbox.world.accounts import ODD, timestamp
from sandbox.world.foreign import FIRST
from sandbox.world.identifiers import salesforce_id
from sandbox.world.parts import Part
from sandbox.world.records import BROKEN, SYSTEMS
from sandbox.world.world import WARSAW


@pytest.fixture(scope="module")
def world() -> World:
    return World(2000, 7)


def fingerprint(world: World) -> str:
    digest = hashlib.sha256()
    for system in SYSTEMS:
        for record in world.records(system):
            line = (record.key, record.modified, record.deleted, record.broken, record.fields, record.past)
            digest.update(repr(line).encode())
    for company in world.companies:
        digest.update(repr(company).encode())
    return digest.hexdigest()


def test_same_seed_and_size_give_the_same_bytes() -> None:
    assert fingerprint(World(300, 7)) == fingerprint(World(300, 7))
    assert fingerprint(World(300, 7)) != fingerprint(World(300, 8))


def whole(world: World) -> tuple[object, ...]:
    """The records and companies, and every row of every book."""
    rows = {
        name: [
            (repr(row.parent), row.place, row.key, row.broken) if isinstance(row, Part) else repr(row)
            for row in shelf.entries
        ]
        for name, shelf in world.shelves.items()
    }
    return fingerprint(world), rows, world.truth()


def test_a_world_that_was_reset_is_the_base_world_and_goes_on_like_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "now", staticmethod(lambda: datetime(2026, 3, 1, tzinfo=UTC)))
    books = [book for stand_in in STAND_INS for book in stand_in.books]
    fresh, used = World(80, 7, books=books), World(80, 7, books=books)
    for _ in range(2):
        used.advance(changes=20, deletions=10, new=9)
        assert whole(used) != whole(fresh)
        used.reset()
        assert whole(used) == whole(fresh)
    for world in (fresh, used):
        world.advance(changes=20, deletions=10, new=9)
    assert whole(used) == whole(fresh)


def test_a_small_world_is_the_beginning_of_a_larger_one() -> None:
    small, large = World(150, 7), World(300, 7)
    assert [repr(c) for c in small.companies] == [repr(c) for c in large.companies[:150]]


def test_identifiers_are_valid_and_unique(world: World) -> None:
    assert all(nip.is_valid(c.nip) and regon.is_valid(c.regon) for c in world.companies)
    assert len(world.by_nip) == len(world.by_regon) == 2000
    assert all(len(c.krs) == 10 for c in world.companies if c.krs)
    assert all((c.krs is None) == (c.form == "jdg") for c in world.companies)
    for system in SYSTEMS:
        keys = [record.key for record in world.records(system)]
        assert len(keys) == len(set(keys))


def test_salesforce_ids_carry_the_case_of_their_letters_in_the_suffix() -> None:
    identifier = salesforce_id(4711)
    assert len(identifier) == 18
    bits = [sum(1 << i for i, x in enumerate(identifier[s : s + 5]) if x.isupper()) for s in (0, 5, 10)]
    assert identifier[15:] == "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[b] for b in bits)


def test_about_one_row_in_a_hundred_is_broken_in_every_known_way(world: World) -> None:
    for system in SYSTEMS:
        broken = Counter(record.broken for record in world.records(system))
        odd = set(ODD) if system == "salesforce" else set()
        damaged = sum(count for code, count in broken.items() if code and code not in odd)
        assert set(broken) - {None} == set(BROKEN[system]) | odd
        assert 0.005 < damaged / broken.total() < 0.015


def test_broken_register_rows_belong_to_companies_that_get_asked_for(world: World) -> None:
    for system in ("krs", "regon"):
        for broken in (record for record in world.records(system) if record.broken):
            sound = [r for r in world.records_of(broken.company_id) if r.broken in (None, *ODD) and not r.deleted]
            accounts = [r.fields for r in sound if r.system == "salesforce"]
            taxes = [r.partner.taxes for r in sound if r.system == "sap"]
            if system == "krs":
                assert any(fields["KRS__c"] for fields in accounts)
            else:
                named = any(fields.get("NIP__c") or fields["REGON__c"] for fields in accounts)
                assert named or any(taxes)


def test_the_systems_hold_the_shares_that_they_should(world: World) -> None:
    records = {s: [r for r in world.records(s) if r.company_id < FIRST] for s in SYSTEMS}  # without firms from abroad
    held = {system: {r.company_id for r in records[system]} for system in SYSTEMS}
    assert 0.72 < len(held["salesforce"]) / 2000 < 0.78
    assert 0.62 < len(held["sap"]) / 2000 < 0.68
    assert 0.02 < len(records["salesforce"]) / len(held["salesforce"]) - 1 < 0.05
    accounts = [record.fields for record in records["salesforce"]]
    assert 0.15 < sum(1 for fields in accounts if not fields.get("NIP__c")) / len(accounts) < 0.25
    assert any("NIP__c" not in fields for fields in accounts)
    assert all(len(record.partner.name1) <= 40 for record in world.records("sap"))
    assert all(len(record.partner.name2) <= 40 for record in world.records("sap"))


def test_the_traps_for_identity_resolution_are_there(world: World) -> None:
    by_address: dict[tuple[str, str, str, str], list[str]] = {}
    cities_of: dict[str, set[str]] = {}
    for c in world.companies:
        by_address.setdefault((c.city, c.street, c.house_no, c.postal_code), []).append(c.name)
        cities_of.setdefault(c.name, set()).add(c.city)
    twins = [names for names in by_address.values() if any(f"{names[0]} Spółka" in n for n in names[1:])]
    assert len(twins) >= 5
    assert sum(1 for cities in cities_of.values() if len(cities) > 1) >= 10
    assert Counter(c.email for c in world.companies).most_common(1)[0][1] >= 5
    outside_latin2 = [
        c.name for c in world.companies if c.name != c.name.encode("iso8859-2", "ignore").decode("iso8859-2")
    ]
    assert outside_latin2


def test_base_stamps_lie_in_the_base_period_and_never_at_the_present(world: World) -> None:
    for system in SYSTEMS:
        for record in world.records(system):
            assert datetime(2024, 1, 1, tzinfo=UTC) <= record.modified < datetime(2026, 7, 1, tzinfo=UTC)
            assert record.created <= record.modified


def test_advances_stamp_later_each_time_and_tie_within_one() -> None:
    world = World(200, 7)
    for _ in range(3):
        before = {(s, r.key): (r.modified, len(r.past)) for s in SYSTEMS for r in world.records(s)}
        summary = world.advance(changes=60, deletions=4, new=3)
        touched = []
        for system in SYSTEMS:
            for record in world.records(system):
                old, times = before.get((system, record.key), (None, 0))
                if old is None or len(record.past) == times:
                    continue
                assert record.modified > old
                if system == "salesforce":
                    touched.append(record.modified)
        assert max(Counter(touched).values()) > 1
        assert summary["new"]["companies"] == 3
        assert summary["deleted"]["companies"] == 4
        assert summary["deleted"]["salesforce.account"] + summary["deleted"]["sap.business_partner"] >= 4


def test_a_killed_sandbox_comes_back_with_the_same_world(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    first = World(200, 7, journal)
    first.advance(10, 2, 3)
    first.advance(5, 1, 0)
    with journal.open("a") as file:
        file.write('{"seed": 7, "comp')  # the line that the crash cut off
    assert fingerprint(World(200, 7, journal)) == fingerprint(first)
    assert fingerprint(first) != fingerprint(World(200, 7))


def test_a_journal_of_another_world_is_refused_with_a_remedy(tmp_path: Path) -> None:
    World(200, 7, tmp_path / "journal.jsonl").advance(1)
    with pytest.raises(ValueError, match=r"200 companies with seed 7.*delete that file"):
        World(300, 7, tmp_path / "journal.jsonl")


def test_the_registers_change_feeds_name_what_changed() -> None:
    world = World(200, 7)
    world.advance(40, 8, 2)
    today = max(company.changed for company in world.companies)
    companies = {c.regon: c for c in world.companies}
    newcomers = world.regon_changes("new", today.astimezone(WARSAW).date())
    assert all(companies[number].id >= 200 for number in newcomers)
    moved = [r for r in world.records("krs") if r.past and not r.deleted]
    days = {r.modified.astimezone(WARSAW).date() for r in moved}
    listed = {krs for day in days for krs, _ in world.krs_changes(day)}
    assert {r.key for r in moved} <= listed


def test_salesforce_stamps_have_seconds_and_an_offset_without_a_colon() -> None:
    assert timestamp(datetime(2026, 3, 1, 10, 11, 12, tzinfo=UTC)) == "2026-03-01T10:11:12.000+0000"
