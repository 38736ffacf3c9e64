"""The grants of OAuth 2 against a token server that refuses what is wrong with the wire answers of real ones."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from urllib.parse import parse_qs, unquote_plus

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from tests.http.calls import SECRET, Out
from tests.http.web_server import Asked, Say, WebServer

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> str:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode()


def refused(code: str, status: int = 400) -> Say:
    return Say(status, json.dumps({"error": code, "error_description": "anna@example.com is not"}).encode())


class TokenServer:
    """Answers a grant whose form `wrong` finds nothing wrong with; lets in who shows the token."""

    def __init__(self, wrong: Callable[[dict[str, str], Asked], str | None], **answer: object) -> None:
        self.wrong = wrong
        self.forms: list[dict[str, str]] = []
        self.answer = answer

    def __call__(self, asked: Asked) -> Say:
        if asked.path != "/token":
            return Say() if asked.headers.get("Authorization") == "Bearer t1" else Say(401)
        form = {name: value[0] for name, value in parse_qs(asked.body.decode(), strict_parsing=True).items()}
        self.forms.append(form)
        code = self.wrong(form, asked)
        return refused(code, 401 if code == "invalid_client" else 400) if code else self.token()

    def token(self) -> Say:
        return Say(200, json.dumps({"access_token": "t1", "token_type": "Bearer", **self.answer}).encode())


def knows(secret: str = SECRET) -> Callable[[dict[str, str], Asked], str | None]:
    return lambda form, _: None if form.get("client_secret") == secret else "invalid_client"


CLIENT = {"kind": "oauth2_client_credentials", "token_path": "/token"}


def test_client_credentials_with_audience_resource_and_scope(web: WebServer) -> None:
    server = web.answer = TokenServer(knows())
    Out(web.url, auth=CLIENT | {"scope": "read all", "params": {"audience": "https://a", "resource": "r"}}).get()
    assert server.forms == [
        {
            "grant_type": "client_credentials",
            "scope": "read all",
            "audience": "https://a",
            "resource": "r",
            "client_id": "someone",
            "client_secret": SECRET,
        }
    ]


def test_the_secret_in_a_basic_header_is_encoded_as_in_a_form(web: WebServer) -> None:
    def wrong(form: dict[str, str], asked: Asked) -> str | None:
        shown = base64.b64decode(asked.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        pair = [unquote_plus(part) for part in shown.split(":")]
        return None if pair == ["client:1", "a%b+c /d"] and "client_secret" not in form else "invalid_client"

    web.answer = TokenServer(wrong)
    Out(web.url, endpoint=Endpoint(web.url, "client:1", "a%b+c /d"), auth=CLIENT | {"client_auth": "basic"}).get()


def test_a_client_that_signs_who_it_is_sends_no_secret(web: WebServer) -> None:
    server = web.answer = TokenServer(lambda form, _: None)
    endpoint = Endpoint(web.url, "client", None, {"private_key": pem(RSA_KEY, b"pw"), "private_key_password": "pw"})
    Out(web.url, endpoint=endpoint, auth=CLIENT | {"client_auth": "private_key_jwt", "algorithm": "PS256"}).get()
    (form,) = server.forms
    claims = jwt.decode(form["client_assertion"], RSA_KEY.public_key(), ["PS256"], audience=f"{web.url}/token")
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert (claims["iss"], claims["sub"]) == ("client", "client")
    assert "client_secret" not in form


def test_a_token_in_another_header(web: WebServer) -> None:
    web.answer = lambda asked: (
        Say(200, b'{"access_token": "t1"}')
        if asked.path == "/token"
        else Say(200 if "X-Token" in asked.headers else 401)
    )
    Out(web.url, auth=CLIENT | {"send": {"header": "X-Token", "prefix": "tok "}}).get()
    assert web.asked[-1].headers["X-Token"] == "tok t1"


def test_the_password_grant_sends_the_person_and_the_client(web: WebServer) -> None:
    server = web.answer = TokenServer(lambda form, _: None if form["password"] == SECRET else "invalid_grant")
    extra = {"client_id": "app", "client_secret": "of-the-app"}
    auth = {"kind": "oauth2_password", "token_path": "/token"}
    Out(web.url, endpoint=Endpoint(web.url, "anna", SECRET, extra), auth=auth).get()
    assert server.forms == [
        {
            "grant_type": "password",
            "username": "anna",
            "password": SECRET,
            "client_id": "app",
            "client_secret": "of-the-app",
        }
    ]
    with pytest.raises(Fatal, match=r"invalid_grant.*Check login and password of the Airflow connection 'shop_api'"):
        Out(web.url, endpoint=Endpoint(web.url, "anna", "wrong", extra), auth=auth).get()


class Assertions:
    """Checks an assertion as Salesforce and Google do."""

    def __init__(self, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, audience: str, subject: str | None) -> None:
        self.key, self.audience, self.subject = key.public_key(), audience, subject
        self.seen: list[dict[str, object]] = []

    def __call__(self, form: dict[str, str], asked: Asked) -> str | None:
        if form["grant_type"] != JWT_BEARER:
            return "unsupported_grant_type"
        try:
            claims = jwt.decode(form["assertion"], self.key, ["RS256", "ES256"], audience=self.audience)
        except jwt.InvalidTokenError:
            return "invalid_grant"
        self.seen.append({**jwt.get_unverified_header(form["assertion"]), **claims})
        right = claims.get("sub") == self.subject and claims["exp"] <= time.time() + 3600
        return None if right else "invalid_grant"


def test_salesforces_jwt_bearer(web: WebServer) -> None:
    checks = Assertions(RSA_KEY, "https://login.salesforce.com", "loader@example.com")
    web.answer = TokenServer(checks)
    endpoint = Endpoint(web.url, "consumer-key", None, {"private_key": pem(RSA_KEY), "subject": "loader@example.com"})
    auth = {"kind": "oauth2_jwt_bearer", "token_path": "/token", "audience": "https://login.salesforce.com"}
    Out(web.url, endpoint=endpoint, auth=auth).get()
    (claims,) = checks.seen
    assert (claims["iss"], claims["alg"]) == ("consumer-key", "RS256")
    assert int(str(claims["exp"])) - int(str(claims["iat"])) == 180
    wrong = auth | {"audience": "https://test.salesforce.com"}
    with pytest.raises(
        Fatal, match=r"invalid_grant.*private_key, subject and audience of the Airflow connection 'shop_api'"
    ):
        Out(web.url, endpoint=endpoint, auth=wrong).get()


def test_googles_service_account(web: WebServer) -> None:
    checks = Assertions(RSA_KEY, "https://oauth2.googleapis.com/token", None)
    web.answer = TokenServer(checks, expires_in=3599)
    extra = {"private_key": pem(RSA_KEY), "private_key_id": "abc", "audience": "https://oauth2.googleapis.com/token"}
    auth = {"kind": "oauth2_jwt_bearer", "token_path": "/token", "lifetime": "PT1H"}
    scope = "https://www.googleapis.com/auth/spreadsheets.readonly"
    Out(
        web.url,
        endpoint=Endpoint(web.url, "sa@p.iam.gserviceaccount.com", None, extra),
        auth=auth | {"claims": {"scope": scope}},
    ).get()
    assert (checks.seen[0]["kid"], checks.seen[0]["scope"]) == ("abc", scope)


def test_a_key_on_a_curve_signs_es256_and_no_other_algorithm(web: WebServer) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    web.answer = TokenServer(Assertions(key, f"{web.url}/token", None))
    endpoint = Endpoint(web.url, "issuer", None, {"private_key": pem(key)})
    auth = {"kind": "oauth2_jwt_bearer", "token_path": "/token"}
    Out(web.url, endpoint=endpoint, auth=auth | {"algorithm": "ES256"}).get()
    web.asked.clear()
    for algorithm in ("RS256", "ES384"):
        with pytest.raises(Fatal, match="no assertion can be signed with"):
            Out(web.url, endpoint=endpoint, auth=auth | {"algorithm": algorithm}).get()
    assert web.asked == []


@pytest.mark.parametrize(
    ("auth", "extra", "missing"),
    [
        (CLIENT, {}, "no login and no password"),
        (CLIENT | {"client_auth": "private_key_jwt"}, {}, "no login"),
        ({"kind": "oauth2_password", "token_path": "/token"}, {}, "no login and no password"),
        ({"kind": "oauth2_jwt_bearer", "token_path": "/token"}, {}, 'no login and no "private_key" in its extra'),
        ({"kind": "oauth2_refresh_token", "token_path": "/token"}, {}, 'no "refresh_token" in its extra'),
        ({"kind": "bearer"}, {}, "no password"),
    ],
)
def test_what_the_connection_lacks_is_named_before_anything_is_sent(
    web: WebServer, auth: dict[str, object], extra: dict[str, str], missing: str
) -> None:
    with pytest.raises(Fatal) as failed:
        Out(web.url, endpoint=Endpoint(web.url, None, None, extra), auth=auth).get()
    assert f"the Airflow connection 'shop_api' has {missing}, and auth {auth['kind']} needs it" in str(failed.value)
    assert web.asked == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (refused("invalid_client", 401), "Check the client's id and secret"),
        (refused("invalid_client", 400), "Check the client's id and secret"),
        (refused("invalid_scope"), "Compare auth.scope in the system's YAML"),
        (refused("unauthorized_client"), "Have the client registered for oauth2_client_credentials"),
        (Say(200, b'{"error": "invalid_client"}'), "Check the client's id and secret"),
        (Say(403, b"<html>no"), "Check the client's id and secret"),
    ],
)
def test_a_token_server_that_refuses_is_fatal_and_the_remedy_named(web: WebServer, answer: Say, told: str) -> None:
    web.script(answer)
    with pytest.raises(Fatal, match=r"POST /token gave no token.*'shop_api'|auth\.scope") as failed:
        Out(web.url, auth=CLIENT).get()
    assert told in str(failed.value)
    assert "anna" not in str(failed.value)
    assert len(web.asked) == 1


DOWN = {
    "503": Say(503),
    "a web page": Say(200, b"<html>"),
    "says so": refused("temporarily_unavailable"),
    "hangs up": Say(hang_up=True),
    "403 with Retry-After": Say(403, b"busy", {"Retry-After": "1"}),
    "403 with a text of errors.retry": Say(403, b'{"error": "REQUEST_LIMIT_EXCEEDED"}'),
}


@pytest.mark.parametrize("down", DOWN.values(), ids=DOWN)
def test_a_token_server_that_is_down_is_retriable(web: WebServer, down: Say) -> None:
    web.script(down)
    with pytest.raises(Retriable):
        Out(web.url, auth=CLIENT).get()
    assert len(web.asked) == 4
    web.script(down, Say(200, b'{"access_token": "t1", "expires_in": "3600"}'), Say())
    assert Out(web.url, auth=CLIENT).get() == {}
