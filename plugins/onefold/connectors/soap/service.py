"""One SOAP service, version 1.1 or 1.2.

zeep cannot stream, fails on text nodes over 10 MB and reads only one of MTOM's two framings (zeep 4.3), so it writes
messages only (soap/messages.py); status, fault and frame are judged in soap/envelope.py. Every byte, the WSDL's too,
goes through http.Client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, BinaryIO, TypeVar
from urllib.parse import urlsplit

from onefold.catalog.system import System
from onefold.connectors.soap.envelope import TheirFault, envelope_of
from onefold.http.attempt import Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint

if TYPE_CHECKING:
    from onefold.connectors.soap.messages import Message, Messages

T = TypeVar("T")
Arguments = Mapping[str, object]

WITH_FAULT = frozenset({400, 500})
"""HTTP statuses that may carry a fault: 500, and for the sender's mistakes in SOAP 1.2 also 400 (Part 2, 7.5.2.2)."""


class SoapService:
    """One SOAP service, called through an http.Client. The WSDL is loaded at the first call."""

    def __init__(self, system: System, endpoint: Endpoint, http: Client) -> None:
        self._system = system
        self._endpoint = endpoint
        self._http = http
        self._messages: Messages | None = None

    def call(
        self,
        operation: str,
        arguments: Arguments,
        read: Callable[[BinaryIO], T],
        headers: Mapping[str, str] | None = None,
        meaning: Callable[[str], T | None] = lambda _: None,
        *,
        once: bool = False,
    ) -> T:
        """Call an operation and give what `read` makes of the answer's envelope (UTF-8, unwrapped, no fault).

        The file is closed afterwards. `read` raises BadBody when the answer is not sound: the call is then made again.
        `meaning` is asked about the reason of a fault of the other side: what it gives, if not None, is the answer.
        `once`: the call may change something, and is never made again once it may have been carried out (Client's
        send_once). Raises Fatal for a fault that is our mistake, Retriable when the service stays down.
        """

        def parse(response: Response) -> T:
            try:
                return read(envelope_of(response, self._system))
            except TheirFault as fault:
                meant = meaning(fault.reason)
                if meant is None:
                    raise
                return meant

        message = self._written(operation, arguments)
        send = self._http.send_once if once else self._http.send
        return send(
            "POST",
            urlsplit(message.address).path,
            headers={**message.headers, **(headers or {})},
            body=message.envelope,
            accept=WITH_FAULT,
            parse=parse,
        )

    def _written(self, operation: str, arguments: Arguments) -> Message:
        if self._messages is None:
            from onefold.connectors.soap.messages import Messages  # zeep takes a fifth of a second to import

            self._messages = Messages(self._system, self._endpoint, self._http)
        return self._messages.write(operation, arguments)
