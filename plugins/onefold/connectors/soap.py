"""SOAP 1.1 and 1.2: zeep reads the WSDL and writes envelopes and addressing; answers are read here, row by row.

zeep cannot stream, fails on text nodes over 10 MB and reads only one of MTOM's two framings (zeep 4.3), so status,
fault and frame are judged here. Every byte, the WSDL's too, goes through http.Client.

An answer is whole or it is nothing: its rows are written down, unseen, while it is read, and given as pages when its
end has been reached. So its size costs disk, not memory, and a broken one leads to another call, never to half a load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import urlsplit

import msgspec
import zeep
from lxml import etree
from zeep.cache import InMemoryCache
from zeep.exceptions import Error as ZeepError

from onefold.catalog.system import System
from onefold.connectors import safe_xml
from onefold.connectors.mtom import unwrapped
from onefold.connectors.page import Page, PageReader, Part, Questions, Record, Window
from onefold.connectors.records import Head
from onefold.connectors.safe_xml import Row
from onefold.connectors.window_text import filled, placeholders
from onefold.connectors.ws_security import security
from onefold.errors import Fatal
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.scrub import scrubbed
from onefold.http.spool import Spool
from onefold.settings import ROOT

T = TypeVar("T")
Arguments = Mapping[str, object]

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
WITH_FAULT = frozenset({400, 500})
"""HTTP statuses that may carry a fault: 500, and for the sender's mistakes in SOAP 1.2 also 400 (Part 2, 7.5.2.2)."""

CONTRACTS = ROOT / "catalog" / "wsdl"
"""Where contracts are kept that their services do not show."""

WSDL_CACHE_SECONDS = 3600
PAGE = 2000
AGAIN = "again"
"""The token between two pages of one answer, which cannot be asked for from its middle: after a crash the call is made
again and read from the start (the load takes a record once)."""


class SoapService:
    """One SOAP service, called through an http.Client. The WSDL is loaded at the first call."""

    def __init__(self, system: System, endpoint: Endpoint, http: Client) -> None:
        self._system = system
        self._base = endpoint.url.rstrip("/")
        self._http = http
        self._security = security(system, endpoint)
        self._client: zeep.Client | None = None
        self._proxy: zeep.proxy.ServiceProxy | None = None

    def call(
        self,
        operation: str,
        arguments: Arguments,
        read: Callable[[BinaryIO], T],
        headers: Mapping[str, str] | None = None,
        meaning: Callable[[str], T | None] = lambda _: None,
    ) -> T:
        """Call an operation and give what `read` makes of the answer's envelope (UTF-8, unwrapped, no fault).

        The file is closed afterwards. `read` raises BadBody when the answer is not sound: the call is then made again.
        `meaning` is asked about the reason of a fault of the other side: what it gives, if not None, is the answer.
        Raises Fatal for a fault that is our mistake, Retriable when the service stays down.
        """

        def parse(response: Response) -> T:
            try:
                return read(envelope_of(response, self._system))
            except TheirFault as fault:
                meant = meaning(fault.reason)
                if meant is None:
                    raise
                return meant

        message = self._message(operation, arguments)
        return self._http.send(
            "POST",
            urlsplit(message.address).path,
            headers={**message.headers, **(headers or {})},
            body=message.envelope,
            accept=WITH_FAULT,
            parse=parse,
        )

    def _message(self, operation: str, arguments: Arguments) -> _Message:
        service = self._service()
        try:
            return getattr(service, operation)(**arguments)
        except (ZeepError, TypeError, AttributeError) as error:
            raise Fatal(
                f"{self._system.system}: the WSDL has no operation {operation} with the arguments "
                f"{', '.join(arguments) or '(none)'}: {scrubbed(str(error))}. Compare the stream with the WSDL."
            ) from error

    def _service(self) -> zeep.proxy.ServiceProxy:
        if self._proxy is None:
            wsdl = self._system.wsdl or ""
            url = f"{self._base}{wsdl}" if wsdl.startswith("/") else str(CONTRACTS / wsdl)
            settings = zeep.Settings(raw_response=True, forbid_dtd=True, forbid_entities=True)
            try:
                self._client = zeep.Client(url, self._security, _Transport(self._http), settings=settings)
                declared = self._client.service
            except (ZeepError, ValueError, RecursionError, FileNotFoundError) as error:
                raise Fatal(
                    f"{self._system.system}: the WSDL at {urlsplit(url).path} cannot be used: {scrubbed(str(error))}. "
                    "Check `wsdl` in the system's YAML."
                ) from error
            address = self._address(declared._binding_options["address"])
            self._proxy = self._client.create_service(declared._binding.name, address)
        return self._proxy

    def _address(self, declared: str) -> str:
        """The declared address on the connection's host: a WSDL often names an inner or a public host."""
        base, path = urlsplit(self._base), urlsplit(declared).path
        if not path.startswith(base.path + "/"):
            path = base.path + path
        return f"{base.scheme}://{base.netloc}{path}"


