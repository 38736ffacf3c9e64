"""The alert that a person must consent anew (kind consent): no task can help itself, so none tries again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import psycopg

from onefold.errors import OnefoldError
from onefold.http.sign_in.refresh import ConsentNeeded
from onefold.notify import alert
from onefold.notify.receiver import Receiver
from onefold.warehouse.db_errors import translate_errors

ACTOR = "onefold:sign_in"
KIND = "consent"
Receivers = Callable[[], Iterable[Receiver]]
log = logging.getLogger(__name__)


@contextmanager
def consent_alert(connection: psycopg.Connection, subject: str, receivers: Receivers) -> Iterator[None]:
    """Open the alert about this Airflow connection when the block says that consent is needed, resolve it when it does
    not. The connection commits by itself."""
    try:
        yield
    except ConsentNeeded:
        message = (
            f"The refresh token of the Airflow connection {subject!r} is not accepted any more: sign in anew as the "
            "person whom it acts for, and put the new token as refresh_token into its extra (docs/secrets.md)."
        )
        _record(lambda: alert.open_alert(connection, ACTOR, KIND, subject, message), connection, receivers)
        raise
    _record(lambda: alert.resolve_alert(connection, ACTOR, KIND, subject), connection, receivers)


def _record(change: Callable[[], bool], connection: psycopg.Connection, receivers: Receivers) -> None:
    """It never fails: the sign-in has ended as it has."""
    try:
        with translate_errors("the alert that consent is needed"):
            if change():
                alert.deliver_notifications(connection, receivers())
    except OnefoldError as error:
        log.warning("An alert was not recorded or not delivered: %s", error)
