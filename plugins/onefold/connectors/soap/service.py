"""SOAP 1.1 and 1.2: zeep reads the WSDL and writes envelopes and addressing; answers are read by ourselves.

zeep cannot stream, fails on text nodes over 10 MB and reads only one of MTOM's two framings (zeep 4.3), so status,
fault and frame are judged in soap/envelope.py. Every byte, the WSDL's too, goes through http.Client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import urlsplit

import zeep
from lxml import etree
from zeep.cache import InMemoryCache
from zeep.exceptions import Error as ZeepError

from onefold.catalog.system import System
from onefold.connectors import safe_xml
from onefold.connectors.soap.envelope import TheirFault, envelope_of
from onefold.connectors.soap.ws_security import security
from onefold.errors import Fatal
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.scrub import scrubbed
from onefold.settings import ROOT

T = TypeVar("T")
Arguments = Mapping[str, object]

WITH_FAULT = frozenset({400, 500})
"""HTTP statuses that may carry a fault: 500, and for the sender's mistakes in SOAP 1.2 also 400 (Part 2, 7.5.2.2)."""

CONTRACTS = ROOT / "catalog" / "wsdl"
"""Where contracts are kept that their services do not show."""

WSDL_CACHE_SECONDS = 3600


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


def _contract(response: Response) -> bytes:
    contract = safe_xml.as_utf8(response.file)
    if etree.QName(safe_xml.tree(contract)).localname not in ("definitions", "schema"):
        raise BadBody("XML that is no WSDL")
    return safe_xml.as_utf8(contract).read()
