"""Which records are one and the same."""

import hashlib

import pytest

from tests.conform.world import World, record, sets

ADDRESS = {"postal_code": "00-950", "street": "ul. Długa 5"}


def test_identity_is_transitive_over_strong_identifiers(world: World):
    world.conform(
        record("crm", "a", tax_id_pl="1"),
        record("erp", "b", tax_id_pl="1", regon="2"),
        record("court", "c", regon="2", krs="3"),
        record("crm", "d", krs="3"),
        record("crm", "e", krs="4"),
        record("crm", "f"),
    )
    assert world.clusters() == sets("abcd", "e", "f")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Żółw Sp. z o.o.", "ZOLW SPOLKA Z OGRANICZONA ODPOWIEDZIALNOSCIA"),
        ("Żółw sp z oo", "„Żółw” SPÓŁKA Z O.O."),
        ("PKP Żubr S.A.", "pkp zubr spółka akcyjna"),
        ("Kowalski Sp. z o.o. Sp. k.", "KOWALSKI SPÓŁKA Z OGRANICZONĄ ODPOWIEDZIALNOŚCIĄ SPÓŁKA KOMANDYTOWA"),
        # SAP's field ends after 40 characters.
        ("PRZEDSIEBIORSTWO PRODUKCYJNE ŁĄCZNOŚĆ SP", "Przedsiębiorstwo Produkcyjne Łączność Sp. z o.o."),
        ("Przedsiębiorstwo Produkcyjno-Usługowo-Ha", "Przedsiębiorstwo Produkcyjno-Usługowo-Handlowe S.A."),
        ("Żółw Sp. z o.o. w likwidacji", "ŻÓŁW SP. Z O.O."),
        ("Товариство з обмеженою відповідальністю «Ромашка»", "ТОВ Ромашка"),
        ("株式会社トヨタ", "㈱トヨタ"),
        ("A&B Sp. z o.o.", "A & B SPÓŁKA Z O.O."),
        ("Müller GmbH", "MULLER Gesellschaft mit beschränkter Haftung"),
    ],
)
def test_one_name_spelled_in_two_ways_at_one_address_is_one_company(one: str, other: str, world: World):
    world.conform(
        record("crm", "a", legal_name=one, tax_id_pl="1", **ADDRESS),
        record("erp", "b", legal_name=other, postal_code="00950", street="DLUGA 5"),
    )
    assert world.clusters() == sets("ab")


@pytest.mark.parametrize(
    ("one", "other", "address"),
    [
        ("Kowalski Sp. z o.o.", "Kowalski Sp. z o.o. Sp.k.", ADDRESS),
        ("Kowalski Sp. z o.o.", "Kowalski S.A.", ADDRESS),
        ("Kowalski Sp. z o.o.", "Kowalski Sp. z o.o.", {"postal_code": "00-950", "street": "ul. Krótka 5"}),
        ("Sp. z o.o.", "Sp. z o.o.", {"postal_code": "", "street": ""}),
    ],
)
def test_another_name_or_another_address_is_another_company(one, other, address, world: World):
    world.conform(
        record("crm", "a", legal_name=one, tax_id_pl="1", **ADDRESS),
        record("erp", "b", legal_name=other, **address),
    )
    assert world.clusters() == sets("a", "b")


FIRMS_AT_ONE_ADDRESS = (
    "ТОВ Ромашка 2020", "ПП Вектор 2020", "ТОВ Вектор 2020", "ООО Ромашка 2020", "ФОП Шевченко 2020", "Ромашка 2020",
    "C++ Sp. z o.o.", "C# Sp. z o.o.", "C Sp. z o.o.", "A & B Sp. z o.o.", "AB Sp. z o.o.", "A+B Sp. z o.o.",
    "株式会社トヨタ", "株式会社ホンダ", "有限会社トヨタ", "ΑΛΦΑ ΑΕ", "ΒΗΤΑ ΑΕ", "شركة الأمل", "חברת האור",
    "ООД Ромашка 2020",
)  # fmt: skip


def test_firms_whose_names_differ_in_any_script_or_sign_stay_apart_at_one_address(world: World):
    keys = [f"{number:02d}" for number in range(len(FIRMS_AT_ONE_ADDRESS))]
    world.conform(
        *(record("crm", key, legal_name=name, **ADDRESS) for key, name in zip(keys, FIRMS_AT_ONE_ADDRESS, strict=True))
    )
    assert world.clusters() == {frozenset({key}) for key in keys}


def test_identifiers_and_names_longer_than_an_index_takes_stop_nobody_and_still_join(world: World):
    """PostgreSQL's index takes 2,704 bytes; what cannot be compressed shows it."""
    long = "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(80))
    other = f"{long[:-1]}Z"
    home = {"street": "Krucza 1", "postal_code": "00-001"}
    world.conform(
        record("crm", "a", tax_id_pl=long),
        record("erp", "b", tax_id_pl=long),
        record("crm", "c", tax_id_pl=other),
        record("crm", "d", legal_name=long, **home),
        record("erp", "e", legal_name=long, **home),
        record("crm", "f", legal_name=other, **home),
        record("crm", "g", legal_name="ABC", street=long, postal_code="00-001"),
        record("crm", "h", tax_id_pl="1"),
    )
    assert world.clusters() == sets("ab", "c", "de", "f", "g", "h")
    assert world.golden("a", "tax_id_pl") == (long,)


def test_a_name_that_says_nothing_joins_nobody(world: World):
    names = enumerate(("Sp. z o.o.", "C", "C Sp. z o.o.", "ТОВ", "«»", "😀 GmbH", "GmbH", "株式会社"))
    address = [{"legal_name": name, "postal_code": "00-950", "street": f"ul. Długa {number}"} for number, name in names]
    world.conform(*(record(system, f"{system}{at['street']}", **at) for at in address for system in ("crm", "erp")))
    assert len(world.clusters()) == 2 * len(address)


