"""The watch list: changes of watched companies in a feed, and posted to webhooks, signed and tried again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping

import pytest
from standardwebhooks import Webhook

from onefold.serve.outbound_address import is_public_address, public_ip
from onefold.serve.webhooks import PAUSES, tell_changes
from tests.serve.conftest import SIGNING, Api
from tests.serve.world import golden, publish


def change(api: Api, **values: object) -> None:
    publish(api.url, [golden(api.legal_person) | values])
    api.http.portal.call(api.http.app.state.follow)


def watch(api: Api) -> dict:
    answer = api.http.post("/v1/watches", json={"nip": api.legal_person.nip}, headers=api.all)
    assert answer.status_code == 201
    return answer.json()


def test_a_change_of_a_watched_company_is_in_the_feed_once_with_the_names_of_what_changed(own_api: Api) -> None:
    watched = watch(own_api)
    assert watch(own_api) == watched, "to watch twice is to watch"
    change(own_api, town="Elsewhere", status="liquidation")
    publish(own_api.url, [golden(own_api.sole_trader) | {"town": "Elsewhere"}])
    own_api.http.portal.call(own_api.http.app.state.follow)
    page = own_api.http.get("/v1/changes", headers=own_api.all).json()
    ((company_id, kind, attributes),) = [(c["company_id"], c["kind"], c["attributes"]) for c in page["items"]]
    assert (company_id, kind, attributes) == (watched["company_id"], "changed", ["status", "town"])
    assert own_api.http.get(f"/v1/changes?after={page['next']}", headers=own_api.all).json()["items"] == []
    other = own_api.key("watch", client="other")
    assert own_api.http.get("/v1/changes", headers=other).json()["items"] == []
    assert own_api.http.delete(f"/v1/watches/{watched['watch_id']}", headers=other).status_code == 404
    assert own_api.http.delete(f"/v1/watches/{watched['watch_id']}", headers=own_api.all).status_code == 204
    assert own_api.http.get("/v1/watches", headers=own_api.all).json()["items"] == []


def test_a_change_is_posted_signed_until_the_receiver_takes_it(own_api: Api) -> None:
    watch(own_api)
    made = own_api.http.post("/v1/webhooks", json={"url": "https://example.com/hook?x=1"}, headers=own_api.all).json()
    assert made["secret"].startswith("whsec_")
    listed = own_api.http.get("/v1/webhooks", headers=own_api.all).json()["items"]
    assert listed == [made | {"secret": None}], "the secret is shown once"
    assert made["secret"] not in str(own_api.rows("select w::text from ops.api_webhook as w"))
    change(own_api, town="Elsewhere")
    posted: list[tuple[str, Mapping[str, str], bytes]] = []
    answers = [500, 503, 204]

    def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
        posted.append((url, headers, body))
        return answers[len(posted) - 1]

    database = own_api.http.app.state.services.database
    for attempt in range(5):
        own_api.rows("update ops.api_webhook_event set next_at = now()")
        own_api.http.portal.call(tell_changes, database, SIGNING, post)
        if attempt == 0:
            pauses = own_api.rows("select extract(epoch from next_at - now()) from ops.api_webhook_event")
            assert PAUSES[0] - 2 < pauses[0][0] <= PAUSES[0]
    assert len(posted) == 3, "what was taken is posted no more"
    for url, headers, body in posted:
        told = Webhook(made["secret"]).verify(body.decode(), dict(headers))
        assert (url, told["type"], told["data"]["attributes"]) == (
            "https://example.com/hook?x=1",
            "company.changed",
            ["town"],
        )
    assert len({headers["webhook-id"] for _, headers, _ in posted}) == 1, "the receiver can tell that it is the same"
    assert own_api.legal_person.name not in str([json.loads(body) for _, _, body in posted])


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/x", "https://127.0.0.1/x", "https://10.0.0.1", "https://[::1]/", "https://2130706433/",
        "https://user:secret@example.com/", "https://example.com:22/", "https://example.com/#x", "https://intranet/",
    ],
)  # fmt: skip
def test_nothing_is_posted_to_an_address_that_is_not_public(own_api: Api, url: str) -> None:
    assert not is_public_address(url)
    assert own_api.http.post("/v1/webhooks", json={"url": url}, headers=own_api.all).status_code == 409


def test_a_name_that_leads_to_an_inner_address_is_not_posted_to(monkeypatch: pytest.MonkeyPatch) -> None:
    for found, expected in (
        (["93.184.216.34"], "93.184.216.34"), (["127.0.0.1"], None), (["93.184.216.34", "10.0.0.1"], None),
        (["169.254.169.254"], None), (["::1"], None), (["fd00::1"], None),
    ):  # fmt: skip
        monkeypatch.setattr(
            "socket.getaddrinfo", lambda *_, found=found, **__: [(0, 0, 0, "", (ip, 443)) for ip in found]
        )
        assert public_ip("example.com", 443) == expected


def test_only_published_companies_can_be_watched(own_api: Api) -> None:
    answer = own_api.http.post("/v1/watches", json={"nip": own_api.unpublished.nip}, headers=own_api.all)
    assert answer.status_code == 404
    assert own_api.http.delete(f"/v1/watches/{uuid.uuid4()}", headers=own_api.all).status_code == 404
