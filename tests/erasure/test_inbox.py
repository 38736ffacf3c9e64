"""The inbox has events as their senders wrote them; of the person an erasure leaves nothing to be loaded again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from onefold.catalog.data_protection import check_data_protection
from onefold.catalog.deletes import Deletes
from onefold.catalog.paging import NextPage
from onefold.catalog.reader import Catalog
from onefold.catalog.request import Request
from onefold.catalog.webhook import Webhook
from onefold.connectors.inbox import Inbox, Posted
from onefold.connectors.record import Record
from onefold.http.endpoint import Endpoint
from onefold.load import steps
from onefold.load.extraction import confirmation, from_system
from onefold.load.ledger import Load, Run
from onefold.privacy.values import email
from onefold.subject_report.make import make_subject_report
from onefold.warehouse.connection import connect
from tests.erasure.office import EMAIL, NAME, OTHER, PESEL, TRACES, Office, adam, employee, event, traces, zofia

ENVELOPE = {"records": "data.object"}


class Posts:
    """HR posts its employees to an office, as webhooks or in Debezium's envelope."""

    def __init__(self, office: Office, **stream: object) -> None:
        self.office = office
        hr = office.catalog.systems["hr"]
        posted = {
            "request": Request(),
            "webhook": Webhook(signature="stripe"),
            "next": NextPage(),
            "deletes": Deletes(),
        }
        employees = hr.streams["employee"].model_copy(update={**posted, **ENVELOPE, **stream})
        self.hr = hr.model_copy(update={"protocol": "webhook", "streams": {**hr.streams, "employee": employees}})
        office.catalog = Catalog({**office.catalog.systems, "hr": self.hr}, office.catalog.entities)

    def store(self, event_id: str, body: object, **headers: str) -> int:
        """How many are new of one event."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        with Inbox() as inbox:
            return inbox.store("hr", "employee", [Posted(event_id, headers, raw)])

    def post(self, event_id: str, record: Record, **around: object) -> int:
        """The same of an event with one record."""
        return self.store(event_id, {"type": "changed", "data": {"object": json.loads(record.payload), **around}})

    def load(self, **more: object) -> Load:
        endpoint, url = Endpoint("https://hr.example"), self.office.url
        shop = replace(self.office.stream("hr", "employee"), system=self.hr)
        return steps.run(
            replace(
                shop.job([]),
                run=Run("sync__hr", self.office.run().run_id, "os:tester"),
                source=from_system(self.hr, endpoint, url, {"hr": self.hr}, {}),
                confirm=confirmation(self.hr, endpoint, url),
                **more,
            )
        )

    def bodies(self) -> list[str]:
        return [
            text for (text,) in self.office.query("select inbox.body_text(body) from inbox.event order by sequence")
        ]

    def named(self, *needles: str) -> list[str]:
        """Those of the needles, be it one of Zofia's, that stand in an event."""
        found = "\n".join(
            f"{text} {json.dumps(json.loads(text), ensure_ascii=False) if text.startswith('{') else ''}" + row
            for text, row in self.office.query(
                "select inbox.body_text(body), event_id || headers::text from inbox.event"
            )
        )
        return [each for each in needles or TRACES if each.lower() in found.lower()]

    def departments(self) -> list[tuple]:
        return self.office.query(
            "select _key, _payload ->> 'department', _payload ->> 'firstName'"
            " from staging.hr__employee__current order by 1"
        )


@pytest.fixture
def posts(office: Office, monkeypatch: pytest.MonkeyPatch) -> Posts:
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", office.url)
    return Posts(office)


def test_what_was_read_loads_anew_without_the_person_and_is_known_when_it_is_sent_again(
    posts: Posts, warehouse_url: str
) -> None:
    posts.post("evt_1", zofia(hireDate="2020-01-01"), previous_attributes={"mobilePhone": "+48 600 999 888"})
    posts.post("evt_2", adam())
    posts.load()
    plan = posts.office.erase()
    assert plan.tables["inbox.event"].own_rows == 1
    assert {"workEmail", "customPESEL", "firstName"} <= set(plan.tables["inbox.event"].fields)
    assert posts.named() == []
    assert posts.named("600 999 888", "Nowy") == ["Nowy"]
    assert posts.post("evt_1", zofia()) == 0
    posts.load(anew=True)
    assert traces(warehouse_url) == []
    assert posts.departments() == [("7", "Sales", None), ("8", "Sales", "Adam")]


def test_what_no_load_has_read_yet_is_found_by_an_identifier_in_it_and_its_key_is_the_persons(
    posts: Posts, warehouse_url: str
) -> None:
    posts.post("evt_1", zofia())
    plan = posts.office.erase()
    assert plan.records == ("hr.employee 7",)
    assert posts.named() == []
    posts.post("evt_2", employee("7", *NAME, "z.private@home.example", 1, customPESEL=None, department="Board"))
    posts.load()
    assert traces(warehouse_url, (*TRACES, "z.private@home.example")) == []
    assert posts.named("z.private@home.example", *TRACES) == []
    assert posts.departments() == [("7", "Board", None)]


def test_an_identifier_that_only_the_inbox_has_is_followed_to_others_rows(posts: Posts, warehouse_url: str) -> None:
    posts.office.load(
        "microsoft365.calendar_event",
        event("1", 1, subject=f"Contract of {PESEL}", guests=[], by=("Adam Nowy", OTHER)),
    )
    posts.post("evt_1", zofia())
    posts.office.erase(email(EMAIL))
    assert traces(warehouse_url, (PESEL,)) == []


