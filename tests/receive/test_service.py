"""What the service answers, and that it answers 2xx only for what is stored."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from starlette.testclient import TestClient

from onefold.catalog.webhook import Webhook
from onefold.receive.hooks import Hook
from onefold.receive.service import application
from onefold.receive.signatures import signing_keys
from tests.receive.signers import NOW, SENDERS, event
from tests.roles import as_role

SMALL = Webhook(signature="github", max_bytes=100)


def client(url: str) -> TestClient:
    hooks = {
        ("s", name): Hook(each.webhook, tuple(signing_keys(each.webhook, [each.secret])))
        for name, each in SENDERS.items()
    }
    hooks["s", "small"] = Hook(SMALL, (b"secret",))
    return TestClient(application(lambda: hooks, as_role(url, "onefold_receiver"), lambda: NOW))


def stored(url: str) -> list[tuple]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "select stream, event_id, body, headers from inbox.event order by sequence"
        ).fetchall()


@pytest.mark.parametrize("name", SENDERS)
def test_an_event_that_is_delivered_again_is_stored_once_as_it_was_sent(warehouse_url: str, name: str) -> None:
    sender, body = SENDERS[name], event(1, event_id="Ev01")
    headers = sender.sign(sender.secret, body, NOW)
    with client(warehouse_url) as service:
        again = [service.post(f"/hooks/s/{name}", content=body, headers=headers).status_code for _ in range(3)]
    assert again == [200, 200, 200]
    ((stream, event_id, found, kept),) = stored(warehouse_url)
    assert (stream, found) == (name, body)
    assert not event_id.startswith("sha256:")
    for text in (sender.secret, *(value for each, value in headers.items() if "signature" in each or "hmac" in each)):
        assert text not in str(kept)


def test_what_is_refused_is_not_stored_and_told_no_secret(warehouse_url: str) -> None:
    sender, body = SENDERS["github"], event(1)
    headers = sender.sign(sender.secret, body, NOW)
    large = b"x" * 101
    with client(warehouse_url) as service:
        answers = [
            service.post("/hooks/s/github", content=body + b" ", headers=headers),
            service.post("/hooks/s/github", content=body),
            service.post("/hooks/s/small", content=large, headers=sender.sign("secret", large, NOW)),
            service.post("/hooks/s/small", content=iter([large]), headers=sender.sign("secret", large, NOW)),
            service.post("/hooks/s/unknown", content=body, headers=headers),
            service.get("/hooks/s/github"),
        ]
        health = service.get("/health")
    assert [each.status_code for each in answers] == [401, 401, 413, 413, 404, 405]
    assert stored(warehouse_url) == []
    told = "".join(each.text for each in answers) + health.text
    assert sender.secret not in told
    assert headers["x-hub-signature-256"] not in told
    assert health.status_code == 200


def test_slacks_question_for_the_address_is_echoed_when_it_is_signed(warehouse_url: str) -> None:
    sender, body = SENDERS["slack"], b'{"type": "url_verification", "token": "t", "challenge": "abc"}'
    with client(warehouse_url) as service:
        answer = service.post("/hooks/s/slack", content=body, headers=sender.sign(sender.secret, body, NOW))
        assert (answer.status_code, answer.json()) == (200, {"challenge": "abc"})
        assert service.post("/hooks/s/slack", content=body).status_code == 401
    assert stored(warehouse_url) == []


def test_while_the_warehouse_is_down_the_sender_is_told_to_come_again_and_then_it_is_stored(
    warehouse_url: str,
) -> None:
    sender, body = SENDERS["stripe"], event(1)
    name = warehouse_url.rpartition("/")[2]
    with client(warehouse_url) as service, psycopg.connect(warehouse_url, autocommit=True, dbname="postgres") as server:

        def post() -> int:
            answer = service.post("/hooks/s/stripe", content=body, headers=sender.sign(sender.secret, body, NOW))
            assert answer.status_code == 200 or answer.headers["retry-after"] == "5"
            return answer.status_code

        assert post() == 200
        server.execute(f"alter database {name} allow_connections false")
        server.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", (name,))
        assert (post(), service.get("/health").status_code) == (503, 503)
        server.execute(f"alter database {name} allow_connections true")
        assert (post(), service.get("/health").status_code) == (200, 200)
    assert len(stored(warehouse_url)) == 1


def test_the_receiver_may_add_to_the_inbox_and_nothing_else(warehouse_url: str) -> None:
    with psycopg.connect(as_role(warehouse_url, "onefold_receiver"), autocommit=True) as receiver:
        for attempt in (
            "select * from inbox.event",
            "insert into inbox.event (system, stream, event_id, headers, body) values ('s', 't', 'i', '{}', '')",
            "delete from inbox.event",
            "select * from ops.load",
            "select pg_advisory_lock(1)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                receiver.execute(attempt)
        store = "select inbox.store(array['s'], array['t'], array['i'], array['{}'::jsonb], array['b'::bytea])"
        assert receiver.execute(store).fetchall() == [(1,)]
    engineer = psycopg.connect(as_role(warehouse_url, "onefold_engineer"))
    with engineer, pytest.raises(psycopg.errors.InsufficientPrivilege):
        engineer.execute("select body from inbox.event")


def test_writers_take_turns_so_that_no_event_appears_below_one_that_was_read(warehouse_url: str) -> None:
    """Two writers at once: whoever has the lower numbers has committed before the higher ones are given out."""
    store = "select inbox.store(array['s'], array['t'], array[%s::text], array['{}'::jsonb], array['b'::bytea])"
    with psycopg.connect(as_role(warehouse_url, "onefold_receiver")) as slow, ThreadPoolExecutor(1) as other:
        slow.execute(store, ("slow",))
        began = threading.Event()

        def write() -> None:
            with psycopg.connect(as_role(warehouse_url, "onefold_receiver")) as fast:
                began.set()
                fast.execute(store, ("fast",))

        done = other.submit(write)
        began.wait()
        with psycopg.connect(warehouse_url, autocommit=True) as owner:
            waits = "select count(*) from pg_locks where locktype = 'advisory' and not granted and database ="
            waits += " (select oid from pg_database where datname = current_database())"
            while owner.execute(waits).fetchone() != (1,):
                assert not done.done()
        assert stored(warehouse_url) == []
        slow.commit()
        done.result()
    assert [event_id for _, event_id, *_ in stored(warehouse_url)] == ["slow", "fast"]


def test_shopifys_events_of_one_action_are_several_and_sent_again_one(warehouse_url: str) -> None:
    sender, body = SENDERS["shopify"], event(1)
    signed = sender.sign(sender.secret, body, NOW)
    with client(warehouse_url) as service:
        for topic in ("orders/create", "orders/paid", "orders/create"):
            headers = {**signed, "x-shopify-topic": topic, "x-shopify-webhook-id": "another each time"}
            assert service.post("/hooks/s/shopify", content=body, headers=headers).status_code == 200
    assert [kept["x-shopify-topic"] for *_, kept in stored(warehouse_url)] == ["orders/create", "orders/paid"]


def test_a_body_of_ten_megabytes_is_refused_and_broken_json_that_is_signed_is_kept(
    warehouse_url: str,
) -> None:
    sender, broken = SENDERS["stripe"], b'{"id": "evt_1", "amount": '
    with client(warehouse_url) as service:
        large = b"x" * (10 << 20)
        whole = service.post("/hooks/s/stripe", content=large, headers=sender.sign(sender.secret, large, NOW))
        assert (whole.status_code, whole.json()["error"]) == (413, "the body has more than 1048576 bytes")
        assert service.post("/hooks/s/stripe", content=iter([b"x" * 65_536] * 160)).status_code == 413
        kept = service.post("/hooks/s/stripe", content=broken, headers=sender.sign(sender.secret, broken, NOW))
        assert kept.status_code == 200
    assert [(body, event_id[:7]) for _, event_id, body, _ in stored(warehouse_url)] == [(broken, "sha256:")]
