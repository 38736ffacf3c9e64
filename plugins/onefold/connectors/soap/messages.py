"""The messages of a SOAP service: zeep reads the WSDL and writes envelopes and addressing, and sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import zeep
from lxml import etree
from zeep.cache import InMemoryCache
from zeep.exceptions import Error as ZeepError

from onefold.catalog.system import System
from onefold.connectors import safe_xml
from onefold.connectors.soap.encoding_schema import NAMESPACE, encoding_schema
from onefold.connectors.soap.ws_security import security
from onefold.errors import Fatal
from onefold.foreign_text import described
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.known_words import known_words
from onefold.http.wire import split
from onefold.settings import ROOT

Arguments = Mapping[str, object]

CONTRACTS = ROOT / "catalog" / "wsdl"
"""Where contracts are kept that their services do not show."""

WSDL_CACHE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Message:
    """A call that zeep has written and that is still to be sent."""

    address: str
    envelope: bytes
    headers: Mapping[str, str]


class Messages:
    """Writes the calls of one service. The WSDL is loaded with the first one."""

    def __init__(self, system: System, endpoint: Endpoint, http: Client) -> None:
        self._system = system
        self._base = endpoint.url.rstrip("/")
        self._http = http
        self._security = security(system, endpoint)
        self._proxy: zeep.proxy.ServiceProxy | None = None

    def write(self, operation: str, arguments: Arguments) -> Message:
        """The message of a call. Raises Fatal when the WSDL has no such operation, or cannot be used."""
        service = self._service()
        try:
            message = getattr(service, operation)(**arguments)
        except (ZeepError, TypeError, AttributeError) as error:
            raise Fatal(
                f"{self._system.system}: the WSDL has no operation {operation} with the arguments "
                f"{', '.join(arguments) or '(none)'}: {self._told(error)}. Compare the stream with the WSDL."
            ) from error
        if not isinstance(message, Message):
            raise Fatal(f"{self._system.system}: {operation} of the WSDL is no operation over HTTP. Name another.")
        return message

    def _service(self) -> zeep.proxy.ServiceProxy:
        if self._proxy is None:
            wsdl = self._system.wsdl or ""
            url = f"{self._base}{wsdl}" if wsdl.startswith("/") else str(CONTRACTS / wsdl)
            settings = zeep.Settings(raw_response=True, forbid_dtd=True, forbid_entities=True)
            try:
                client = zeep.Client(url, self._security, _Transport(self._http), settings=settings)
                declared = client.service
            except (ZeepError, ValueError, RecursionError, FileNotFoundError) as error:
                raise Fatal(
                    f"{self._system.system}: the WSDL at {urlsplit(url).path} cannot be used: {self._told(error)}. "
                    "Check `wsdl` in the system's YAML."
                ) from error
            address = self._address(declared._binding_options["address"])
            self._proxy = client.create_service(declared._binding.name, address)
        return self._proxy

    def _told(self, error: Exception) -> str:
        """What zeep found wrong: its texts name elements, and may quote arguments and what a document holds."""
        return f"{type(error).__name__} ({described(str(error), known_words(self._system))})"

    def _address(self, declared: str) -> str:
        """The declared address on the connection's host: a WSDL often names an inner or a public host."""
        base, place = urlsplit(self._base), split(declared)
        if place is None:
            raise Fatal(
                f"{self._system.system}: the WSDL names a malformed address for its service. Report it to the "
                "system's owner, or keep a corrected copy in catalog/wsdl and name it under `wsdl`."
            )
        path = place.path
        if not path.startswith(base.path + "/"):
            path = base.path + path
        return f"{base.scheme}://{base.netloc}{path}"


class _Transport(zeep.Transport):
    """What zeep takes for its way out: it loads WSDLs and their imports through our Client, thus from the connection's
    host only, or from the catalogue, and hands written messages back instead of sending them."""

    def __init__(self, http: Client) -> None:
        zeep.Transport.__init__(self, cache=InMemoryCache(timeout=WSDL_CACHE_SECONDS))
        self._http = http

    def load(self, url: str) -> bytes:
        content: bytes | None = self.cache.get(url)
        if content is None:
            if url == NAMESPACE:
                content = encoding_schema()
            elif Path(url).parent == CONTRACTS:
                content = Path(url).read_bytes()
            else:
                content = self._http.send("GET", url, parse=_contract)
            self.cache.add(url, content)
        return content

    def post(self, address: str, message: bytes, headers: Mapping[str, str]) -> Message:
        return Message(address, message, headers)


def _contract(response: Response) -> bytes:
    contract = safe_xml.as_utf8(response.file)
    if etree.QName(safe_xml.tree(contract)).localname not in ("definitions", "schema"):
        raise BadBody("XML that is no WSDL")
    return safe_xml.as_utf8(contract).read()