def test_one_name_without_a_whole_address_joins_nobody(world: World):
    same = {"legal_name": "Żółw S.A.", "street": "ul. Długa 5", "postal_code": ""}
    world.conform(record("crm", "a", **same), record("erp", "b", **same))
    assert world.clusters() == sets("a", "b")


def test_probabilistic_match_never_joins_contradicting_identifiers(world: World):
    same = {"legal_name": "Żółw S.A.", **ADDRESS}
    world.conform(
        record("crm", "a", tax_id_pl="1", **same),
        record("erp", "b", tax_id_pl="2", **same),
    )
    assert world.clusters() == sets("a", "b")


def test_a_record_that_could_go_to_two_companies_goes_to_neither(world: World):
    same = {"legal_name": "Żółw S.A.", **ADDRESS}
    world.conform(
        record("crm", "a", tax_id_pl="1", **same),
        record("erp", "b", tax_id_pl="2", **same),
        record("erp", "c", **same),
    )
    assert world.clusters() == sets("a", "b", "c")


def test_a_cut_name_that_begins_two_full_names_goes_to_neither(world: World):
    full = "Przedsiębiorstwo Produkcyjne Łączność Sp"
    world.conform(
        record("crm", "a", legal_name=f"{full}. z o.o.", **ADDRESS),
        record("crm", "b", legal_name=f"{full}. z o.o. Sp. k.", **ADDRESS),
        record("erp", "c", legal_name=full, **ADDRESS),
    )
    assert world.clusters() == sets("a", "b", "c")


def test_a_bridge_between_two_contradicting_companies_joins_none_of_them(world: World):
    here, there = {"postal_code": "1", "street": "Polna 1"}, {"postal_code": "2", "street": "Leśna 2"}
    world.conform(
        record("crm", "a", legal_name="Bóbr S.A.", tax_id_pl="1", **here),
        record("crm", "b", legal_name="Bóbr S.A.", krs="3", **here),
        record("erp", "c", legal_name="Bóbr S.A.", krs="3", **there),
        record("erp", "d", legal_name="Bóbr S.A.", tax_id_pl="2", **there),
    )
    assert world.clusters() == sets("a", "bc", "d")


def test_a_contradiction_at_one_address_does_not_undo_a_match_at_another(world: World):
    here, there = {"postal_code": "1", "street": "Polna 1"}, {"postal_code": "2", "street": "Leśna 2"}
    world.conform(
        record("crm", "a", legal_name="Bóbr S.A.", tax_id_pl="1", **here),
        record("court", "b", legal_name="Bóbr S.A.", tax_id_pl="1", **there),
        record("erp", "c", legal_name="Bóbr S.A.", **here),
        record("erp", "d", legal_name="Bóbr S.A.", tax_id_pl="2", **there),
    )
    assert world.clusters() == sets("abc", "d")


def test_a_stale_address_is_matched_through_any_record_of_the_company(world: World):
    world.conform(
        record("crm", "a", legal_name="Bóbr S.A.", tax_id_pl="1", postal_code="1", street="Nowa 1"),
        record("court", "b", legal_name="BÓBR SPÓŁKA AKCYJNA", tax_id_pl="1", postal_code="2", street="Stara 2"),
        record("erp", "c", legal_name="BOBR SA", postal_code="2", street="ul. Stara 2"),
    )
    assert world.clusters() == sets("abc")


def test_an_identifier_claimed_by_two_companies_is_reported_and_given_to_none(world: World):
    """Same REGON, different NIP, equally trusted records: the NIP is more authoritative and keeps them apart."""
    report = world.conform(
        record("crm", "a", tax_id_pl="1", regon="9"),
        record("court", "b", tax_id_pl="1", krs="5"),
        record("crm", "c", tax_id_pl="2", regon="9"),
        record("erp", "d", regon="9"),
    )
    assert world.clusters() == sets("ab", "c", "d")
    assert [world.golden(key, "regon") for key in "acd"] == [(None,), (None,), ("9",)]
    assert report.entities[0].conflicts == 1
    found = world.connection.execute(
        "select identifier, reason, records from ops.identity_conflict where ended_publish_id is null"
    ).fetchall()
    assert found == [("regon", "ambiguous", ["crm|account|a", "crm|account|c", "erp|partner|d"])]
    world.conform(record("crm", "c", tax_id_pl="2", regon="8"))
    assert world.clusters() == sets("abd", "c")
    open_now = "select count(*) from ops.identity_conflict where ended_publish_id is null"
    assert world.connection.execute(open_now).fetchone() == (0,)


def test_an_ambiguous_identifier_belongs_to_the_company_that_the_most_trusted_system_names(world: World):
    report = world.conform(
        record("court", "a", tax_id_pl="1", regon="9"),
        record("crm", "c", tax_id_pl="2", regon="9"),
        record("erp", "d", regon="9"),
    )
    assert world.clusters() == sets("ad", "c")
    assert [world.golden(key, "tax_id_pl", "regon") for key in "ac"] == [("1", "9"), ("2", None)]
    assert report.entities[0].conflicts == 1


def test_two_values_below_one_more_authoritative_identifier_stay_together_and_are_reported(world: World):
    world.conform(
        record("crm", "a", tax_id_pl="1", regon="8"),
        record("erp", "b", tax_id_pl="1", regon="9"),
        record("court", "c", regon="9"),
    )
    assert world.clusters() == sets("abc")
    assert world.connection.execute("select identifier, reason from ops.identity_conflict").fetchall() == [
        ("regon", "several_values")
    ]
