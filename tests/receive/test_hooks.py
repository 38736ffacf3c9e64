"""Which hooks there are, with which secrets; what is wrong is said without any of them."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.testclient import TestClient

from onefold.catalog.ignored_settings import ignored_settings
from onefold.catalog.system import System
from onefold.commands.hooks import hooks
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.receive.hooks import Hooks, hooks_of
from tests.receive.signers import NOW, SENDERS, event


def system(protocol: str = "webhook", **webhooks: object) -> System:
    streams = {
        name: {"title": name, "webhook": webhook, "primary_key": ["id"], "fields": {"id": "text"}}
        for name, webhook in webhooks.items()
    }
    head = {"system": "pay", "title": "Pay", "protocol": protocol, "connection": "pay", "schedule": "0 * * * *"}
    return System.model_validate({**head, "streams": streams})


def keys(extra: dict[str, str], **webhooks: object) -> dict[str, tuple[bytes, ...]]:
    found = found_with(extra, **webhooks)
    return {stream: hook.keys for (_, stream), hook in found.items()}


def found_with(extra: dict[str, str], **webhooks: object) -> Hooks:
    return hooks_of([system(**webhooks)], lambda _: Endpoint("https://api.example", extra=extra))


def problem(extra: dict[str, str], webhook: object) -> str:
    (hook,) = found_with(extra, a=webhook).values()
    assert hook.keys == ()
    return hook.problem or ""


def test_a_stream_has_its_own_secrets_or_those_of_its_system() -> None:
    extra = {"signing_secret": "old new", "signing_secret_b": "of_b"}
    found = keys(extra, a={"signature": "stripe"}, b={"signature": "github"})
    assert found == {"a": (b"old", b"new"), "b": (b"of_b",)}


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({}, "Airflow connection 'pay' has no signing_secret in its extra"),
        ({"signing_secret": "  "}, "has no signing_secret in its extra"),
        ({"signing_secret": "whsec_no*base64"}, "a secret of Standard Webhooks is whsec_ and base64"),
        ({"signing_secret": "whsec_"}, "a secret of Standard Webhooks is whsec_ and base64"),
    ],
)
def test_a_secret_that_is_missing_or_none_is_told_and_not_quoted(extra: dict[str, str], message: str) -> None:
    told = problem(extra, {"signature": "standard"})
    assert message in told
    assert "no*base64" not in told


def test_a_hook_without_its_connection_or_secret_stops_no_other() -> None:
    def endpoint_of(connection: str) -> Endpoint:
        raise Fatal(f"There is no Airflow connection {connection!r}")

    assert {hook.problem for hook in hooks_of([system(a={"signature": "github"})], endpoint_of).values()} == {
        "There is no Airflow connection 'pay'"
    }
    both = found_with({"signing_secret_b": "of_b"}, a={"signature": "github"}, b={"signature": "github"})
    assert [(name, hook.keys, hook.problem is None) for (_, name), hook in both.items()] == [
        ("a", (), False),
        ("b", (b"of_b",), True),
    ]


@pytest.mark.parametrize(
    ("webhook", "message"),
    [
        ({"signature": "hmac"}, "signature hmac needs header"),
        ({"signature": "stripe", "header": "X-Own"}, "signature stripe says itself what header is; take it out"),
        ({"signature": "hmac", "header": "X Own"}, "should match pattern"),
        ({"signature": "none"}, "Input should be 'stripe'"),
        (None, "protocol webhook needs webhook.signature: how the sender signs a"),
    ],
)
def test_a_hook_that_could_not_be_checked_is_refused_in_the_yaml(webhook: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        system(a=webhook)


@pytest.mark.parametrize(
    ("webhook", "extra", "message"),
    [
        (
            {"signature": "salesforce_outbound"},
            {},
            "has no organization_id in its extra: write the id of the Salesforce",
        ),
        (
            {"signature": "salesforce_outbound"},
            {"organization_id": "hush"},
            "an organisation's id has 15 or 18 letters and digits and begins with 00D",
        ),
        ({"signature": "microsoft_graph"}, {"organization_id": "hush"}, "has no signing_secret in its extra"),
        (
            {"signature": "stripe", "certificate_header": "X-Fingerprint"},
            {"signing_secret": "hush"},
            "has no client_certificate in its extra: write what the proxy says of the sender's certificate",
        ),
    ],
)
def test_what_a_sender_without_a_signature_is_known_by_is_demanded(
    webhook: object, extra: dict[str, str], message: str
) -> None:
    told = problem(extra, webhook)
    assert message in told
    assert "hush" not in told


def test_no_other_protocol_takes_webhooks() -> None:
    found = dict(ignored_settings("odata", system(a={"signature": "stripe"}).streams["a"]))
    assert found == {"webhook": "protocol odata ignores webhook (read by protocol rest and webhook); take it out"}


def test_the_service_says_when_the_catalogue_has_no_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onefold.catalog.reader.read_catalog", lambda: type("Empty", (), {"systems": {}}))
    answer = CliRunner().invoke(hooks, [])
    assert isinstance(answer.exception, Fatal)
    assert "No stream of the catalogue has a webhook" in str(answer.exception)


def test_the_service_listens_on_this_machine_at_the_hooks_of_the_catalogue(
    monkeypatch: pytest.MonkeyPatch, warehouse_url: str
) -> None:
    found = type("Catalog", (), {"systems": {"pay": system(a={"signature": "stripe"})}})
    secret = Endpoint("https://api.example", extra={"signing_secret": SENDERS["stripe"].secret})
    monkeypatch.setattr("onefold.catalog.reader.read_catalog", lambda: found)
    monkeypatch.setattr("onefold.commands.endpoints.endpoint_of", lambda _: secret)
    monkeypatch.setenv("ONEFOLD_RECEIVER_URL", warehouse_url)
    ran: list[tuple[Starlette, str, int]] = []
    monkeypatch.setattr("uvicorn.run", lambda app, host, port, **_: ran.append((app, host, port)))
    answer = CliRunner().invoke(hooks, ["--port", "1"], catch_exceptions=False)
    assert answer.output == "http://127.0.0.1:1/hooks/pay/a\n"
    ((app, *place),) = ran
    assert place == ["127.0.0.1", 1]
    with TestClient(app) as client:
        body = event(1)
        late = SENDERS["stripe"].sign(SENDERS["stripe"].secret, body, NOW)
        assert client.post("/hooks/pay/a", content=body, headers=late).status_code == 401, "by the real clock"
        assert client.get("/health").json()["hooks"] == 1


def test_the_secrets_of_a_hook_are_not_in_its_repr() -> None:
    found = hooks_of(
        [system(a={"signature": "github"})], lambda _: Endpoint("https://api.example", extra={"signing_secret": "hush"})
    )
    assert "hush" not in repr(found)
