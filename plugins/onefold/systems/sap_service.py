"""SAP's BAPIs as web services: their tables, and the messages that stand where an error should.

Source: SAP Cloud SDK, "Call a BAPI/RFC module" (BAPIs throw nothing, the table RETURN tells), and what clients of such
services had to learn: a table that the request does not hold is not in the answer either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from onefold.catalog.system import System
from onefold.connectors import safe_xml
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.page import PageReader
from onefold.connectors.safe_xml import Row
from onefold.connectors.soap.connector import SoapConnector
from onefold.connectors.soap.reader import one_call
from onefold.connectors.soap.service import Arguments, SoapService
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.foreign_text import described
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint

TABLES = ("COSTCENTERLIST", "RETURN")
FAILED = ("E", "A")  # error, abort; the others are success, information and warning


def bapi_reader(system: System, stream_name: str, endpoint: Endpoint, http: Client) -> PageReader:
    """Reads all cost centers of the controlling area; one that is no longer listed is gone.

    Raises Fatal when the BAPI says that it failed.
    """
    stream = system.streams[stream_name]

    def arguments(window: Window) -> Arguments:
        return {**stream.request.params, **{table: {} for table in TABLES}}

    def rows(envelope: BinaryIO) -> Iterator[Row]:
        """The rows of both tables are called item; those of RETURN have a type and a number."""
        for row in safe_xml.rows(envelope, "item"):
            if "TYPE" not in row or "NUMBER" not in row:
                yield row
            elif row["TYPE"] in FAILED:
                raise Fatal(
                    f"{system.system}.{stream_name}: {stream.request.operation} failed with {_message_of(row)} "
                    f"({described(str(row.get('MESSAGE') or ''))}). Check the params in the system's YAML and "
                    " the rights of the connection's user."
                )

    return one_call(system, stream_name, SoapService(system, endpoint, http), arguments, rows, whole=True)


def _message_of(row: Row) -> str:
    """Class and number of a message (BAPIRET2: ID has at most 20 letters, NUMBER three digits), as "KM 025"."""
    found = f"{row.get('ID')} {row['NUMBER']}"
    return found if re.fullmatch(r"[A-Z0-9_/]{1,20} [0-9]{3}", found) else f"a message ({described(found)})"


class BapiConnector(SoapConnector):
    """Reads the tables of a BAPI."""

    capabilities = Capabilities()

    def page_reader(self) -> PageReader:
        source = self.source
        return bapi_reader(source.system, source.stream_name, source.endpoint, self.transport)


CONNECTOR = BapiConnector
