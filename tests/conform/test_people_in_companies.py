"""What is said of a sole trader is personal data: by the legal form, row by row, in the entities and in the marts."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.conform.test_marts import mart
from tests.roles import as_role

COMPANIES = {
    "Januszex Sp. z o.o.": None,
    "KOWALSKI SPÓŁKA Z OGRANICZONĄ ODPOWIEDZIALNOŚCIĄ": None,
    '"Żółw" S.A.': None,
    "Kowalski i Wspólnicy Sp. k.": None,
    "Nowak Sp. j.": None,
    "Kowalski S.A. w likwidacji": None,
    "Müller GmbH": None,
    "Acme Ltd": None,
    "Gmina Żabia Wola": None,
    "Żubr": "0000779880",
}
VERSION = (
    "insert into conformed.{} ({}, source_of_truth, _systems, _records, _members, _loads, _mapping_versions,"
    " _winning_members, _hash, _publish_id, legal_name, krs, tax_id_pl, regon)"
    " values (gen_random_uuid(), 'krs', '{{krs}}', 1, '{{}}', '{{}}', '{{}}', '{{}}', '', 1, %s, %s, %s, %s)"
)
PEOPLE = {
    "Jan Kowalski": None,
    "Sklep u Łucji Jan Kowalski": None,
    "Anna Nowak, Jan Nowak S.C.": None,
    "JAN LISA": None,
    "Limited Edition Anna Nowak": None,
    "Usługi Remontowe Sparrow": None,
    "Szpak i Synowie": None,
    None: None,
}


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[psycopg.Connection]:
    """As the superuser: one publish with these customers and companies, each with a tax number of its own."""
    with psycopg.connect(warehouse_url, autocommit=True) as connection:
        connection.execute(
            "with made as (insert into ops.publish (state, actor, mappings, ended_at)"
            " values ('published', 'os:tester', '{}', now()) returning publish_id)"
            " insert into ops.published (entity, publish_id, actor)"
            " select entity, publish_id, 'os:tester' from made, unnest(array['customer', 'company']) as entity"
        )
        for number, (name, krs) in enumerate((COMPANIES | PEOPLE).items()):
            for entity in ("customer", "company"):
                connection.execute(
                    sql.SQL(VERSION).format(sql.Identifier(f"{entity}_version"), sql.Identifier(f"{entity}_id")),
                    (name, krs, f"52700000{number:02}", f"3829036{number:02}"),
                )
        yield connection


def shown(warehouse_url: str, role: str, entity: str) -> set[tuple[str | None, bool, bool]]:
    with psycopg.connect(as_role(warehouse_url, role)) as connection:
        return set(
            connection.execute(
                f"select legal_name, tax_id_pl is not null, regon is not null from conformed.{entity}"  # noqa: S608
            ).fetchall()
        )


@pytest.mark.parametrize("role", ["onefold_engineer", "onefold_analyst", "onefold_auditor"])
@pytest.mark.parametrize("entity", ["customer", "company"])
def test_a_natural_persons_company_has_no_name_and_no_number_for_readers(
    warehouse: psycopg.Connection, warehouse_url: str, role: str, entity: str
):
    assert shown(warehouse_url, role, entity) == {(name, True, True) for name in COMPANIES} | {(None, False, False)}


def test_who_holds_onefold_pii_and_the_engine_see_all(warehouse: psycopg.Connection, warehouse_url: str):
    all_of_them = {(name, True, True) for name in (*COMPANIES, *PEOPLE)}
    assert shown(warehouse_url, "onefold_loader", "customer") == all_of_them
    with warehouse.transaction():
        warehouse.execute("set local role onefold_pii")
        found = warehouse.execute(
            "select legal_name, tax_id_pl is not null, regon is not null from conformed.customer"
        ).fetchall()
    assert set(found) == all_of_them


def test_what_is_hidden_cannot_be_asked_for_by_a_condition_or_past_the_view(
    warehouse: psycopg.Connection, warehouse_url: str
):
    with psycopg.connect(as_role(warehouse_url, "onefold_analyst"), autocommit=True) as connection:
        for condition in (
            "legal_name = 'Jan Kowalski'",
            "tax_id_pl = '5270000010'",
            "legal_name ilike '%kowalski%jan%'",
        ):
            found = connection.execute(f"select count(*) from conformed.customer where {condition}").fetchone()  # noqa: S608
            assert found == (0,)
        for table in ("customer_unmasked", "customer_version"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select legal_name from conformed.{table}")  # noqa: S608


def test_a_mart_counts_the_same_for_everybody_and_hides_the_same(warehouse: psycopg.Connection, warehouse_url: str):
    """The mart as a view of the engine's, as a publish makes it."""
    with psycopg.connect(as_role(warehouse_url, "onefold_loader"), autocommit=True) as loader:
        loader.execute(f"create view marts.kyc_profile as {mart('kyc_profile')}")
        loader.execute("grant select on marts.kyc_profile to onefold_analyst")
        everything = loader.execute("select count(*), count(legal_name) from marts.kyc_profile").fetchone()
    with psycopg.connect(as_role(warehouse_url, "onefold_analyst")) as analyst:
        masked = analyst.execute("select count(*), count(legal_name) from marts.kyc_profile").fetchone()
        names = {name for (name,) in analyst.execute("select legal_name from marts.kyc_profile")}
    assert everything == (len(COMPANIES) + len(PEOPLE), len(COMPANIES) + len(PEOPLE) - 1)
    assert masked == (len(COMPANIES) + len(PEOPLE), len(COMPANIES))
    assert names == {*COMPANIES, None}
