"""REGON's answers on the wire: sessions, inner XML, MTOM frames, addressing headers and SOAP faults."""

import pytest
import requests
import zeep
from lxml import etree
from starlette.types import ASGIApp, Receive, Scope, Send
from zeep.wsa import WsAddressingPlugin

from sandbox.regon import api as regon
from sandbox.wire.mtom import as_mtom
from sandbox.world import Company, World
from tests.sandbox.regon.calls import KEY, PATH, search
from tests.sandbox.serving import served


def envelope(action: str, to: str, body: str, head: str = "") -> bytes:
    return (
        f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        f'xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>{action}{to}{head}</s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


LOG_IN = f'<Zaloguj xmlns="http://CIS/BIR/PUBL/2014/07"><pKluczUzytkownika>{KEY}</pKluczUzytkownika></Zaloguj>'

ACTION = "<a:Action>http://CIS/BIR/PUBL/2014/07/IUslugaBIRzewnPubl/Zaloguj</a:Action>"


def post(url: str, body: bytes, **headers: str) -> requests.Response:
    return requests.post(f"{url}{PATH}", body, headers=headers, timeout=10)


def to(url: str) -> str:
    return f"<a:To>{url}{PATH}</a:To>"


def test_a_wrong_key_gives_an_empty_answer_not_an_error(url: str) -> None:
    client = zeep.Client(f"{url}{PATH}?wsdl")
    assert not client.service.Zaloguj("wrong")
    assert len(client.service.Zaloguj(KEY)) == 20


def test_without_a_living_session_answers_are_empty_and_the_code_is_7(client: zeep.Client, world: World) -> None:
    get = client.service.GetValue
    assert (get("StatusSesji"), get("KomunikatKod")) == ("1", "0")
    assert client.service.Wyloguj(client.transport.session.headers["sid"]) is True
    assert not client.service.DaneSzukajPodmioty({"Nip": world.companies[0].nip})
    assert not client.service.DanePobierzPelnyRaport(world.companies[0].regon, "BIR11OsPrawna")
    assert (get("StatusSesji"), get("KomunikatKod"), get("StatusUslugi")) == ("0", "7", "1")
    assert "Brak sesji" in get("KomunikatTresc")


def test_a_session_expires(url: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_REGON_SESSION_SECONDS", "0")
    client = zeep.Client(f"{url}{PATH}?wsdl")
    client.transport.session.headers["sid"] = client.service.Zaloguj(KEY)
    assert not client.service.DaneSzukajPodmioty({"Nip": world.companies[0].nip})
    assert client.service.GetValue("KomunikatKod") == "7"


def test_a_session_that_the_fault_expired_token_hit_stays_expired(world: World) -> None:
    struck: set[str] = set()

    def striking(app: ASGIApp) -> ASGIApp:
        async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and struck:
                scope = {**scope, "sandbox.expired_token": struck.pop()}
            await app(scope, receive, send)

        return middleware

    with served("/regon", regon.routes(world), striking) as url:
        client = zeep.Client(f"{url}{PATH}?wsdl")
        sid = client.service.Zaloguj(KEY)
        client.transport.session.headers["sid"] = sid
        assert client.service.GetValue("KomunikatKod") == "0"
        struck.add(sid)
        assert not client.service.DaneSzukajPodmioty({"Nip": world.companies[0].nip})
        assert client.service.GetValue("KomunikatKod") == "7"
        client.transport.session.headers["sid"] = client.service.Zaloguj(KEY)
        assert search(client, Nip=world.companies[0].nip)


def test_the_inner_xml_comes_as_cdata_and_as_entities_the_same_question_always_alike(
    url: str, client: zeep.Client, world: World
) -> None:
    def raw(company: Company) -> bytes:
        with client.settings(raw_response=True):
            return client.service.DaneSzukajPodmioty({"Nip": company.nip}).content

    forms = {company.nip: b"<![CDATA[<root>" in raw(company) for company in world.companies[:20]}
    assert set(forms.values()) == {True, False}
    for company in world.companies[:20]:
        answer = raw(company)
        assert (b"<![CDATA[<root>" in answer, b"&lt;root&gt;" in answer) == (
            forms[company.nip],
            not forms[company.nip],
        )
        (row,) = search(client, Nip=company.nip)
        assert row["Nip"] == company.nip


def test_zeep_reads_an_mtom_answer_framed_with_crlf(client: zeep.Client, world: World) -> None:
    client.transport.session.headers["X-Sandbox-Mtom"] = "crlf"
    with client.settings(raw_response=True):
        answer = client.service.DaneSzukajPodmioty({"Nip": world.companies[0].nip})
    assert answer.headers["content-type"].startswith('multipart/related; type="application/xop+xml"')
    (row,) = search(client, Nip=world.companies[0].nip)
    assert row["Nip"] == world.companies[0].nip
    assert client.service.GetValue("KomunikatKod") == "0"


def test_an_mtom_answer_framed_with_lf_holds_the_same_envelope(client: zeep.Client, world: World) -> None:
    def raw(framing: str) -> bytes:
        client.transport.session.headers["X-Sandbox-Mtom"] = framing
        with client.settings(raw_response=True):
            return client.service.GetValue("StatusUslugi").content

    assert b"\r\n" not in raw("lf")
    part = raw("lf").split(b"\n\n", 1)[1]
    answered = etree.fromstring(part.rsplit(b"\n--uuid:", 1)[0])
    assert "".join(answered.itertext()).endswith("1")
    assert raw("crlf").count(b"\r\n") == raw("lf").count(b"\n")


def test_mtom_comes_by_setting_to_those_who_accept_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_REGON_MTOM", "lf")
    body = envelope(ACTION, to(url), LOG_IN)
    accepted = post(url, body, Accept="application/xop+xml, multipart/related")
    assert accepted.headers["content-type"].startswith("multipart/related")
    assert post(url, body).headers["content-type"] == "application/soap+xml; charset=utf-8"


def test_the_mtom_boundary_is_no_part_of_the_envelope() -> None:
    body, content_type = as_mtom(b"<s:Envelope/>", "crlf")
    boundary = content_type.split('boundary="')[1].split('"')[0].encode()
    assert body.startswith(b"--" + boundary + b"\r\n")
    assert body.endswith(b"\r\n--" + boundary + b"--\r\n")
    assert body.split(b"\r\n\r\n")[1].split(b"\r\n")[0] == b"<s:Envelope/>"


@pytest.mark.parametrize(
    ("case", "subcode"),
    [
        ("no action", "MessageAddressingHeaderRequired"),
        ("no to", "MessageAddressingHeaderRequired"),
        ("another to", "DestinationUnreachable"),
        ("unknown action", "ActionNotSupported"),
        ("another body", "DeserializationFailed"),
        ("not xml", "DeserializationFailed"),
        ("a dtd", "DeserializationFailed"),
    ],
)
def test_what_the_service_refuses_is_a_soap_fault(url: str, case: str, subcode: str) -> None:
    bodies = {
        "no action": envelope("", to(url), LOG_IN),
        "no to": envelope(ACTION, "", LOG_IN),
        "another to": envelope(ACTION, "<a:To>http://elsewhere/other.svc</a:To>", LOG_IN),
        "unknown action": envelope(ACTION.replace("Zaloguj", "Usun"), to(url), LOG_IN),
        "another body": envelope(ACTION, to(url), LOG_IN.replace("Zaloguj", "Wyloguj")),
        "not xml": b"<s:Envelope",
        "a dtd": b'<!DOCTYPE x [<!ENTITY e "v">]>' + envelope(ACTION, to(url), LOG_IN),
    }
    answer = post(url, bodies[case])
    assert answer.status_code in (400, 500)
    fault = etree.fromstring(answer.content).find(".//{http://www.w3.org/2003/05/soap-envelope}Fault")
    assert subcode in "".join(fault.itertext())


def test_addressing_headers_given_twice_are_refused_as_zeep_gives_them_with_its_plugin(url: str) -> None:
    client = zeep.Client(f"{url}{PATH}?wsdl", plugins=[WsAddressingPlugin()])
    with pytest.raises(zeep.exceptions.Fault, match="Multiple headers with name 'Action'"):
        client.service.Zaloguj(KEY)
