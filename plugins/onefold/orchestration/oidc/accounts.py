"""The API server and the warehouse's accounts (ops.account): what is recorded at a sign-in, and whose have ended.

Without the warehouse people still sign in, so that somebody can mend it; whoever's account has ended before is switched
off in Airflow's own database and stays out.
"""

from __future__ import annotations

import logging
import time

import psycopg

from onefold.audit.person import Person
from onefold.errors import Retriable
from onefold.orchestration.oidc.provider import Rights
from onefold.settings import APPROVALS_URL, secret
from onefold.warehouse.connection import connect

log = logging.getLogger(__name__)

LOOK_EVERY = 15.0
"""Seconds for which an account that has not ended is taken for one that has not."""
_MOST = 10_000
_looked: dict[str, float] = {}


def record_sign_in(person: Person, rights: Rights | None) -> bool | None:
    """Record what the groups of this person allow (None: nothing any more), which their personal login follows.

    Returns whether their account has ended; None when the warehouse does not say.
    """
    url = secret(APPROVALS_URL)
    if not url:
        return None
    duty, pii = (rights.duty, rights.pii) if rights else (None, False)
    try:
        with connect(url, autocommit=True) as connection:
            row = connection.execute(
                "select audit.record_sign_in(%s, %s, %s, %s, %s)",
                (person.account, person.issuer, person.subject, duty, pii),
            ).fetchone()
    except (Retriable, psycopg.Error) as error:
        log.warning("a sign-in is not recorded in the warehouse: %s", type(error).__name__)
        return None
    return bool(row and row[0])


def has_ended(account: str) -> bool:
    """Whether the account has ended, known LOOK_EVERY seconds late at most; False when the warehouse does not say."""
    now = time.monotonic()
    url = secret(APPROVALS_URL)
    if not url or _looked.get(account, float("-inf")) + LOOK_EVERY > now:
        return False
    try:
        with connect(url, autocommit=True) as connection:
            row = connection.execute(
                "select ended_at is not null from ops.account where account = %s", (account,)
            ).fetchone()
    except (Retriable, psycopg.Error) as error:
        log.warning("whether an account has ended cannot be looked up: %s", type(error).__name__)
        return False
    if row == (True,):
        _looked.pop(account, None)
        return True
    if len(_looked) >= _MOST:
        _looked.clear()
    _looked[account] = now
    return False
