"""Drafts of files: any header gives names that the catalogue takes, and the file itself loads by its draft."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from onefold.draft.trial import Trial, try_stream
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from tests.draft.drafting import drafted, drafted_text
from tests.http.web_server import Say, serving

ODD = (
    "Nr faktury;Data wystawienia;Kwota-brutto;Kwota-brutto;Nr. NIP;Zażółć gęślą;1. linia;NR FAKTURY\r\n"
    "FV/1;31.01.2026;1 234,50;1;5272889007;a;x;1\r\nFV/2;01.02.2026;-7,00;2;;b;y;1\r\n"
)


def tried(kind: str, file: Path, stream: str) -> Trial:
    """What the connector of files shows of the file by its draft."""
    system = drafted(kind, file)
    return try_stream(system, stream, Endpoint(f"file://{file.parent}", extra={"settled_seconds": "0"}))


def test_a_csv_file_with_any_header_loads_by_its_draft(tmp_path: Path) -> None:
    file = tmp_path / "faktury 2026.csv"
    file.write_bytes(ODD.encode("cp1250"))
    stream = drafted("csv", file).streams["faktury_2026"]
    assert {name: (field.path, field.type) for name, field in stream.fields.items()} == {
        "nr_faktury": ("Nr faktury", "text"),
        "data_wystawienia": ("Data wystawienia", "date"),
        "kwota_brutto": ("Kwota-brutto", "numeric"),
        "kwota_brutto_2": ("Kwota-brutto (2)", "integer"),
        "nr_nip": ('$."Nr. NIP"', "text"),
        "zazolc_gesla": ("Zażółć gęślą", "text"),
        "f_1_linia": ('$."1. linia"', "text"),
        "nr_faktury_2": ("NR FAKTURY", "integer"),
        "file": ("_file.name", "text"),
        "file_changed": ("_file.modified", "timestamp"),
    }
    assert stream.primary_key == ["nr_faktury"]
    assert (stream.format.encoding, stream.format.decimal, stream.format.dates) == ("cp1250", ",", "%d.%m.%Y")
    trial = tried("csv", file, "faktury_2026")
    assert (trial.failed, trial.problems, trial.records, trial.keyless) == (None, (), 2, 0)
    seen = {field.name: dict(field.seen) for field in trial.fields}
    assert seen["kwota_brutto_2"] == {"text": 2} and seen["nr_nip"] == {"text": 1, "null": 1}
    text = drafted_text("csv", file)
    assert "the header has Kwota-brutto more than once" in text
    assert "nr_faktury_2 is NR FAKTURY of the source, whose name is there twice but for case" in text


def test_a_workbook_gives_a_stream_for_each_sheet_with_a_table_and_loads_by_it(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    orders = book.active
    orders.title = "Zamówienia"
    orders.append(["Raport za styczeń"])
    orders.append([])
    orders.append(["Nr zamówienia", "Złożono", "Kwota netto", "Opłacone", "Zmiana"])
    orders.append(["Z/1", date(2026, 1, 2), 12.5, True, datetime(2026, 1, 2, 3, 4, 5)])
    orders.append(["Z/2", date(2026, 1, 3), 3, False, datetime(2026, 1, 3, 3, 4, 5)])
    goods = book.create_sheet("Towary")
    goods.append(["Kod", "Nazwa"])
    goods.append(["A1", "Śruba"])
    book.create_sheet("Uwagi").append(["Nic"])
    file = tmp_path / "sklep.xlsx"
    book.save(file)
    system = drafted("xlsx", file)
    assert list(system.streams) == ["zamowienia", "towary"]
    form = system.streams["zamowienia"].format
    assert (form.kind, form.sheet, form.header_row) == ("xlsx", "Zamówienia", 2)  # of the rows that are not empty
    assert {name: field.type for name, field in system.streams["zamowienia"].fields.items()} == {
        "nr_zamowienia": "text", "zlozono": "date", "kwota_netto": "numeric", "oplacone": "boolean",
        "Zmiana": "timestamp", "file": "text", "file_changed": "timestamp",
    }  # fmt: skip
    assert "# not drafted: sheet Uwagi: it has no header with rows below it" in drafted_text("xlsx", file)
    for stream, records in (("zamowienia", 2), ("towary", 1)):
        trial = tried("xlsx", file, stream)
        assert (trial.failed, trial.problems, trial.records) == (None, (), records)


def test_an_example_answer_gives_path_list_page_key_and_types_and_loads_by_it(tmp_path: Path) -> None:
    answer = {
        "warnings": [{"Message": "none"}],
        "data": {
            "customers": [
                {"customerId": 7, "name": "Żubr S.A.", "price": 1.5, "address": {"city": "Łódź", "geo": {"lat": 1.0}},
                 "tags": ["a"], "updatedAt": "2026-01-02T03:04:05Z", "born": "2026-01-02", "note": None},
                {"customerId": 8, "name": "Wół", "price": 2, "address": None, "tags": [],
                 "updatedAt": "2026-01-03T03:04:05Z", "born": "2026-01-02", "note": None, "late": True},
            ]
        },
        "meta": {"total": 2, "next_cursor": None},
    }  # fmt: skip
    body = json.dumps(answer).encode()
    (tmp_path / "customers.json").write_bytes(body)
    with serving() as web:
        web.answer = lambda _: Say(body=body)
        address = f"{web.url}/api/v1/customers?limit=2&api_key=s3cret"
        system, text = drafted("json", address), drafted_text("json", address)
        stream = system.streams["customers"]
        trial = try_stream(system, "customers", Endpoint(web.url))
    assert "s3cret" not in text
    assert (stream.request.path, stream.request.params) == ("/api/v1/customers", {"limit": "2"})
    assert (stream.records, stream.primary_key, stream.cursor.fields) == (
        "data.customers",
        ["customerId"],
        ["updatedAt"],
    )
    assert (stream.next.kind, stream.next.path, stream.next.parameter) == ("token", "meta.next_cursor", "cursor")
    assert {name: (field.type, field.required) for name, field in stream.fields.items()} == {
        "customerId": ("integer", True), "name": ("text", True), "price": ("numeric", True),
        "address_city": ("text", False), "address_geo_lat": ("numeric", False), "tags": ("json", True),
        "updatedAt": ("timestamp", True), "born": ("date", True), "note": ("text", True), "late": ("boolean", False),
    }  # fmt: skip
    assert (trial.failed, trial.problems, trial.records, trial.cursor) == (None, (), 2, "ascending")
    assert drafted("json", tmp_path / "customers.json").streams["customers"].request.path == "/customers"
    assert "# check: the path of the listing" in drafted_text("json", tmp_path / "customers.json")


def test_records_that_stand_by_their_ids_are_drafted_with_the_id_as_key_and_load(tmp_path: Path) -> None:
    body = {"data": {"PLN": {"rate": 1.0, "name": "Zloty"}, "EUR": {"rate": 4.25, "name": "Euro"}}}
    schema = {
        "type": "object",
        "properties": {
            "data": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "required": ["rate", "name"],
                    "properties": {"rate": {"type": "number"}, "name": {"type": "string"}},
                },
            }
        },
    }
    answer = {"200": {"content": {"application/json": {"schema": schema}}}}
    described = {"openapi": "3.0.0", "paths": {"/rates": {"get": {"responses": answer}}}}
    (tmp_path / "rates.json").write_text(json.dumps(body))
    (tmp_path / "api.json").write_text(json.dumps(described))
    with serving() as web:
        web.answer = lambda _: Say(body=json.dumps(body).encode())
        for kind, file in (("json", "rates.json"), ("openapi", "api.json")):
            system = drafted(kind, tmp_path / file)
            stream = system.streams["rates"]
            assert (stream.records, stream.answer.keyed, stream.primary_key) == ("data", "id", ["id"])
            trial = try_stream(system, "rates", Endpoint(web.url))
            assert (trial.failed, trial.problems, trial.records, trial.keyless) == (None, (), 2, 0)


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("csv", "a;;c\n1;2;3\n", "is no header"),
        ("csv", "\0\1", "is no text"),
        ("xlsx", "no workbook", "it is no workbook"),
        ("json", '{"ok": true}', "has no list of objects"),
        ("json", "<html>", "is no JSON"),
    ],
)
def test_a_file_that_cannot_be_drafted_is_refused_with_what_to_do(
    kind: str, content: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / f"given.{kind}").write_text(content)
    with pytest.raises(Fatal, match=said):
        drafted(kind, tmp_path / f"given.{kind}")


def test_an_answer_of_one_record_a_line_is_drafted_and_marked(tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_text('{"id": 1, "kind": "a\u2028b"}\n{"id": 2, "kind": "b"}\n')
    stream = drafted("json", tmp_path / "events.ndjson").streams["events"]
    assert (stream.primary_key, stream.records) == (["id"], "")
    assert "NDJSON" in drafted_text("json", tmp_path / "events.ndjson")
