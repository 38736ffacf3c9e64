"""Events that the sender could not deliver, from its own list of them, into the inbox.

GitHub never sends again by itself and keeps what it sent for three days; Stripe tries for three days and lists events
of thirty. An event that is in the inbox already is left alone, so that looking twice does no harm.

Sources: docs.github.com, "REST API endpoints for repository webhooks" (deliveries); docs.stripe.com, "Process
undelivered webhook events".
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.catalog.webhook import Recover, Webhook
from onefold.connectors.cursor import cursor_text
from onefold.connectors.inbox import Inbox, Posted
from onefold.connectors.record import Record
from onefold.connectors.rest.reader import rest_reader
from onefold.connectors.window import Window
from onefold.errors import OnefoldError
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client

log = logging.getLogger(__name__)

KEPT = timedelta(days=3)
"""How long GitHub keeps deliveries, and Stripe tries; ids stay longer in the inbox, so that none comes twice."""
OVERLAP = timedelta(hours=1)
"""Before the last look: what was on its way then."""
PATIENCE = timedelta(days=1)
"""So long looks may fail until the load does."""


class _Delivery(msgspec.Struct):
    id: int
    event: str = ""


class _Sent(msgspec.Struct):
    payload: msgspec.Raw


class _Detail(msgspec.Struct):
    request: _Sent


class Recovery:
    """Looks for what the inbox lacks of one stream's events."""

    def __init__(
        self, system: System, stream_name: str, webhook: Webhook, recover: Recover, client: Client, inbox: Inbox
    ) -> None:
        self._names = (system.system, stream_name)
        self._github = webhook.signature == "github"
        self._path = recover.path
        self._read = rest_reader(_list(system, stream_name, recover, github=self._github), stream_name, client)
        self._client = client
        self._inbox = inbox

    def look(self, looked_at: datetime | None) -> datetime:
        """Store what is on the sender's list since the last look and not in the inbox; returns when this look began.

        Where the sender cannot be asked the last look stays the last one, and the load goes on: for a day at most,
        then this raises what the request has raised.
        """
        now, named, found = datetime.now(UTC), ".".join(self._names), 0
        try:
            for lacking in self._lacking(Window(max((looked_at or now - KEPT) - OVERLAP, now - KEPT), now)):
                found += self._inbox.store(*self._names, lacking)
        except OnefoldError as error:
            if looked_at is None or now - looked_at > PATIENCE:
                raise
            log.warning(
                "%s: what the sender could not deliver is not known, and is looked for with the next load: %s",
                *(named, error),
            )
            return looked_at
        if found:
            log.info("%s: %d events are recovered that the sender could not deliver", named, found)
        return now

    def _lacking(self, window: Window) -> Iterator[list[Posted]]:
        """Of each page of the list, newest first, what the inbox does not have."""
        oldest = cursor_text(window.start)
        for page in self._read(window, None):
            recent = {each.key: each for each in page.records if each.key and (each.cursor or oldest) >= oldest}
            known = self._inbox.known(*self._names, list(recent))
            yield [self._sent(name, each) for name, each in recent.items() if name not in known]
            if len(recent) < len({each.key for each in page.records}):
                return

    def _sent(self, name: str, listed: Record) -> Posted:
        """What was sent. GitHub shows it by itself, equal to the body but for how it is written."""
        if not self._github:
            return Posted(name, {}, listed.payload)
        entry = msgspec.json.decode(listed.payload, type=_Delivery)
        payload = self._client.send("GET", f"{self._path}/deliveries/{entry.id}", parse=_payload)
        return Posted(name, {"x-github-event": entry.event}, payload)


def _list(system: System, stream_name: str, recover: Recover, *, github: bool) -> System:
    """The sender's list as the one stream of a REST system. One entry of GitHub's is one attempt of a delivery."""
    if github:
        path, params = f"{recover.path}/deliveries", {"per_page": "100"}
        listed: dict[str, object] = {"next": {"kind": "link"}, "primary_key": ["guid"]}
        listed |= {"cursor": {"fields": ["delivered_at"]}, "fields": {"guid": "text", "delivered_at": "timestamp"}}
    else:
        path, params = recover.path, {"limit": "100", "delivery_success": "false", "created[gte]": "{start_unix}"}
        following = {"kind": "after", "parameter": "starting_after", "field": "id", "more": "has_more"}
        listed = {"next": following, "records": "data", "primary_key": ["id"], "fields": {"id": "text"}}
    listed |= {"title": "What was sent", "request": {"path": path, "params": params | recover.params}}
    stream = Stream.model_validate(listed)
    return system.model_copy(update={"protocol": "rest", "streams": {stream_name: stream}})


def _payload(response: Response) -> bytes:
    try:
        return bytes(msgspec.json.decode(response.body, type=_Detail).request.payload)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadBody("a delivery without request.payload") from error
