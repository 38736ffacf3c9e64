"""A survey of small systems of CSV files: what it finds, what it leaves behind, and what it never shows."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.reader import Catalog
from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.survey import reading
from onefold.survey.advice import risks
from onefold.survey.document import document
from onefold.survey.page import page
from onefold.survey.reading import Bounds
from onefold.survey.run import Survey, survey

AT = datetime(2026, 3, 1, tzinfo=UTC)
NIPS = (
    "5272889007", "5220003782", "5252248481", "7740001454", "9570957722", "6340135624", "1132853869", "5213641211",
)  # fmt: skip
FIELDS = {
    "id": {}, "name": {"personal": "organisation"}, "nip": {"personal": "identity", "required": False},
    "mail": {"required": False}, "town": {"required": False},
}  # fmt: skip


def _system(name: str, **settings: object) -> System:
    stream = {
        "title": "<script>alert(1)</script> Customers",
        "request": {"path": "*.csv"},
        "format": {"kind": "csv"},
        "primary_key": ["id"],
        "volatile": ["_file"],
        "fields": FIELDS,
        **settings,
    }
    return System.model_validate(
        {"system": name, "title": name, "protocol": "files", "connection": name, "schedule": "0 1 * * *",
         "streams": {"customer": stream}}
    )  # fmt: skip


def _entity(*systems: str) -> Entity:
    def by(field: str, transform: str) -> dict[str, object]:
        return {f"{system}.customer": {"field": field, "transform": transform} for system in systems}

    return Entity.model_validate(
        {
            "entity": "customer", "title": "Customer", "version": 1, "trust": list(systems),
            "identity": {"strong": ["tax_id_pl"]},
            "attributes": {
                "tax_id_pl": {"meaning": "The tax number.", "personal": "organisation", "sources": by("nip", "nip")},
                "legal_name": {"meaning": "Name.", "personal": "organisation", "sources": by("name", "company_name")},
                "city": {"meaning": "The town.", "sources": by("town", "city")},
            },
        }
    )  # fmt: skip


def _write(folder: Path, system: str, rows: list[tuple[str, ...]]) -> None:
    (folder / system).mkdir()
    lines = [",".join(FIELDS), *(",".join(row) for row in rows)]
    path = folder / system / "customers.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.utime(path, (AT.timestamp(), AT.timestamp()))  # one that has just come may still be written


@pytest.fixture
def connected(tmp_path: Path) -> Catalog:
    """Two systems that have five customers in common and disagree about one town; one not to be reached, one that
    nobody has mapped."""
    crm = [
        (f"C{n}", f"Canary{n} Sp. z o.o.", nip, f"canary{n}@secret.example", "Łódź") for n, nip in enumerate(NIPS[:6])
    ]
    erp = [(f"E{n}", f"CANARY{n} SP ZOO", f"PL{nip}", "", "Łódź") for n, nip in enumerate(NIPS[1:], 1)]
    erp[0] = ("E1", "CANARY1 SP ZOO", NIPS[1], "", "Gdynia")
    _write(tmp_path, "crm", [*crm, ("C9", "No number", "", "", "Kraków")])
    _write(tmp_path, "erp", [*erp, ("E9", "Broken", "1234567890", "", "Kraków")])
    _write(tmp_path, "desk", [(f"D{n}", f"Canary{n}", nip, "", "Łódź") for n, nip in enumerate(NIPS[:3])])
    systems = {name: _system(name) for name in ("crm", "erp", "gone", "desk")}
    return Catalog(systems, {"customer": _entity("crm", "erp")})


def _survey(connection: psycopg.Connection, catalog: Catalog, folder: Path) -> Survey:
    def endpoint_of(system: System) -> Endpoint:
        if system.system == "gone":
            raise Fatal("There is no Airflow connection 'gone'.")
        return Endpoint((folder / system.system).as_uri())

    return survey(connection, catalog, endpoint_of, Bounds())


def _session(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True, options="-c TimeZone=UTC")


def test_a_survey_finds_who_is_in_which_system_and_how_far_they_agree(
    connected: Catalog, tmp_path: Path, loader_url: str
) -> None:
    with _session(loader_url) as connection:
        found = _survey(connection, connected, tmp_path)
    assert [each.read.not_read for each in found.streams if each.read.system == "crm"] == [None]
    (customer,) = found.entities
    (pair,) = (each for each in customer.pairs if (each.one, each.other) == ("crm", "erp"))
    assert (pair.of_one, pair.of_other, pair.shared) == (7, 8, 5)
    assert {each.attribute: (each.both, each.same) for each in pair.agreements} == {
        "tax_id_pl": (5, 5), "legal_name": (5, 5), "city": (5, 4),
    }  # fmt: skip
    quality = {(each.system, each.attribute): each for each in customer.quality}
    assert (quality["erp", "tax_id_pl"].filled, quality["erp", "tax_id_pl"].understood) == (8, 7)
    assert (quality["crm", "tax_id_pl"].filled, quality["crm", "tax_id_pl"].understood) == (6, 6)
    assert found.phases[0].entities == ("customer",)
    told = {(risk.stream, risk.what.split(":")[0]) for risk in found.risks}
    assert {
        ("crm.customer", "no cursor"),
        ("crm.customer", "no sign of deletions"),
        ("gone.customer", "not read"),
    } <= told
    assert any(risk.what.startswith("mail looks like e-mail addresses") for risk in found.risks)
    assert [each.volume for each in found.streams if each.read.system == "crm"] == ["7"]
    assert [each.read.not_read for each in found.streams if each.read.system == "gone"] == [
        "There is no Airflow connection 'gone'."
    ]


def test_a_source_that_refuses_to_count_is_read_all_the_same_and_the_survey_says_so(
    connected: Catalog, tmp_path: Path, loader_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Counter:
        at_once = 1

        def exactly(self, window: object) -> None:
            raise Fatal("The user may not count.")

    monkeypatch.setattr(reading, "counter", lambda _: Counter())
    alone = Catalog({"crm": connected.systems["crm"]}, {"customer": _entity("crm")})
    with _session(loader_url) as connection:
        (found,) = _survey(connection, alone, tmp_path).streams
    assert (found.read.not_read, found.read.records, found.read.counted) == (None, 7, None)
    told = [risk.what for risk in risks(connected.systems["crm"], found)]
    assert "not counted by the source: The user may not count." in told


def test_a_record_that_no_database_holds_stops_nothing_but_itself(tmp_path: Path, loader_url: str) -> None:
    lines = [
        '{"id": "1", "name": "Whole"}',
        '{"id": "2\\u0000", "name": "A key with U+0000"}',
        '{"id": "3", "name": "A value with \\u0000"}',
        '{"id": "5", "name": "Whole too", "changed": "\\u0000"}',
        '{"id": "6", "name": "The last"}',
    ]
    (tmp_path / "crm").mkdir()
    path = tmp_path / "crm" / "customers.ndjson"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.utime(path, (AT.timestamp(), AT.timestamp()))
    stream = {"request": {"path": "*.ndjson"}, "format": {"kind": "ndjson"}}
    catalog = Catalog({"crm": _system("crm", **stream)}, {"customer": _entity("crm")})
    with _session(loader_url) as connection:
        (facts,) = _survey(connection, catalog, tmp_path).streams
        kept = connection.execute("select _key from pg_temp.survey_crm__customer order by 1").fetchall()
    assert (facts.read.not_read, facts.read.records) == (None, 5)
    assert kept == [("1",), ("6",)]


def test_a_survey_shows_no_value_runs_no_script_and_leaves_nothing_behind(
    connected: Catalog, tmp_path: Path, loader_url: str
) -> None:
    with _session(loader_url) as connection:
        before = _tables(loader_url)
        found = _survey(connection, connected, tmp_path)
        (pid,) = connection.execute("select pg_backend_pid()").fetchone() or (0,)
        assert connection.execute("select count(*) from pg_temp.survey_crm__customer").fetchone() == (7,)
        with psycopg.connect(loader_url, autocommit=True) as other:  # as a crash: nobody drops anything
            other.execute("select pg_terminate_backend(%s)", [pid])
            while other.execute("select count(*) from pg_stat_activity where pid = %s", [pid]).fetchone() != (0,):
                pass
    assert _tables(loader_url) == before
    html, text = page(found, connected.systems, AT), json.dumps(document(found, AT), ensure_ascii=False)
    canaries = [*NIPS, "Canary", "CANARY", "secret.example", "Łódź", "Gdynia", "C0", "E1", "1234567890"]
    assert [each for each in canaries if each in html or each in text] == []
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "http" not in html.replace("http-equiv", "")
    assert all(mark not in html for mark in ("src=", "url(", "@import", "<link"))


def _tables(url: str) -> list[tuple[str, int]]:
    """Every table that there is but PostgreSQL's own, with its rows; a session's temporary ones too."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "select nspname, relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
            " where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')"
            " and has_table_privilege(c.oid, 'select') order by 1, 2"
        ).fetchall()
        count = sql.SQL("select count(*) from {}")
        return [
            (".".join(name), connection.execute(count.format(sql.Identifier(*name))).fetchone()[0]) for name in names
        ]
