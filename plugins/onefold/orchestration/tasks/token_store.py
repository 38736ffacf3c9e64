"""Where a task stores a refresh token that changes, one place for each connection: a secret of a vault's where one is
set (ONEFOLD_REFRESH_TOKENS), else a variable of Airflow's. Either is encrypted where it lies.

While one process has the token, the lock in the warehouse keeps the others of all machines out. A vault also refuses
what a process writes that has lost the lock without knowing it.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import tenacity
from airflow.sdk import Variable
from airflow.sdk.exceptions import AirflowRuntimeError

from onefold.errors import Fatal, Retriable
from onefold.http.token_store import StoredToken
from onefold.orchestration.tasks.consent_alert import Receivers, consent_alert
from onefold.warehouse.advisory_lock import awaited_lock
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors

NAMESPACE = 5
"""Of the advisory locks of sign-ins."""
LONGEST_WAIT = 300.0
"""Seconds: a token server is asked by one process for no longer, with a system's usual limits."""
TRIES = 6
"""How often a new token is tried to be stored, over about a minute: it is the only one there is."""


class LockedStore(ABC):
    """What both places have in common: one process at a time, and a write that is tried again."""

    def __init__(self, connection_id: str, warehouse_url: str, receivers: Receivers = tuple) -> None:
        self.connection = connection_id
        self._warehouse_url = warehouse_url
        self._receivers = receivers

    @property
    def key(self) -> str:
        return f"onefold_refresh_token__{self.connection}"  # Airflow masks a variable that is called a token

    @contextmanager
    def exclusive(self) -> Iterator[StoredToken]:
        busy = (
            f"The refresh token of the Airflow connection {self.connection!r} was in use by another task for "
            f"{LONGEST_WAIT:.0f} s. Run it later; nothing was asked."
        )
        with (
            connect(self._warehouse_url, autocommit=True) as connection,
            translate_errors(f"the sign-in of {self.connection}"),
            awaited_lock(connection, self.key, namespace=NAMESPACE, seconds=LONGEST_WAIT, busy=busy),
            consent_alert(connection, self.connection, self._receivers),
        ):
            yield self

    @abstractmethod
    def read(self) -> str | None: ...

    def write(self, text: str) -> None:
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(TRIES),
            wait=tenacity.wait_exponential(multiplier=1, max=30),
            retry=tenacity.retry_if_exception_type(Retriable),
            reraise=True,
        )
        try:
            retrying(self.write_once, text)
        except Retriable as error:
            raise Retriable(
                f"The new refresh token of the Airflow connection {self.connection!r} could not be stored, {TRIES} "
                f"times: {error} If the token server then refuses the old token, somebody must consent anew."
            ) from error

    @abstractmethod
    def write_once(self, text: str) -> None:
        """Store it durably. Raises Retriable when it may be tried again."""


class VariableStore(LockedStore):
    """In a variable of Airflow's, encrypted with the key of its connections.

    Airflow reads variables from its secrets backends first and writes them to its database alone.
    """

    def read(self) -> str | None:
        """Whether there is one is asked of the list of keys: Variable.get says "not found" when the API server is down,
        and the token of long ago, asked with again, would end the family."""
        try:
            if self.key not in Variable.keys(prefix=self.key):
                return None
            found = Variable.get(self.key, default=None)
        except AirflowRuntimeError as error:
            raise self._unreadable() from error
        if found is None:
            raise self._unreadable()
        return str(found)

    def write_once(self, text: str) -> None:
        try:
            Variable.set(self.key, text, "The latest tokens of a sign-in. Made by Onefold; leave it alone.")
        except AirflowRuntimeError as error:
            raise Retriable(
                "Airflow's API server took no variable. Start it (bin/onefold up) and try again."
            ) from error
        if self.read() != text:
            raise Fatal(
                f"The new refresh token of the Airflow connection {self.connection!r} was stored and is not what is "
                f"read: a secrets backend has the variable {self.key} too, and Airflow reads that one first. Delete "
                "it there."
            )

    def _unreadable(self) -> Retriable:
        return Retriable(
            f"The refresh token of the Airflow connection {self.connection!r} cannot be read: Airflow's API server "
            "does not give its variables. See whether it is up with bin/onefold status; nothing was asked."
        )


def in_task() -> bool:
    """Whether this is a task of Airflow's, which alone may set variables."""
    return hasattr(sys.modules.get("airflow.sdk.execution_time.task_runner"), "SUPERVISOR_COMMS")
