"""The samples of docs/sign-in.md sign in, with just the fields of the connection that its table names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

import pytest
import yaml

from onefold.catalog.auth import Auth
from onefold.catalog.system import System
from onefold.connectors.soap.ws_security import security
from onefold.errors import Fatal
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.settings import ROOT
from tests.docs.pages import blocks
from tests.http.calls import SYSTEM, as_json
from tests.http.test_client_certificate import CLIENT as IDENTITY
from tests.http.test_oauth2 import RSA_KEY, pem
from tests.http.token_family import Memory
from tests.http.web_server import Asked, Say, WebServer, serving

PAGE = ROOT / "docs" / "sign-in.md"
SAMPLES = [
    yaml.safe_load(f"auth:{text}")["auth"]
    for block in blocks(PAGE, "yaml")
    for text in re.split(r"^auth:", block.text, flags=re.MULTILINE)[1:]
]
SOAP = ("username_token", "x509")
VALUES = {"login": "user", "password": "s3cr3t-key", "certificate": IDENTITY.pem, "tenant": "first"} | {
    name: f"the-{name}" for name in ("refresh_token", "client_id", "client_secret", "subject", "private_key_id")
}


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving() as server:
        yield server


def rows() -> dict[str, list[str]]:
    """By kind, the fields that the table says are needed: not those in brackets."""
    found: dict[str, list[str]] = {}
    for line in re.findall(r"^\| (?:[`–]).*\|$", PAGE.read_text(), re.MULTILINE):
        kinds, *cells = (re.sub(r" ?\(.*?\)", "", cell).strip() for cell in line.strip("|").split("|"))
        fields = [name for name, cell in zip(("login", "password"), cells, strict=False) if cell not in ("–", "")]
        for kind in re.findall(r"`([\w: ]+)`", kinds):
            found[kind] = [*fields, *re.findall(r"`(\w+)`", cells[2])]
    return found


def system(auth: dict[str, object]) -> System:
    soap = {"protocol": "soap", "wsdl": "/x?wsdl"} if auth["kind"] in SOAP else {}
    return System.model_validate(SYSTEM | soap | {"auth": auth})


def endpoint(url: str, fields: list[str], auth: dict[str, object]) -> Endpoint:
    values = VALUES | {"private_key": pem(RSA_KEY) if "mtls" not in auth else IDENTITY.key_pem()}
    extra = {name: values[name] for name in fields if name not in ("login", "password")}
    given = {name: values[name] for name in fields if name in ("login", "password")}
    return Endpoint(url, given.get("login"), given.get("password"), extra, Memory())


def needed(auth: dict[str, object]) -> list[str]:
    table = rows()
    if "mtls" in auth:
        return ["private_key", "certificate"]
    if auth["kind"] == "session":
        return sorted(set(re.findall(r"\{(\w+)\}", str(auth["login"]))))
    way = f"client_auth: {auth['client_auth']}" if auth.get("client_auth") == "private_key_jwt" else auth["kind"]
    return table[str(way)]


def answer(asked: Asked) -> Say:
    if asked.path == "/items":
        shown = asked.headers.get("Authorization") or asked.headers.get("X-Api-Key") or asked.params.get("api_key")
        shown = shown or asked.headers.get("X-Session")
        challenge = {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'}
        return Say() if shown else Say(401, b"", challenge)
    return Say(200, b'{"access_token": "t", "data": {"token": "t"}}')


@pytest.mark.parametrize("auth", SAMPLES, ids=lambda auth: f"{auth['kind']}-{len(auth)}")
def test_a_sample_signs_in_with_what_the_table_names_and_says_what_is_missing(
    web: WebServer, auth: dict[str, object]
) -> None:
    web.answer = (lambda _: Say()) if "mtls" in auth or auth["kind"] == "ntlm" else answer
    fields = needed(auth)

    def call(given: list[str]) -> object:
        where = endpoint(web.url, given, auth)
        if auth["kind"] in SOAP:
            return security(system(auth), where)
        with Client(system(auth), where, lambda _: None, sleep=lambda _: None) as client:
            return client.send("GET", "/items", parse=as_json)

    assert call(fields) is not None
    web.asked.clear()
    for missing in fields:
        shown = missing if missing in ("login", "password") else f'"{missing}" in its extra'
        with pytest.raises(Fatal, match=rf"'shop_api' has no {re.escape(shown)}"):
            call([name for name in fields if name != missing])
    assert web.asked == []


def test_every_kind_has_a_row_and_a_sample() -> None:
    kinds = [get_args(branch)[0].model_fields["kind"] for branch in get_args(get_args(Auth)[0])]
    names = {get_args(kind.annotation)[0] for kind in kinds}
    assert names <= rows().keys()
    assert names == {str(auth["kind"]) for auth in SAMPLES}
