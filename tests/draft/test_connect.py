"""`bin/onefold check --connect`: one page of each stream is asked for, and no value of it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from onefold.catalog.reader import read_systems
from onefold.commands.check import check
from onefold.draft.trial import try_stream
from onefold.draft.trial_text import trial_text
from onefold.http.endpoint import Endpoint
from tests.http.web_server import Asked, Say, WebServer, serving

SYSTEM = """\
system: shop
title: Shop
protocol: rest
connection: shop
schedule: "5 * * * *"
limits: {rate: [1000/s], timeout: PT2S}
streams:
  good:
    title: Good
    request: {path: /good, params: {since: "{start}"}}
    records: items
    next: {kind: number, parameter: page, first: 1}
    primary_key: [id]
    cursor: {fields: [changed]}
    fields: {id: integer, name: {personal: identity}, changed: timestamp, city: {path: address.city, required: false}}
  bad: # check: it is a guess
    title: Bad
    request: {path: /bad}
    primary_key: [id]
    cursor: {fields: [changed]}
    fields: {id: integer, price: numeric, changed: timestamp, gone: text}
  part:
    title: Part
    request: {path: /part}
    records: items
    primary_key: [id]
    fields: {id: integer}
  down:
    title: Down
    request: {path: /down}
    primary_key: [id]
    fields: {id: integer}
"""
GOOD = [
    {"id": 1, "name": "Kowalska", "changed": "2026-01-01T00:00:00Z", "address": {"city": "Łódź"}, "vip": True},
    {"id": 2, "name": "Nowak", "changed": "2026-01-02T00:00:00Z", "address": None, "jan@example.com": 1},
]
BAD = [
    {"id": 1, "price": "dear", "changed": "2026-01-02T00:00:00Z"},
    {"id": 1, "price": 2, "changed": "2026-01-01T00:00:00Z"},
    {"id": None, "price": 3, "changed": None},
]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, WebServer]]:
    (tmp_path / "catalog/systems").mkdir(parents=True)
    (tmp_path / "catalog/entities").mkdir()
    (tmp_path / "catalog/systems/shop.yaml").write_text(SYSTEM)
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))

    def answer(asked: Asked) -> Say:
        bodies = {
            "/good": {"items": GOOD, "total": 40}, "/bad": BAD, "/part": {"items": [{"id": 1}], "total": 7},
        }  # fmt: skip
        return Say(body=json.dumps(bodies[asked.path]).encode()) if asked.path in bodies else Say(status=403)

    with serving() as web:
        web.answer = answer
        connection = {"conn_type": "http", "host": web.url, "password": "s3cret"}
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps(connection))
        yield tmp_path, web


def connected(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(check, ["--root", str(root), "--connect", *arguments])


def test_a_page_shows_fields_types_keys_order_next_page_and_cost_and_no_value(shop: tuple[Path, WebServer]) -> None:
    root, web = shop
    done = connected(root, "shop.good")
    assert done.exit_code == 0, done.output
    lines = [" ".join(line.split()) for line in done.output.splitlines()]
    assert lines[0].startswith("shop.good: 2 records, 1 request, ")
    assert lines[0].endswith("next page: page=2")
    for line in (
        "id integer integer 2",
        "name text text 2",
        "changed timestamp timestamp 2",
        "city text text 1, absent 1",
        "keys: 2 different; cursor: ascending",
        "1 of 1 streams would load; 0 have problems, 0 cannot be read.",
    ):
        assert line in lines
    assert "not declared, as they could be under fields: vip: {type: boolean, required: false}" in done.output
    assert len(web.asked) == 1
    for value in ("Kowalska", "Nowak", "Łódź", "jan@example.com", "s3cret"):
        assert value not in done.output


def test_what_the_gate_would_refuse_is_named_and_a_stream_that_fails_stops_only_itself(
    shop: tuple[Path, WebServer],
) -> None:
    root, web = shop
    done = connected(root, "shop", "--json")
    assert done.exit_code == 1
    trials = {each["stream"].removeprefix("shop."): each for each in json.loads(done.output)}
    assert {name: each["passed"] for name, each in trials.items()} == {
        "good": True, "bad": False, "part": False, "down": False,
    }  # fmt: skip
    assert trials["bad"]["problems"] == [
        "price cannot be read as numeric in 1 of the records",
        "gone is required and absent in 3 of the records",
        "1 records lack the primary key (id)",
        "1 records have a key that another of the page has",
        "1 records lack the cursor (changed)",
    ]
    assert trials["bad"]["cursor_order"] == "descending"
    assert sorted(asked.path for asked in web.asked) == ["/bad", "/down", "/good", "/part", "/part"]
    (part,) = trials["part"]["problems"]
    assert "its total is 7, and 1 were read" in part
    assert trials["part"]["fields"][0]["seen"] == {"integer": 1}
    assert "status 403" in trials["down"]["failed"]
    assert "dear" not in done.output


def test_a_few_odd_records_of_many_are_noted_and_do_not_fail_the_stream(shop: tuple[Path, WebServer]) -> None:
    root, web = shop
    rows = [{**GOOD[0], "id": number, "name": str(number)} for number in range(100)]
    rows[7] |= {"changed": "yesterday", "name": 7}
    web.answer = lambda _: Say(body=json.dumps({"items": rows, "total": 500}).encode())
    done = connected(root, "shop.good", "--since", "2026-01-01T00:00:00Z")
    assert done.exit_code == 0, done.output
    for text in ("name cannot be read as text in 1 of the records", "changed cannot be read as timestamp in 1"):
        assert f"single records, which would wait in quarantine: {text}" in done.output
    assert web.asked[0].params["since"] == "2026-01-01T00:00:00Z"
    assert "yesterday" not in done.output


def test_a_look_up_is_not_tried_and_an_empty_page_says_that_nothing_is_known(shop: tuple[Path, WebServer]) -> None:
    root, web = shop
    web.answer = lambda _: Say(body=b'{"items": [], "total": 0}')
    done = connected(root, "shop.good")
    assert (done.exit_code, "nothing is known of its fields" in done.output) == (0, True)
    krs = read_systems()["krs"]
    trial = try_stream(krs, next(iter(krs.streams)), Endpoint(web.url))
    assert (trial.passed, trial.requests, trial_text(trial)) == (True, 0, f"krs.extract: not tried: {trial.skipped}")


def test_a_system_without_a_connection_says_so_for_each_of_its_streams(
    shop: tuple[Path, WebServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, web = shop
    monkeypatch.delenv("AIRFLOW_CONN_SHOP")
    done = connected(root)
    assert done.exit_code == 1
    assert done.output.count("There is no Airflow connection 'shop'") == 4
    assert web.asked == []