def test_anothers_event_loses_the_persons_values_and_nothing_else(posts: Posts, warehouse_url: str) -> None:
    posts.office.load("hr.employee", zofia(), adam())
    text = (
        b'{"data": {"object": {"employeeId": "8", "workEmail": "adam.nowy@firma.example", "firstName": "Adam",'
        b' "department": "Sales, ask Zofia.Brzezinska@firma.example", "division": 12345678901234567890.10}}}'
    )
    posts.store("evt_1", text)
    posts.office.erase()
    (body,) = posts.bodies()
    assert '"division": 12345678901234567890.10' in body
    assert json.loads(body)["data"]["object"]["department"] == "Sales, ask [erased]"
    posts.load()
    assert posts.departments()[1] == ("8", "Sales, ask [erased]", "Adam")
    assert traces(warehouse_url) == []


def test_an_event_that_is_no_json_is_emptied_whole_and_so_is_an_id_that_names_the_person(
    posts: Posts, warehouse_url: str
) -> None:
    posts.post("evt_0", zofia())
    no_json = (f"<to>{EMAIL}</to>", f"{EMAIL} \xb3", f'{{"a": "{EMAIL}', f'"{EMAIL}"')
    bodies = [each.encode("latin-1") for each in no_json]
    for number, body in enumerate(bodies, 1):
        posts.store(f"evt_{number}", body)
    posts.store("evt_5", b"\x00\xff no person")
    posts.store(f"id:{EMAIL}", {"data": {"object": {"employeeId": "8"}}}, x_user=EMAIL)
    posts.load()
    posts.office.erase()
    assert traces(warehouse_url) == [], "nor in quarantine, where they wait by now"
    assert posts.named() == []
    assert posts.bodies()[1:6] == ["[erased]"] * 4 + ["\\000\\377 no person"]
    assert posts.office.query("select count(*) from inbox.event where event_id ~ '^erased:[0-9a-f]{32}$'") == [(1,)]
    assert [posts.store(f"evt_{number}", body) for number, body in enumerate(bodies, 1)] == [0] * 4
    posts.load(anew=True)
    assert traces(warehouse_url) == []


def test_what_is_posted_after_the_erasure_loses_the_person_with_the_load_that_reads_it(
    posts: Posts, warehouse_url: str
) -> None:
    posts.post("evt_1", zofia())
    posts.load()
    posts.office.erase()
    posts.post("evt_2", zofia(department="Board"))
    posts.post("evt_3", employee("99", *NAME, EMAIL, 0))
    posts.post("evt_4", adam(department=f"ask {EMAIL}"))
    posts.store("evt_5", EMAIL.encode())
    posts.load()
    assert posts.named() == []
    assert traces(warehouse_url) == []
    assert posts.departments() == [("7", "Board", None), ("8", "ask [erased]", "Adam"), ("99", "Sales", None)]


def test_every_change_of_the_person_is_erased_and_not_only_the_newest(
    office: Office, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", office.url)
    posts = Posts(office, versions="every_change")
    posts.post("evt_1", employee("7", "Zofia", "Panna", EMAIL, 0, customPESEL=PESEL))
    posts.post("evt_2", zofia(department="Board"))
    posts.post("evt_3", adam())
    posts.load()
    changes = (
        "select _payload ->> 'department', _payload ->> 'lastName' from staging.hr__employee__changes"
        " where _key = '7' order by _number"
    )
    assert office.query(changes) == [("Sales", "Panna"), ("Board", "Brzezińska")]
    office.erase()
    assert traces(warehouse_url, (*TRACES, "Panna")) == []
    assert posts.named("Panna", *TRACES) == []
    assert office.query(changes) == [("Sales", None), ("Board", None)]


def test_an_envelope_loses_the_row_before_and_after_and_keeps_its_order(
    office: Office, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", office.url)
    posts = Posts(office, request=Request(envelope="debezium"), records="")
    source = {"connector": "postgresql", "lsn": 17, "txId": 3, "sequence": '["16","17"]', "db": "hr", "ts_ms": 1}
    before, after = (json.loads(zofia(department=name).payload) for name in ("Sales", "Board"))
    posts.store("evt_1", {"before": before, "after": after, "op": "u", "source": source})
    posts.office.erase()
    assert posts.named() == []
    (body,) = map(json.loads, posts.bodies())
    assert (body["source"], body["op"], body["before"]["department"]) == (source, "u", "Sales")
    posts.load()
    assert posts.departments() == [("7", "Board", None)]


def test_the_subject_report_tells_what_waits_in_the_inbox(posts: Posts) -> None:
    posts.post("evt_1", zofia(emergency="Adam Nowy, adam.nowy@firma.example"))
    posts.post("evt_2", adam(department=f"ask {EMAIL}"))
    said = check_data_protection(posts.office.catalog)
    with connect(posts.office.url, autocommit=True) as connection:
        report = make_subject_report(connection, posts.office.catalog, said, [email(EMAIL)], "os:tester")
    (received,) = report.received
    assert (received.stream, received.values["customPESEL"], received.values["lastName"]) == (
        "hr.employee",
        PESEL,
        "Brzezińska",
    )
    assert received.values["emergency"] == "Adam Nowy, [of somebody else]"
    assert [(each.where, each.rows, each.fields) for each in report.mentions] == [("hr.employee", 1, ["department"])]
