"""SOAP as the stand-ins speak it: a request's envelope, read with care, and the envelope of an answer or a fault."""

from xml.sax.saxutils import escape

from lxml import etree
from starlette.responses import Response

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_CONTENT = {SOAP_11: "text/xml; charset=utf-8", SOAP_12: "application/soap+xml; charset=utf-8"}


class Refused(Exception):
    """The sender's mistake; its text is the fault's reason."""


def envelope_in(body: bytes, namespace: str) -> etree._Element:
    """The envelope of a request. Raises Refused when it is none of this SOAP version, or has a DTD."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        envelope = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise Refused("The message is not XML.") from error
    if envelope.getroottree().docinfo.doctype or envelope.tag != f"{{{namespace}}}Envelope":
        raise Refused("The message is no envelope of the expected SOAP version.")
    return envelope


def called(envelope: etree._Element) -> etree._Element:
    """The one element of the envelope's body. Raises Refused when there is none."""
    (body,) = envelope.findall(f"{{{envelope.nsmap[envelope.prefix]}}}Body") or [None]
    if body is None or len(body) != 1:
        raise Refused("The body does not hold one call.")
    return body[0]


def arguments(call: etree._Element) -> dict[str, str]:
    """The texts of all elements below the call that hold nothing else, by their local names."""
    leaves = (node for node in call.iter(etree.Element) if node is not call and len(node) == 0)
    return {etree.QName(leaf).localname: (leaf.text or "").strip() for leaf in leaves}


def answered(content: str, namespace: str, status: int = 200) -> Response:
    """The answer with this body."""
    body = f'<env:Envelope xmlns:env="{namespace}"><env:Body>{content}</env:Body></env:Envelope>'
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>{body}', status, media_type=_CONTENT[namespace])


def fault(reason: str, namespace: str, code: str = "env:Client") -> Response:
    """The fault that says that the sender made a mistake; SOAP 1.1 with this code."""
    if namespace == SOAP_12:
        text = f'<env:Reason><env:Text xml:lang="en">{escape(reason)}</env:Text></env:Reason>'
        code = "<env:Code><env:Value>env:Sender</env:Value></env:Code>"
        return answered(f"<env:Fault>{code}{text}</env:Fault>", namespace, 400)
    text = f"<faultcode>{code}</faultcode><faultstring>{escape(reason)}</faultstring>"
    return answered(f"<env:Fault>{text}</env:Fault>", namespace, 500)


def element(name: str, value: object) -> str:
    """An element that holds the text; nothing at all for None."""
    return "" if value is None else f"<{name}>{escape(str(value))}</{name}>"
