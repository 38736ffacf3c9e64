"""People who ask the register API themselves: by a token with their groups, or a key of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from starlette.testclient import TestClient

from onefold.audit.person import Person
from onefold.errors import Fatal
from onefold.orchestration.oidc import accounts as api_server
from onefold.orchestration.oidc.provider import IdentityProvider, Rights
from onefold.serve import clients
from onefold.serve.keys import create_key
from onefold.serve.tokens import Realm
from onefold.settings import APPROVALS_URL
from onefold.warehouse.accounts import end_account
from tests.roles import as_role
from tests.serve.conftest import Api, serve
from tests.serve.test_tokens import ISSUER, realm, token

__all__ = ["realm"]
GROUPS = {"it": "engineer", "audit": "auditor", "people": "pii"}
PROVIDER = IdentityProvider(ISSUER, "onefold", GROUPS, "groups")
EWA = Person(ISSUER, "ewa")
PEOPLE = "/v1/companies/krs/0000000001/relations"
Status = Callable[..., int]


@pytest.fixture
def ewas_key(own_api: Api, monkeypatch: pytest.MonkeyPatch) -> str:
    """She has signed in once; what is known of a client holds for no time."""
    monkeypatch.setattr(clients, "KNOWN_FOR", 0.0)
    monkeypatch.setenv(APPROVALS_URL, as_role(own_api.url, "onefold_approvals"))
    api_server.record_sign_in(EWA, Rights("engineer", pii=False))
    with psycopg.connect(own_api.url, autocommit=True) as owner:
        scopes = ["companies", "people"]
        return create_key(owner, "ewa", scopes, 100, 10_000, None, actor="os:test", account=EWA.account)


@contextmanager
def asking(api: Api, realm: Realm | None) -> Iterator[TestClient]:
    with serve(api.url, api.registers, realm, PROVIDER) as http:
        yield http


def test_a_persons_token_allows_what_its_groups_do_whatever_its_application_may(
    own_api: Api, realm: Realm, ewas_key: str
) -> None:
    with asking(own_api, realm) as http:

        def status(path: str, *groups: str, subject: str = "ewa") -> int:
            bearer = token(sub=subject, groups=list(groups), azp="onefold", scope="openid companies people")
            return http.get(path, headers={"Authorization": f"Bearer {bearer}"}).status_code

        assert (status("/v1/usage", "it"), status(PEOPLE, "it")) == (200, 403)
        assert status(PEOPLE, "audit", "people") in (200, 404), "seen, where there is one"
        assert status("/v1/usage") == status("/v1/usage", "people") == status("/v1/usage", "it", "audit") == 401
        assert status("/v1/usage", "it", subject="somebody") == 401, "for whom no client is registered"
        with psycopg.connect(own_api.url, autocommit=True) as owner:
            end_account(owner, EWA.account, actor="os:test")
        assert status("/v1/usage", "it") == 401
    asked = own_api.rows("select distinct client from ops.api_request where status = 200")
    assert ("ewa",) in asked, "recorded under the client that is hers"


def test_a_persons_key_allows_what_their_groups_did_for_a_day_after_their_sign_in(own_api: Api, ewas_key: str) -> None:
    with asking(own_api, None) as http:

        def status(path: str) -> int:
            return http.get(path, headers={"X-API-Key": ewas_key}).status_code

        assert (status("/v1/usage"), status(PEOPLE)) == (200, 403)
        api_server.record_sign_in(EWA, Rights("engineer", pii=True))
        assert status(PEOPLE) in (200, 404)
        own_api.rows("update ops.account set signed_in_at = now() - interval '25 hours'")
        assert status("/v1/usage") == 401
        api_server.record_sign_in(EWA, Rights("auditor", pii=False))
        assert (status("/v1/usage"), status(PEOPLE)) == (200, 403)
        api_server.record_sign_in(EWA, None)
        assert status("/v1/usage") == 401


def test_a_persons_client_is_nobody_elses_and_no_application_asks_as_it(
    own_api: Api, realm: Realm, ewas_key: str
) -> None:
    with psycopg.connect(own_api.url, autocommit=True) as owner:
        with pytest.raises(Fatal, match="Choose another name"):
            create_key(owner, "ewa", ["companies"], 1, 1, None, actor="os:test")
        with pytest.raises(Fatal, match="Nobody has signed in"):
            create_key(owner, "adam", ["companies"], 1, 1, None, actor="os:test", account="adam")
    with asking(own_api, realm) as http:
        bearer = token(azp="ewa", exp=int(time.time()) + 60)
        assert http.get("/v1/usage", headers={"Authorization": f"Bearer {bearer}"}).status_code == 401
