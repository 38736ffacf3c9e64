"""Who is notified of alerts. ONEFOLD_NOTIFY names the receivers; an Airflow connection has the address of each."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.notify.mail import MailReceiver
from onefold.notify.notification import Message
from onefold.notify.webhook import WebhookReceiver

log = logging.getLogger(__name__)

KINDS = ("email", "slack", "teams")


class Receiver(Protocol):
    """Receives notifications. `name` is as in ONEFOLD_NOTIFY; ops.alert records it once it was notified."""

    @property
    def name(self) -> str: ...

    def send(self, message: Message) -> None:
        """Raises Retriable or Fatal when the notification did not arrive."""
        ...


@dataclass(frozen=True, slots=True)
class LogReceiver:
    """The log of the task that opened or resolved the alert."""

    name: str = "log"

    def send(self, message: Message) -> None:
        level = logging.WARNING if message.is_problem else logging.INFO
        log.log(level, "%s: %s", message.title, message.text)


def read_receivers(setting: str, endpoint: Callable[[str], Endpoint]) -> list[Receiver]:
    """The receivers of a setting such as `log,email:alerts,teams:alerts_channel`.

    `endpoint` reads the Airflow connection of that id; it is called only when there is something to send. Raises
    Fatal for a setting that cannot be read.
    """
    return [_receiver(name.strip(), endpoint) for name in setting.split(",") if name.strip()]


def _receiver(name: str, endpoint: Callable[[str], Endpoint]) -> Receiver:
    kind, _, connection = name.partition(":")
    if name == "log":
        return LogReceiver()
    if kind not in KINDS or not connection:
        raise Fatal(
            f"ONEFOLD_NOTIFY names {name!r}, which is not a receiver. Write log, or one of {', '.join(KINDS)} with an "
            "Airflow connection, as in: log,email:alerts_mail,slack:alerts_slack"
        )
    connect = partial(endpoint, connection)
    return MailReceiver(name, connect) if kind == "email" else WebhookReceiver(name, connect)
