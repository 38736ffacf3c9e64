"""Salesforce's rows and CSV lines: the same record from both, and what is refused."""

from __future__ import annotations

import json

import pytest

from onefold.catalog.reader import read_systems
from onefold.http.attempt import BadBody, Response
from onefold.systems.salesforce.connector import Payload
from onefold.systems.salesforce.job import rows, unordered


def test_what_only_the_wire_tells_apart_is_written_alike() -> None:
    payload = Payload(read_systems()["salesforce"].streams["account"])
    answer = {
        "attributes": {"type": "Account", "url": "/services/data/v60.0/sobjects/Account/001"},
        "SystemModstamp": "2026-03-01T10:11:12.000+0000",
        "Id": "001",
        "Name": "Żubr\r\nS.A.",
        "CreditLimit__c": 16147805824397.0,
        "IsDeleted": False,
        "NIP__c": None,
        "REGON__c": None,
        "Zip__c": "00-001",
    }
    line = {
        "Id": "001",
        "Name": "Żubr\nS.A.",
        "CreditLimit__c": "1.6147805824397E13",
        "IsDeleted": "false",
        "NIP__c": "",
        "REGON__c": "",
        "SystemModstamp": "2026-03-01T10:11:12.000Z",
        "Zip__c": "00-001",
    }
    written = payload.of_text(line)
    assert payload.of_json(json.dumps(answer).encode()) == written
    without = {name: value for name, value in answer.items() if name != "NIP__c"}
    assert payload.of_json(json.dumps(without).encode()) == written, "an optional field may be null or absent"
    assert json.loads(written) == {
        "Id": "001",
        "Name": "Żubr\nS.A.",
        "IsDeleted": False,
        "REGON__c": None,
        "CreditLimit__c": 16147805824397,
        "SystemModstamp": "2026-03-01T10:11:12.000Z",
        "Zip__c": "00-001",
    }


def test_what_is_not_of_its_type_stays_as_it_came_for_the_gate_to_see() -> None:
    payload = Payload(read_systems()["salesforce"].streams["account"])
    assert json.loads(payload.of_json(b'{"Id":"1","Name":12,"CreditLimit__c":{"value":3}}')) == {
        "Id": "1",
        "Name": 12,
        "CreditLimit__c": {"value": 3},
    }
    assert json.loads(payload.of_text({"Id": "1", "CreditLimit__c": "do uzgodnienia", "IsDeleted": "tak"})) == {
        "Id": "1",
        "CreditLimit__c": "do uzgodnienia",
        "IsDeleted": "tak",
    }


def test_a_parents_field_is_in_the_parent_and_a_missing_parent_is_nothing() -> None:
    payload = Payload(read_systems()["salesforce"].streams["order_item"])
    held = payload.of_json(b'{"Id":"1","Order":{"attributes":{"type":"Order"},"OrderNumber":"00000100"}}')
    assert payload.of_text({"Id": "1", "Order.OrderNumber": "00000100"}) == held
    assert json.loads(held)["Order"] == {"OrderNumber": "00000100"}
    lost = payload.of_json(b'{"Id":"1","Order":null,"Product2":null}')
    nothing = {"Id": "1", "Order.OrderNumber": "", "Order.PoNumber": "", "Product2.StockKeepingUnit": ""}
    assert payload.of_text(nothing) == lost


def test_the_query_of_a_job_has_no_order() -> None:
    soql = read_systems()["salesforce"].streams["order"].request.params["q"]
    assert unordered(soql).endswith("SystemModstamp < {end}")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html></html>", "a web page"),
        (b'[{"errorCode":"X"}]', "JSON"),
        (b'"Id","Name"\n"1"\n', "does not fit"),
        (b'"Id","Name"\n"1","cut', "cut off"),
        (b'"Id"\n"\xff"\n', "UTF-8"),
    ],
)
def test_what_is_no_whole_csv_is_not_taken_for_records(body: bytes, said: str) -> None:
    with pytest.raises(BadBody, match=said):
        list(rows(Response(200, {}, body)))


def test_csv_may_have_a_byte_order_mark_line_ends_in_values_and_no_lines_at_all() -> None:
    body = b'\xef\xbb\xbf"Id","Name"\n"1","a\r\nb"\n'
    assert list(rows(Response(200, {}, body))) == [{"Id": "1", "Name": "a\r\nb"}]
    assert list(rows(Response(200, {}, b""))) == []
