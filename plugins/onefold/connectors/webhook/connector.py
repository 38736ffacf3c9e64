"""The inbox of webhooks as a connector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

from onefold.catalog.system import System
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.connector import Connector
from onefold.connectors.inbox import Inbox, InboxPeek, position
from onefold.connectors.lag import Lag
from onefold.connectors.page import PageReader
from onefold.connectors.peek import Peek
from onefold.connectors.webhook.reader import webhook_reader
from onefold.http.attempt import Attempt
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings


class WebhookConnector(Connector[Inbox]):
    """Reads what a sender has posted. The sender itself is only asked for what it could not deliver."""

    capabilities = Capabilities(confirms=True, only_events=True, peeks=True)

    @classmethod
    def open_transport(
        cls,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> Inbox:
        recovers = any(stream.webhook and stream.webhook.recover for stream in system.streams.values())
        return Inbox(Client(system, endpoint, on_attempt, **settings) if recovers else None)

    @classmethod
    def open_peek(cls, system: System, endpoint: Endpoint) -> Peek:
        return InboxPeek(system.system)

    def page_reader(self) -> PageReader:
        return webhook_reader(self.source.system, self.source.stream_name, self.transport)

    def confirm(self, checkpoint: str) -> Lag | None:
        """How far the stream is behind; the inbox needs to hear nothing."""
        held = position(checkpoint, self.source.named)
        return self.transport.lag(self.source.system.system, self.source.stream_name, held)
