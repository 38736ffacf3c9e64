"""Who hears of alerts. ONEFOLD_NOTIFY names the receivers; where each one is stands in an Airflow connection."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.notify.mail import Mail
from onefold.notify.notification import Notice
from onefold.notify.webhook import Webhook

log = logging.getLogger(__name__)

KINDS = ("email", "slack", "teams")


class Receiver(Protocol):
    """Takes notices. `name` is as in ONEFOLD_NOTIFY, and is what ops.alert remembers."""

    name: str

    def tell(self, notice: Notice) -> None:
        """Raises Retriable or Fatal when the notice did not arrive."""
        ...


@dataclass(frozen=True, slots=True)
class Log:
    """The log of the task that noticed."""

    name: str = "log"

    def tell(self, notice: Notice) -> None:
        log.log(logging.INFO if notice.healed else logging.WARNING, "%s: %s", notice.title, notice.text)


def receivers(setting: str, endpoint: Callable[[str], Endpoint]) -> list[Receiver]:
    """The receivers of a setting such as `log,email:alerts,teams:alerts_channel`.

    `endpoint` gives what the Airflow connection of that id says, and is asked when there is something to tell. Raises
    Fatal for a setting that cannot be read.
    """
    return [_receiver(name.strip(), endpoint) for name in setting.split(",") if name.strip()]


def _receiver(name: str, endpoint: Callable[[str], Endpoint]) -> Receiver:
    kind, _, connection = name.partition(":")
    if name == "log":
        return Log()
    if kind not in KINDS or not connection:
        raise Fatal(
            f"ONEFOLD_NOTIFY names {name!r}, which is no receiver. Write log, or one of {', '.join(KINDS)} with an "
            "Airflow connection, as in: log,email:alerts_mail,slack:alerts_slack"
        )
    return (
        Mail(name, partial(endpoint, connection)) if kind == "email" else Webhook(name, partial(endpoint, connection))
    )
