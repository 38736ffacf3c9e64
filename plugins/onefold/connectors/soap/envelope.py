"""The envelope of a SOAP answer: its frame, and whether it holds a result or a fault."""

from __future__ import annotations

from typing import BinaryIO

from onefold.catalog.system import System
from onefold.connectors import safe_xml
from onefold.connectors.soap.mtom import unwrapped
from onefold.errors import Fatal
from onefold.foreign_text import described
from onefold.http.attempt import BadBody, Response
from onefold.http.known_words import ERROR_CODES, known_words

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"


class TheirFault(BadBody):
    """A SOAP fault of the other side; its reason is a text of theirs, not to be shown."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"a SOAP fault of the other side ({described(code, ERROR_CODES)})")
        self.reason = reason


class CallRefused(Fatal):
    """The service refused a call with a fault that is ours to mend."""


def envelope_of(response: Response, system: System) -> BinaryIO:
    """The answer's envelope in UTF-8. Raises BadBody when it is none or a fault of the other side, CallRefused
    when ours."""
    envelope = safe_xml.as_utf8(unwrapped(response.content_type, response.file))
    fault = _fault(envelope)
    if fault is not None:
        code, reason = fault
        later = any(text in reason for text in system.errors.retry)
        if later or code not in _OURS:
            raise TheirFault(code, reason)
        advice = "Compare the stream with the service's WSDL and description"
        if code in _SENDER_NOT_KNOWN:
            advice = f"Check login and password, or the key, of the Airflow connection {system.connection!r}"
        raise CallRefused(
            f"{system.system}: the service refused the call with a SOAP fault {code} "
            f"({described(reason, known_words(system)) or 'no reason'}). {advice}."
        )
    if not 200 <= response.status < 300:
        raise BadBody("an error status without a SOAP fault")
    return envelope


_SENDER_NOT_KNOWN = frozenset(
    {
        *("FailedAuthentication", "FailedCheck", "InvalidSecurity", "InvalidSecurityToken"),
        *("SecurityTokenUnavailable", "UnsupportedAlgorithm", "UnsupportedSecurityToken"),
    }
)
"""What WS-Security has for a sender who is not let in (OASIS, SOAP Message Security 1.0, 12)."""

_OURS = _SENDER_NOT_KNOWN | {"Sender", "Client", "MustUnderstand", "VersionMismatch", "DataEncodingUnknown"}


def _fault(envelope: BinaryIO) -> tuple[str, str] | None:
    """Code (Sender, Receiver, …; SOAP 1.1: Client, Server) and reason of a fault; None when there is a result.

    Looks at the first element of the body only, so that a large answer is not read twice. Raises BadBody when
    the document is no SOAP envelope.
    """
    body = None
    for element in safe_xml.starts(envelope):
        parent = element.getparent()
        if parent is None and element.tag not in _ENVELOPES:
            raise BadBody("XML that is no SOAP envelope")
        if parent is not None and parent is body:
            return _code_and_reason(envelope) if str(element.tag).rpartition("}")[2] == "Fault" else None
        if element.tag in _BODIES:
            body = element
    if body is None:
        raise BadBody("XML that is no SOAP envelope")
    return None


_ENVELOPES, _BODIES = (
    frozenset(f"{{{namespace}}}{name}" for namespace in (SOAP_11, SOAP_12)) for name in ("Envelope", "Body")
)


def _code_and_reason(envelope: BinaryIO) -> tuple[str, str]:
    root = safe_xml.tree(envelope)
    soap_12 = root.find(f"{{*}}Body/{{{SOAP_12}}}Fault")
    if soap_12 is not None:
        code = soap_12.findtext(f"{{{SOAP_12}}}Code/{{{SOAP_12}}}Value", "")
        reason = soap_12.findtext(f"{{{SOAP_12}}}Reason/{{{SOAP_12}}}Text", "")
    else:
        code, reason = root.findtext(".//faultcode", ""), root.findtext(".//faultstring", "")
    # Some services pad the code with newlines; SOAP 1.1 allows Client.Authentication.
    return code.strip().rpartition(":")[2].partition(".")[0] or "without a code", reason.strip()


def result_text(envelope: BinaryIO) -> str:
    """The text of the answer's only value: Body/…Response/…Result. "" when it is empty, nil or not there."""
    result = safe_xml.tree(envelope).find("{*}Body/*/*")
    return "" if result is None or result.text is None else result.text
