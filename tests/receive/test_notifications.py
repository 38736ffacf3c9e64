"""Senders that sign nothing: Salesforce's Outbound Messages and Microsoft Graph's notifications."""

from __future__ import annotations

import json
from html import escape

import psycopg
import pytest
from starlette.testclient import TestClient

from onefold.catalog.webhook import Webhook
from onefold.receive.hooks import Hook
from onefold.receive.inbox import Inbox, InboxEvent, StorageDown
from onefold.receive.service import application
from onefold.receive.signatures import signing_keys
from tests.receive.signers import NOW
from tests.roles import as_role

ORGANIZATION = "00D24000000aBcDEAU"
STATE = "clientState of tests"
OUTBOUND = Webhook(signature="salesforce_outbound")
GRAPH = Webhook(signature="microsoft_graph")
SESSION = "00D24!session-of-tests"


def service(url: str, certificates: tuple[bytes, ...] = ()) -> TestClient:
    header = {"certificate_header": "X-Client-Fingerprint"} if certificates else {}
    outbound = Webhook(signature="salesforce_outbound", **header)
    hooks = {
        ("s", "outbound"): Hook(outbound, tuple(signing_keys(OUTBOUND, [ORGANIZATION[:15]])), certificates),
        ("s", "graph"): Hook(GRAPH, tuple(signing_keys(GRAPH, ["rolled", STATE.replace(" ", "_")]))),
    }
    return TestClient(application(lambda: hooks, as_role(url, "onefold_receiver"), lambda: NOW))


def message(*contacts: tuple[str, str], organization: str = ORGANIZATION, before: str = "") -> bytes:
    """An Outbound Message as Salesforce sends it, with notifications of contacts by their ids and last names."""
    notifications = "".join(
        f'<Notification><Id>{notification}</Id><sObject xsi:type="sf:Contact"'
        f' xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>003{notification}</sf:Id>'
        f'<sf:LastName>{escape(name)}</sf:LastName><sf:Email xsi:nil="true"/></sObject></Notification>'
        for notification, name in contacts
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
        f"<OrganizationId>{organization}</OrganizationId><ActionId>04k24000000k9WyAAI</ActionId>"
        f"<SessionId>{SESSION}</SessionId><EnterpriseUrl>https://e.example/c/62.0</EnterpriseUrl>"
        f"<PartnerUrl>https://e.example/u/62.0</PartnerUrl>{notifications}</notifications></soapenv:Body>"
        "</soapenv:Envelope>"
    ).encode()


def notice(record: str, state: str = STATE.replace(" ", "_"), **more: object) -> dict[str, object]:
    return {"subscriptionId": "7f105c7d", "clientState": state, "resource": f"Users/{record}", **more}


def graph(*notices: dict[str, object]) -> bytes:
    return json.dumps({"value": notices}).encode()


def stored(url: str) -> list[tuple[str, dict[str, object]]]:
    with psycopg.connect(url) as connection:
        found = connection.execute("select event_id, body from inbox.event order by sequence").fetchall()
    return [(event_id, json.loads(body)) for event_id, body in found]


def test_each_notification_of_an_outbound_message_is_stored_once_as_json_and_without_the_session(
    warehouse_url: str,
) -> None:
    first = message(("04l1", "Łoś & <Co>"), ("04l2", "Nowak"))
    with service(warehouse_url) as client:
        answers = [client.post("/hooks/s/outbound", content=body) for body in (first, first, message(("04l3", "Kos")))]
    assert [each.status_code for each in answers] == [200] * 3
    assert all("<Ack>true</Ack>" in each.text and "xml" in each.headers["content-type"] for each in answers)
    found = stored(warehouse_url)
    assert [event_id for event_id, _ in found] == ["04l1", "04l2", "04l3"]
    assert found[0][1] == {
        "ActionId": "04k24000000k9WyAAI",
        "Id": "04l1",
        "OrganizationId": ORGANIZATION,
        "sObject": {"Id": "00304l1", "LastName": "Łoś & <Co>", "Email": None},
    }
    assert SESSION not in str(found)


