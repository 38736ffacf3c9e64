"""Which tokens of Airflow's API were issued when somebody signed in.

A token is good because it is signed with a key, and a key can be found by somebody who signs in as nobody. So the API
server remembers, as hashes, the tokens that it has issued, and takes no others: in memory, and in ops.session for its
next start. Only the role onefold_approvals may write that table; its credentials are in the API server's environment
alone.
"""

from __future__ import annotations

import hashlib
import logging
import time
from datetime import UTC, datetime

import psycopg

from onefold.errors import Retriable
from onefold.settings import APPROVALS_URL, secret
from onefold.warehouse.connection import connect

log = logging.getLogger(__name__)

_issued: dict[str, float] = {}
"""By hash of the token: when it expires, in seconds since 1970."""


def begin(token: str, subject: str, seconds: float) -> None:
    """Somebody has signed in and was given this token. Without the warehouse it is good until the API server's end."""
    now = time.time()
    for expired in [known for known, until in _issued.items() if until < now]:
        del _issued[expired]
    _issued[_hash(token)] = now + seconds
    if url := secret(APPROVALS_URL):
        try:
            with connect(url, autocommit=True) as connection:
                connection.execute("delete from ops.session where expires_at < now()")
                connection.execute(
                    "insert into ops.session (token_sha256, subject, expires_at) values (%s, %s, %s)",
                    (_hash(token), subject, datetime.fromtimestamp(now + seconds, UTC)),
                )
        except (Retriable, psycopg.Error) as error:
            log.warning("a sign-in is not kept beyond the API server's end: %s", type(error).__name__)


def was_issued(token: str) -> bool:
    """Whether this token was given to somebody who signed in. Its signature and its end are for others to check."""
    if _hash(token) in _issued:
        return True
    url = secret(APPROVALS_URL)
    if not url:
        return False
    try:
        with connect(url, autocommit=True) as connection:
            row = connection.execute(
                "select extract(epoch from expires_at)::float8 from ops.session"
                " where token_sha256 = %s and expires_at > now()",
                (_hash(token),),
            ).fetchone()
    except (Retriable, psycopg.Error) as error:
        log.warning("a token cannot be looked up: %s", type(error).__name__)
        return False
    if row:
        _issued[_hash(token)] = row[0]
    return row is not None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
