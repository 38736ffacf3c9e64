"""REGON's SOAP: reading a call, writing an answer or a fault, and the public contract with our address."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from lxml import etree

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
PUBL = "http://CIS/BIR/PUBL/2014/07"
VALUE = "http://CIS/BIR/2014/07"  # GetValue lives in another namespace than the rest

_WSDL = Path(__file__).parent / "regon-bir11.wsdl"
_PUBLIC_ADDRESS = "https://wyszukiwarkaregontest.stat.gov.pl/wsBIR/UslugaBIRzewnPubl.svc"

_ACTIONS = {
    f"{VALUE}/IUslugaBIR/GetValue": (VALUE, "GetValue"),
    **{
        f"{PUBL}/IUslugaBIRzewnPubl/{operation}": (PUBL, operation)
        for operation in (
            "Zaloguj",
            "Wyloguj",
            "DaneSzukajPodmioty",
            "DanePobierzPelnyRaport",
            "DanePobierzRaportZbiorczy",
        )
    },
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its action, the operation with its namespace, the arguments by their local element names."""

    action: str
    namespace: str
    operation: str
    arguments: dict[str, str]
    message_id: str

    @property
    def key(self) -> bytes:
        """The question without its message id: the same question has the same key."""
        return repr((self.operation, sorted(self.arguments.items()))).encode()


class Fault(Exception):
    """A SOAP fault: the sender's mistake, with the subcode that Windows Communication Foundation gives it."""

    def __init__(self, subcode: str, reason: str, status: int = 500) -> None:
        super().__init__(reason)
        self.subcode = subcode
        self.reason = reason
        self.status = status


def read_call(body: bytes, path: str) -> Call:
    """The call in a request body that was sent to `path`. Raises Fault for what the real service refuses.

    Read without entities, DTDs and network.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        envelope = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise Fault("a:DeserializationFailed", f"The message is not XML: {error}", 400) from error
    if envelope.getroottree().docinfo.doctype or envelope.tag != f"{{{SOAP}}}Envelope":
        raise Fault("a:DeserializationFailed", "The message is not a SOAP 1.2 envelope without a DTD.", 400)
    action, to = (_header(envelope, name) for name in ("Action", "To"))
    if action not in _ACTIONS:
        raise Fault("a:ActionNotSupported", f"The message with Action '{action}' cannot be processed.")
    if urlsplit(to).path != path:
        raise Fault(
            "a:DestinationUnreachable",
            f"The message with To '{to}' cannot be processed: address filter mismatch.",
        )
    namespace, operation = _ACTIONS[action]
    question = envelope.find(f"{{{SOAP}}}Body/{{{namespace}}}{operation}")
    if question is None:
        raise Fault("a:DeserializationFailed", f"The body has no {operation} of namespace {namespace}.")
    leaves = (node for node in question.iter(etree.Element) if node is not question and len(node) == 0)
    arguments = {etree.QName(node).localname: (node.text or "").strip() for node in leaves}
    return Call(action, namespace, operation, arguments, _header(envelope, "MessageID", required=False))


def answer_envelope(call: Call, result: str, *, as_cdata: bool) -> bytes:
    """The answer to a call. XML within `result` is CDATA or entity-escaped: the real service sends either."""
    escaped = escape(result).replace("\r", "&#xD;")
    text = f"<![CDATA[{result}]]>" if as_cdata and "<" in result else escaped
    name = call.operation
    body = f'<{name}Response xmlns="{call.namespace}"><{name}Result>{text}</{name}Result></{name}Response>'
    relates = f"<a:RelatesTo>{escape(call.message_id)}</a:RelatesTo>" if call.message_id else ""
    return _envelope(f"{call.action}Response", body, relates)


def fault_envelope(fault: Fault) -> bytes:
    """The fault as a SOAP 1.2 message."""
    return _envelope(
        f"{WSA}/soap/fault",
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value>"
        f"<s:Subcode><s:Value>{fault.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{escape(fault.reason)}</s:Text></s:Reason></s:Fault>',
        "",
    )


def wsdl_for(address: str) -> bytes:
    """The public contract, word for word but for the service's address."""
    return _WSDL.read_bytes().replace(_PUBLIC_ADDRESS.encode(), escape(address).encode())


def _envelope(action: str, body: str, headers: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:a="{WSA}"><s:Header>'
        f'<a:Action s:mustUnderstand="1">{action}</a:Action>{headers}</s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def _header(envelope: etree._Element, name: str, *, required: bool = True) -> str:
    """The text of an addressing header. One given twice is refused, as the real service's framework does."""
    headers = envelope.findall(f"{{{SOAP}}}Header/{{{WSA}}}{name}")
    if len(headers) > 1:
        reason = f"Multiple headers with name '{name}' and namespace '{WSA}' found."
        raise Fault("a:InvalidAddressingHeader", reason)
    text = (headers[0].text or "").strip() if headers else ""
    if required and not text:
        raise Fault("a:MessageAddressingHeaderRequired", f"The addressing header {name} is missing.")
    return text
