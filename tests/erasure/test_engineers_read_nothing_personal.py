"""What an engineer who does not hold onefold_pii can read, wherever it stands, says nothing of a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import psycopg
import pytest
from psycopg import sql

from onefold.catalog.reader import read_catalog
from onefold.load.plain_view import plain_fields
from onefold.platform.postgres import Postgres
from tests.erasure.conftest import Copies
from tests.erasure.office import TRACES, Office, adam, zofia
from tests.roles import as_role

SALARY = "31417.77"
READABLE = """
    select n.nspname, c.relname, array_agg(a.attname order by a.attnum)
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace join pg_attribute as a on a.attrelid = c.oid
    where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v') and has_schema_privilege(n.oid, 'usage')
        and n.nspname not in ('pg_catalog', 'information_schema') and has_column_privilege(c.oid, a.attnum, 'select')
    group by 1, 2
"""


class Readers(NamedTuple):
    """Sessions of an engineer, and of one who holds onefold_pii."""

    plain: psycopg.Connection
    trusted: psycopg.Connection


@pytest.fixture(scope="module")
def readers(filled_office: Copies, postgres: Postgres) -> Iterator[Readers]:
    with filled_office.copy() as office, psycopg.connect(postgres.url(office.database), autocommit=True) as owner:
        _fill_more(office)
        owner.execute("create role trusted login password 'test-only' in role onefold_engineer, onefold_pii")
        engineer = as_role(postgres.url(office.database), "onefold_engineer")
        try:
            with (
                psycopg.connect(engineer, autocommit=True) as plain,
                psycopg.connect(engineer.replace("onefold_engineer", "trusted"), autocommit=True) as trusted,
            ):
                yield Readers(plain, trusted)
        finally:
            owner.execute("drop role trusted")


def _fill_more(office: Office) -> None:
    office.load("hr.employee", zofia(status=17, salary=SALARY))  # to quarantine, with a field that the catalogue lacks
    with psycopg.connect(office.url) as loader:
        loader.execute("create table mapped.made_by_a_model as select _payload from staging.hr__employee")
        loader.execute("create table landing.load_999 as select _payload from staging.hr__employee")
        loader.execute(
            "insert into conformed.employee_version (employee_id, source_of_truth, _systems, _records, _members,"
            " _loads, _mapping_versions, _winning_members, _hash, _publish_id, pesel, last_name, department)"
            " select gen_random_uuid(), 'hr', '{hr}', 1, '{hr|employee|7}', '{1}', '{1}', '{1}', '', 1,"
            " _payload ->> 'customPESEL', _payload ->> 'lastName', 'Sales' from staging.hr__employee__current"
            " where _key = '7'"
        )
        loader.execute(
            "with made as (insert into ops.publish (state, actor, mappings) values ('published', 'os:tester', '{}')"
            " returning publish_id) insert into ops.published (entity, publish_id, actor)"
            " select 'employee', publish_id, 'os:tester' from made"
        )


def found(reader: psycopg.Connection) -> set[str]:
    """The relations that show the reader something of Zofia."""
    traces = [f"%{trace}%" for trace in (*TRACES, SALARY)]
    shown = set()
    for schema, relation, columns in reader.execute(READABLE).fetchall():
        query = sql.SQL("select count(*) from (select {} from {}) as r where r::text ilike any(%s)").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(schema, relation)
        )
        if reader.execute(query, [traces]).fetchone() != (0,):
            shown.add(f"{schema}.{relation}")
    return shown


def test_nothing_that_an_engineer_can_read_shows_a_person(readers: Readers) -> None:
    assert found(readers.plain) == set()
    assert {
        "staging.hr__employee",
        "staging.hr__employee__current",
        "staging.microsoft365__calendar_event",
        "mapped.made_by_a_model",
        "landing.load_999",
    } <= found(readers.trusted)


REFUSED = (
    "select _payload -> 'customPESEL' from staging.hr__employee__current",
    "select _hash from staging.hr__employee",
    "select * from staging.hr__employee",
    "select payload from ops.quarantine",
    "select * from mapped.employee__identifier",
    "select _payload from staging.superseded",
)


def test_an_engineer_is_refused_what_is_personal_and_one_with_onefold_pii_is_not(readers: Readers) -> None:
    for query in REFUSED:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            readers.plain.execute(query)
        readers.trusted.execute(query)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        readers.plain.execute("select pesel, last_name from conformed.employee_version")
    shown = "select count(*), count(pesel), count(last_name), count(department) from conformed.employee"
    assert readers.plain.execute(shown).fetchone() == (1, 0, 0, 1)
    assert readers.trusted.execute(shown).fetchone() == (1, 1, 1, 1)


def test_an_engineer_sees_the_fields_that_are_not_personal(readers: Readers) -> None:
    shown = 'select _key, "employeeNumber", department from staging.hr__employee__plain order by _key'
    assert readers.plain.execute(shown).fetchall() == [("7", "N7", "Sales"), ("8", "N8", "Sales")]
    counted = "select count(*), max(_load_id) > 0 from staging.hr__employee"
    assert readers.plain.execute(counted).fetchone()[1]


def test_a_field_that_became_personal_is_closed_by_the_next_load(
    office: Office, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.load("hr.employee", zofia(), adam())
    fields = office.catalog.systems["hr"].streams["employee"].fields
    became = fields["department"].model_copy(update={"personal": "sensitive"})
    monkeypatch.setitem(fields, "department", became)  # the catalogue that was read is every other test's too
    office.load("hr.employee", zofia(status="Inactive"))
    with psycopg.connect(as_role(warehouse_url, "onefold_engineer")) as engineer:
        engineer.execute('select "employeeNumber" from staging.hr__employee__plain')
        with pytest.raises(psycopg.errors.UndefinedColumn):
            engineer.execute("select department from staging.hr__employee__plain")


def test_an_object_that_holds_a_personal_field_is_not_plain() -> None:
    stream = read_catalog().systems["microsoft365"].streams["calendar_event"]
    plain = plain_fields(stream)
    assert not [name for name in plain if "organizer" in name or "attendees" in name]
    assert "isCancelled" in plain
