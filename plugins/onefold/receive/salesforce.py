"""Salesforce's Outbound Messages: SOAP with up to 100 notifications, which nothing signs.

Source: "Outbound Messaging" of Salesforce's SOAP API Developer Guide, and the WSDL that it gives for each message.
"""

from __future__ import annotations

import re
from io import BytesIO

import msgspec

from onefold.connectors.safe_xml import rows
from onefold.http.attempt import BadBody
from onefold.receive.notification import Notification

ACK = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
    b"</soapenv:Body></soapenv:Envelope>"
)
"""Without it Salesforce sends the message again, for 24 hours."""
_SENDER = frozenset({"OrganizationId", "ActionId"})
_ID = re.compile(r"(00D[A-Za-z0-9]{12})([A-Za-z0-9]{3})?", re.ASCII)


def organization_key(text: str) -> bytes:
    """An organisation's id in its short form, which the long one begins with; empty where it is none."""
    found = _ID.fullmatch(text)
    return found[1].encode() if found else b""


def outbound_notifications(body: bytes) -> list[Notification]:
    """The notifications of a message, each with the organisation's id and as JSON: `OrganizationId`, `ActionId`, `Id`
    and `sObject`, the record as it was when the message was sent. The session's id is left out: it is a credential.

    No notification where the body is no such message.
    """
    outside: dict[str, str] = {}
    try:
        found = list(rows(BytesIO(body), "Notification", outside, _SENDER))
    except BadBody:
        return []
    sender = {name: outside.get(name, "") for name in sorted(_SENDER)}
    return [
        Notification(
            organization_key(sender["OrganizationId"]),
            found_id if isinstance(found_id := each.get("Id"), str) else None,
            msgspec.json.encode({**each, **sender}),
        )
        for each in found
    ]
