"""Signing in to Airflow: after too many failures, by name or by address, nobody gets further for a while.

A locked name is refused with the right password too, and one that does not exist is locked as one that does: the
answers tell nothing of who has an account.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Literal, Protocol

from airflow.api_fastapi.auth.managers.simple.datamodels.login import LoginBody, LoginResponse
from airflow.api_fastapi.auth.managers.simple.utils import parse_login_body
from fastapi import APIRouter, Depends, HTTPException, Request, status

WINDOW = timedelta(minutes=15)
PER_NAME = 5
PER_ADDRESS = 30
"""Failures within the window after which a name, an address is locked, until the oldest of them is over. People behind
one proxy share an address."""

Subject = Literal["name", "address"]
_SIGN_IN_LOCK = threading.Lock()
"""One attempt at a time, so that a hundred at once are counted as those one after the other are."""


@dataclass(frozen=True)
class Attempt:
    """Somebody who tries to sign in. `name` is what the log may hold of what was typed."""

    name: str
    address: str


class SignInLog(Protocol):
    """Where attempts are written down, for all processes that sign people in."""

    def failures(self, subject: Subject, attempt: Attempt, since: datetime) -> list[datetime]:
        """When this name, since it signed in last, or this address has failed; the oldest first."""

    def record(self, attempt: Attempt, *, failed: bool) -> None:
        """Write the attempt down."""

    def locked(self, subject: Subject, attempt: Attempt, failures: int) -> None:
        """Tell that this failure has locked the name, or the address."""


def sign_in_router(
    log: SignInLog,
    known_as: Callable[[str], str],
    create_token: Callable[[LoginBody], str],
    create_cli_token: Callable[[LoginBody], str],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """The routes that sign in. `known_as` gives what the log may hold of a typed name; the two functions create a token
    or refuse with an HTTPException."""
    router = APIRouter()

    def limited(request: Request, body: LoginBody, create: Callable[[LoginBody], str]) -> LoginResponse:
        attempt = Attempt(known_as(body.username), address_of(request))
        with _SIGN_IN_LOCK:
            _refuse_locked(log, attempt, now())
            try:
                token = create(body)
            except HTTPException as refused:
                if refused.status_code == status.HTTP_401_UNAUTHORIZED:
                    log.record(attempt, failed=True)
                    _tell_new_locks(log, attempt, now())
                raise
            log.record(attempt, failed=False)
        return LoginResponse(access_token=token)

    @router.post("/token", status_code=status.HTTP_201_CREATED)
    def token(request: Request, body: LoginBody = Depends(parse_login_body)) -> LoginResponse:  # noqa: B008 - FastAPI's
        return limited(request, body, create_token)

    @router.post("/token/cli", status_code=status.HTTP_201_CREATED)
    def cli_token(request: Request, body: LoginBody) -> LoginResponse:
        return limited(request, body, create_cli_token)

    return router


def address_of(request: Request) -> str:
    """Whoever asks; of an IPv6 address the network, of which one customer has all."""
    host = request.client.host if request.client else "unknown"
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address)


def _limits() -> tuple[tuple[Subject, int], ...]:
    return ("name", PER_NAME), ("address", PER_ADDRESS)


def _refuse_locked(log: SignInLog, attempt: Attempt, now: datetime) -> None:
    waits = []
    for subject, limit in _limits():
        failures = log.failures(subject, attempt, now - WINDOW)
        if len(failures) >= limit:
            waits.append(failures[-limit] + WINDOW - now)
    if waits:
        seconds = max(1, round(max(waits).total_seconds()))
        raise HTTPException(
            status.HTTP_429_TOO_MANY_REQUESTS,
            f"Too many failed sign-ins. Try again in {-(-seconds // 60)} minutes.",
            headers={"Retry-After": str(seconds)},
        )


def _tell_new_locks(log: SignInLog, attempt: Attempt, now: datetime) -> None:
    for subject, limit in _limits():
        failures = len(log.failures(subject, attempt, now - WINDOW))
        if failures >= limit:
            log.locked(subject, attempt, failures)