@dataclass(frozen=True, slots=True)
class _Message:
    """A call that zeep has written and that is still to be sent."""

    address: str
    envelope: bytes
    headers: Mapping[str, str]


class _Transport(zeep.Transport):
    """What zeep takes for its way out: it loads WSDLs and their imports through our Client, thus from the connection's
    host only, or from the catalogue, and hands written messages back instead of sending them."""

    def __init__(self, http: Client) -> None:
        super().__init__(cache=InMemoryCache(timeout=WSDL_CACHE_SECONDS))
        self._http = http

    def load(self, url: str) -> bytes:
        content = self.cache.get(url)
        if content is None:
            if Path(url).parent == CONTRACTS:
                content = Path(url).read_bytes()
            else:
                content = self._http.send("GET", url, parse=_contract)
            self.cache.add(url, content)
        return content

    def post(self, address: str, message: bytes, headers: Mapping[str, str]) -> _Message:
        return _Message(address, message, headers)


class TheirFault(BadBody):
    """A SOAP fault of the other side; its reason is a text of theirs, not to be shown."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"a SOAP fault of the other side ({code})")
        self.reason = reason


def envelope_of(response: Response, system: System) -> BinaryIO:
    """The answer's envelope in UTF-8. Raises BadBody when it is none or a fault of the other side, Fatal when ours."""
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
        raise Fatal(
            f'{system.system}: the service refused the call with a SOAP fault {code}, saying "{scrubbed(reason)}". '
            f"{advice}."
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
            return _code_and_reason(envelope) if element.tag.rpartition("}")[2] == "Fault" else None
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


def _contract(response: Response) -> bytes:
    contract = safe_xml.as_utf8(response.file)
    if etree.QName(safe_xml.tree(contract)).localname not in ("definitions", "schema"):
        raise BadBody("XML that is no WSDL")
    return safe_xml.as_utf8(contract).read()


def result_text(envelope: BinaryIO) -> str:
    """The text of the answer's only value: Body/…Response/…Result. "" when it is empty, nil or not there."""
    result = safe_xml.tree(envelope).find("{*}Body/*/*")
    return "" if result is None or result.text is None else result.text


def reader(system: System, stream_name: str, endpoint: Endpoint, http: Client, questions: Questions) -> PageReader:
    """Reads a stream of one call: `request.operation` with `request.params`; `records` names the row's element.

    Raises Fatal for a look-up stream: how a service is asked one value at a time is its own module's to say.
    """
    stream = system.streams[stream_name]
    if stream.lookup:
        raise Fatal(
            f"{system.system}.{stream_name}: a SOAP stream with lookup needs a module in systems/ that asks its "
            "questions: name it under `python` in the system's YAML."
        )

    def arguments(window: Window) -> Arguments:
        values = placeholders(window, stream)
        return {name: filled(value, values) for name, value in stream.request.params.items()}

    def rows(envelope: BinaryIO) -> Iterator[Row]:
        return safe_xml.rows(envelope, stream.records)

    return one_call(system, stream_name, SoapService(system, endpoint, http), arguments, rows)


def one_call(
    system: System,
    stream_name: str,
    service: SoapService,
    arguments: Callable[[Window], Arguments],
    rows: Callable[[BinaryIO], Iterator[Row]],
    *,
    whole: bool = False,
) -> PageReader:
    """Reads a stream of one call: what is asked for a window, and how the rows are taken out of the answer's envelope.

    `whole`: the answer holds all that there is, so that what it lacks is gone.
    """
    stream = system.streams[stream_name]
    head = Head(f"{system.system}.{stream_name}", stream)
    heads = msgspec.json.Decoder(list[head.shape])

    def written_down(envelope: BinaryIO) -> Spool:
        lines, encode_lines = Spool(), msgspec.json.Encoder().encode_lines
        found = rows(envelope)
        while some := list(islice(found, 100)):
            lines.write(encode_lines(some))
        return lines.rewound()

    def records(payloads: list[bytes]) -> list[Record]:
        try:
            found = heads.decode(b"[" + b",".join(payloads) + b"]")
        except msgspec.ValidationError:  # some head is no scalar: only that record must suffer
            return [head.record(payload) for payload in payloads]
        return list(map(head.of, found, payloads))

    def read(window: Window, token: str | None) -> Iterator[Page]:
        at = datetime.now(UTC)
        ended = (Part("", whole_since=at),) if whole else ()
        request = stream.request
        with service.call(request.operation or "", arguments(window), written_down, request.headers) as lines:
            payloads = (line[:-1] for line in lines)
            following: list[bytes] | None = list(islice(payloads, PAGE))
            while following is not None:
                page, following = following, list(islice(payloads, PAGE)) or None
                yield Page(records(page), at, AGAIN if following else None, ended=() if following else ended)

    return read