def test_a_hundred_notifications_are_acknowledged_only_when_all_are_durable(
    warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = message(*((f"04l{number:03d}", "n") for number in range(100)))
    store = Inbox.store

    async def all_but_the_last(inbox: Inbox, event: InboxEvent) -> None:
        if event.event_id == "04l099":
            raise StorageDown
        await store(inbox, event)

    with service(warehouse_url) as client:
        with monkeypatch.context() as broken:
            broken.setattr(Inbox, "store", all_but_the_last)
            refused = client.post("/hooks/s/outbound", content=body)
        assert (refused.status_code, "Ack" in refused.text) == (503, False)
        assert client.post("/hooks/s/outbound", content=body).status_code == 200
    assert sorted(event_id for event_id, _ in stored(warehouse_url)) == [f"04l{number:03d}" for number in range(100)]


@pytest.mark.parametrize(
    "body",
    [
        message(("04l1", "n"), organization="00D24000000aBcEEAU"),
        message(("04l1", "n"), organization=""),
        message(("04l1", "n"), before='<!DOCTYPE a [<!ENTITY x "y">]>'),
        message(),
        message(("04l1", "n"))[:-20],
        b"no XML",
    ],
    ids=["another organisation", "none", "a DTD", "no notification", "cut off", "no XML"],
)
def test_a_message_of_nobody_that_is_known_is_refused(warehouse_url: str, body: bytes) -> None:
    with service(warehouse_url) as client:
        answer = client.post("/hooks/s/outbound", content=body)
    assert (answer.status_code, "Ack" in answer.text) == (401, False)
    assert stored(warehouse_url) == []


def test_a_client_certificate_that_the_proxy_names_is_demanded_where_the_yaml_says_so(warehouse_url: str) -> None:
    body = message(("04l1", "n"))
    with service(warehouse_url, (b"AB:CD",)) as client:
        for headers, status in (({}, 401), ({"X-Client-Fingerprint": "AB:CE"}, 401), ({}, 401)):
            assert client.post("/hooks/s/outbound", content=body, headers=headers).status_code == status
        assert client.post("/hooks/s/outbound", content=body, headers={"X-Client-Fingerprint": "AB:CD"}).is_success
    assert len(stored(warehouse_url)) == 1


def test_graphs_validation_token_is_echoed_as_plain_text(warehouse_url: str) -> None:
    token = "Validation: <script>alert('x')</script> & more"
    with service(warehouse_url) as client:
        answer = client.post("/hooks/s/graph", params={"validationToken": token})
        other = client.post("/hooks/s/outbound", params={"validationToken": token})
    assert (answer.status_code, answer.text) == (200, token)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert other.status_code == 401
    assert stored(warehouse_url) == []


def test_graphs_notifications_are_events_of_their_own_without_the_client_state(warehouse_url: str) -> None:
    changed = notice("1", id="lsgTZMr9KwAAA", changeType="updated", resourceData={"id": "1"})
    lifecycle = notice("1", id="mno", lifecycleEvent="reauthorizationRequired")
    with service(warehouse_url) as client:
        assert client.post("/hooks/s/graph", content=graph(changed, lifecycle)).status_code == 200
        assert client.post("/hooks/s/graph", content=graph(changed)).status_code == 200, "sent again"
        assert client.post("/hooks/s/graph", content=graph(notice("2"))).status_code == 200
        assert client.post("/hooks/s/graph", content=graph(notice("2"))).status_code == 200, "another change"
    found = stored(warehouse_url)
    assert [event_id for event_id, _ in found[:2]] == ["lsgTZMr9KwAAA", "mno"]
    assert [body["resource"] for _, body in found] == ["Users/1", "Users/1", "Users/2", "Users/2"]
    assert found[1][1]["lifecycleEvent"] == "reauthorizationRequired"
    assert "clientState" not in str(found)


@pytest.mark.parametrize(
    "body",
    [
        graph(notice("1", "guessed")),
        graph({"resource": "Users/1"}),
        graph(notice("1", STATE.replace(" ", "_")[:-1])),
        graph(),
        b'{"value": {}}',
        b"no JSON",
    ],
)
def test_a_notification_with_another_client_state_is_refused(warehouse_url: str, body: bytes) -> None:
    with service(warehouse_url) as client:
        assert client.post("/hooks/s/graph", content=body).status_code == 401
    assert stored(warehouse_url) == []


def test_a_notification_beside_one_of_an_unknown_subscription_is_stored_and_the_other_is_sent_again(
    warehouse_url: str,
) -> None:
    with service(warehouse_url) as client:
        mixed = graph(notice("1", id="a"), notice("2", "guessed", id="b"), notice("3", "rolled", id="c"))
        assert client.post("/hooks/s/graph", content=mixed).status_code == 401
    assert [event_id for event_id, _ in stored(warehouse_url)] == ["a", "c"]
