"""SOAP faults, envelopes and DTDs: what is tried again, what is fatal, and what is never read."""

from __future__ import annotations

from io import BytesIO

import pytest

from onefold.connectors import safe_xml
from onefold.connectors.soap.envelope import SOAP_12, result_text
from onefold.errors import Fatal
from onefold.http.attempt import BadBody
from tests.connectors.soap.shop import WSDL, Http, envelope, judged, read


def fault_11(code: str, reason: str = "No") -> bytes:
    return envelope(f"<e:Fault><faultcode>{code}</faultcode><faultstring>{reason}</faultstring></e:Fault>")


def fault_12(code: str, reason: str = "No") -> bytes:
    return envelope(
        f"<e:Fault><e:Code><e:Value>{code}</e:Value></e:Code><e:Reason><e:Text>{reason}</e:Text></e:Reason></e:Fault>",
        SOAP_12,
    )


@pytest.mark.parametrize(
    "wsdl",
    ["<html><body>Sign in</body></html>", "<a/>", '<!DOCTYPE a [<!ENTITY x "y">]><definitions/>', WSDL[:400], ""],
)
def test_what_is_no_wsdl_is_asked_for_again(wsdl):
    with pytest.raises(BadBody):
        read(Http(envelope("<L/>"), wsdl), "three.example")


@pytest.mark.parametrize(
    "body",
    [
        fault_12("e:Receiver"),
        fault_12("\n  e:Receiver\n  "),
        fault_11("e:Server"),
        fault_11("e:Server.Busy"),
        fault_11("e:Client", "MS_UNAVAILABLE"),
        fault_12("e:Sender", "MS_UNAVAILABLE"),
        fault_11(""),
    ],
)
@pytest.mark.parametrize("status", [200, 500])
def test_a_fault_of_the_other_side_is_tried_again(body, status):
    with pytest.raises(BadBody, match="a SOAP fault of the other side"):
        judged(body, status)


@pytest.mark.parametrize(
    "body", [fault_12("e:Sender"), fault_12("\ne:Sender\n"), fault_11("e:Client"), fault_11("Client.Authentication")]
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_fault_of_ours_is_fatal(body, status):
    with pytest.raises(
        Fatal, match=r"shop: the service refused the call with a SOAP fault (Sender|Client) \(2 bytes, hash"
    ):
        judged(body, status)


def test_a_fault_shows_neither_its_reason_nor_a_code_that_is_none():
    with pytest.raises(Fatal) as caught:
        judged(fault_12("e:Sender", "PESEL 85010112345 of Jan Kowalski, jan@example.com, is wrong"))
    for value in ("85010112345", "Kowalski", "jan@"):
        assert value not in str(caught.value)
    with pytest.raises(BadBody) as theirs:
        judged(fault_11("Kowalski"))
    assert "Kowalski" not in str(theirs.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"<html><body>Sign in</body></html>",
        b"<!DOCTYPE html><html></html>",
        b"<a/>",
        f'<e:Envelope xmlns:e="{SOAP_12}"/>'.encode(),
        b'<Envelope xmlns="urn:other"><Body><a/></Body></Envelope>',
    ],
)
def test_what_is_no_envelope_is_tried_again(body):
    with pytest.raises(BadBody):
        judged(body)


def test_an_error_status_without_a_fault_is_tried_again():
    with pytest.raises(BadBody, match="an error status without a SOAP fault"):
        judged(envelope("<L/>"), status=500)


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>'

OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("head", [BOMB, OUTSIDE, f"<!-- x -->{OUTSIDE}", f'<?xml version="1.0"?>\n<?pi?> {BOMB}'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_a_dtd_is_refused_before_it_is_read(head, encoding):
    body = envelope("<L>&x;&c;</L>", head=head).decode().encode(encoding)
    with pytest.raises(BadBody, match="a DTD, which is never read"):
        judged(body)
    with pytest.raises(BadBody, match="a DTD, which is never read"):
        safe_xml.tree(BytesIO(body))
    with pytest.raises(BadBody, match="a DTD, which is never read"):
        list(safe_xml.rows(BytesIO(body), "L"))


def test_an_answer_in_a_declared_encoding_is_read_in_it():
    for encoding in ("iso-8859-2", "windows-1250", "utf-16", "utf-16-le", "utf-16-be", "utf-32-le"):
        answer = envelope(
            "<L><Account><Id>Łódź</Id></Account></L>", head=f'<?xml version="1.0" encoding="{encoding}"?>'
        )
        [record] = read(Http(answer.decode().encode(encoding)), "ten.example")
        assert record.key == "Łódź"


def test_a_dtd_behind_more_than_can_be_looked_at_is_not_read_either():
    with pytest.raises(BadBody, match="does not begin within 64 KiB"):
        safe_xml.tree(BytesIO(f"<!--{'x' * 70_000}-->{BOMB}<a>&c;</a>".encode()))


def test_a_declared_encoding_is_followed_and_cannot_hide_a_dtd():
    polish = '<?xml version="1.0" encoding="iso-8859-2"?><a>Łódź</a>'.encode("iso-8859-2")
    assert safe_xml.tree(BytesIO(polish)).text == "Łódź"
    hidden = b'<?xml version="1.0" encoding="utf-7"?>' + '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-7")
    with pytest.raises(BadBody, match="a DTD"):
        safe_xml.tree(BytesIO(hidden))


def test_a_long_run_of_spaces_is_read_in_no_time():
    assert safe_xml.tree(BytesIO(b" " * 200_000 + b"<a/>")).tag == "a"


def test_a_text_of_twelve_megabytes_is_read():
    text = "x" * 12_000_000
    body = judged(envelope(f"<R><Result>{text}</Result></R>"))
    assert len(result_text(body)) == 12_000_000
    assert [len(row["Result"]) for row in safe_xml.rows(body, "R")] == [12_000_000]
