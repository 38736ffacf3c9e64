"""Who tried to sign in, in Airflow's own audit log: all API servers share it, and the UI shows it (Browse, Audit Log).

A lock is in the warehouse's audit chain too. What was typed as a name is kept only where somebody is called so: people
type their passwords there.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import psycopg
from airflow.models.log import Log
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from onefold.audit import AuditEvent, append
from onefold.errors import OnefoldError
from onefold.orchestration.sign_in import PER_ADDRESS, Attempt, Subject
from onefold.settings import warehouse_url
from onefold.warehouse.connection import connect

log = logging.getLogger(__name__)

FAILED = "sign_in.failed"
SIGNED_IN = "sign_in"
LOCKED = "sign_in.lock"
ACTOR = "airflow:sign_in"
_UNKNOWN = "unknown:"


def known_name(typed: str, names: Collection[str], secret: str) -> str:
    """What the log holds of a typed name: itself, or, where nobody is called so, a hash that nobody can try out."""
    if typed in names:
        return typed
    return _UNKNOWN + hmac.new(secret.encode(), typed.encode(errors="replace"), hashlib.sha256).hexdigest()[:32]


class AirflowSignInLog:
    """The attempts in Airflow's database; `session` opens a session that commits at its end."""

    def __init__(self, session: Callable[[], AbstractContextManager[Session]]) -> None:
        self._session = session

    def failures(self, subject: Subject, attempt: Attempt, since: datetime) -> list[datetime]:
        """As SignInLog says. No more are read than can matter."""
        with self._session() as session:
            if subject == "address":
                mine = Log.extra == _address(attempt)
            else:
                mine = Log.owner == attempt.name
                last = select(func.max(Log.dttm)).where(Log.event == SIGNED_IN, Log.dttm > since, mine)
                since = max(since, _aware(session.scalar(last)) or since)
            query = select(Log.dttm).where(Log.event == FAILED, Log.dttm > since, mine)
            found = session.scalars(query.order_by(Log.dttm.desc()).limit(PER_ADDRESS + 1)).all()
        return sorted(at for each in found if (at := _aware(each)))

    def record(self, attempt: Attempt, *, failed: bool) -> None:
        """As SignInLog says."""
        self._write(FAILED if failed else SIGNED_IN, attempt)

    def locked(self, subject: Subject, attempt: Attempt, failures: int) -> None:
        """As SignInLog says; a warehouse that cannot be reached keeps nobody locked out or in."""
        self._write(LOCKED, attempt)
        who = "unknown" if attempt.name.startswith(_UNKNOWN) else attempt.name
        about = f"user:{who}" if subject == "name" else "sign_in:address"  # an address is personal
        try:
            with connect(warehouse_url(), autocommit=True) as connection:
                append(connection, AuditEvent(ACTOR, LOCKED, about, payload={"failures": failures}))
        except (OnefoldError, psycopg.Error) as error:
            log.warning("A lock of %s is in Airflow's audit log only: %s", about, type(error).__name__)

    def _write(self, event: str, attempt: Attempt) -> None:
        with self._session() as session:
            session.add(Log(event, owner=attempt.name, owner_display_name=attempt.name, extra=_address(attempt)))


def _address(attempt: Attempt) -> str:
    return f"from {attempt.address}"


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
