"""Tokens of the realm: accepted by signature, issuer, audience, time and client, with its scopes at most."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.testclient import TestClient

from onefold.serve.tokens import Realm
from tests.serve.conftest import Api, serve

ISSUER, AUDIENCE = "https://sso.example.com/realms/company", "onefold-api"
KEYS = {name: RSAKey.generate_key(2048, {"kid": name, "use": "sig"}) for name in ("first", "second", "foreign")}


def token(key: str = "first", **claims: object) -> str:
    given = {
        "iss": ISSUER, "aud": [AUDIENCE, "account"], "azp": "companies", "exp": int(time.time()) + 60,
        "scope": "openid companies people", **claims,
    }  # fmt: skip
    return jwt.encode({"alg": "RS256", "kid": key}, given, KEYS[key])


def encoded_bytes(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def encoded(content: object) -> str:
    return encoded_bytes(json.dumps(content).encode())


def publish_keys(place: Path, *names: str) -> None:
    place.write_text(json.dumps(KeySet([KEYS[name] for name in names]).as_dict(private=False)))


@pytest.fixture
def realm(tmp_path: Path) -> Realm:
    publish_keys(tmp_path / "jwks.json", "first")
    return Realm(ISSUER, AUDIENCE, str(tmp_path / "jwks.json"))


@pytest.fixture
def service(api: Api, realm: Realm) -> Iterator[TestClient]:
    with serve(api.url, api.registers, realm) as http:
        yield http


def status(service: TestClient, bearer: str, path: str = "/v1/usage") -> int:
    return service.get(path, headers={"Authorization": f"Bearer {bearer}"}).status_code


def test_a_token_of_the_realm_is_accepted_with_the_scopes_that_its_client_has(service: TestClient) -> None:
    assert status(service, token()) == 200
    assert status(service, token(scope="openid")) == 403, "the token has not the scope"
    relations = "/v1/companies/krs/0000000001/relations"
    assert status(service, token(), relations) == 403, "the client has not the scope, whatever the token says"
    assert status(service, token(azp="all"), relations) == 404


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other"}, {"aud": "other"}, {"aud": None}, {"exp": int(time.time()) - 60}, {"exp": None},
        {"exp": "never"}, {"nbf": int(time.time()) + 10**6}, {"azp": None}, {"azp": "unknown"}, {"azp": 5},
    ],
)  # fmt: skip
def test_a_token_for_others_or_another_time_is_refused(service: TestClient, claims: dict[str, object]) -> None:
    assert status(service, token(**claims)) == 401


def test_a_token_that_the_realm_has_not_signed_is_refused(service: TestClient) -> None:
    good = token()
    head, body, signature = good.split(".")
    unsigned = f"{encoded({'alg': 'none'})}.{body}."
    mixed = f"{encoded({'alg': 'HS256', 'kid': 'first'})}.{body}"
    public = KEYS["first"].as_pem(private=False)
    shared = f"{mixed}.{encoded_bytes(hmac.digest(public, mixed.encode(), 'sha256'))}"
    for forged in (unsigned, shared, f"{head}.{body}.{signature[::-1]}", token("foreign"), "x", "a.b.c"):
        assert status(service, forged) == 401


def test_a_key_that_the_realm_has_rolled_is_read_anew(
    service: TestClient, realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert status(service, token()) == 200
    publish_keys(Path(realm.keys), "second")
    monkeypatch.setattr("onefold.serve.tokens.AT_MOST_EVERY", 0.0)
    assert status(service, token("second")) == 200
    assert status(service, token("first")) == 401
