"""One write-back from its beginning to its end: what is known is recorded, what is intended is planned and executed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from onefold.audit import AuditEvent, append
from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.catalog.target import Target
from onefold.errors import Fatal
from onefold.load.ledger import Run
from onefold.service_window import within
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.write_back import outbox, plan_ledger
from onefold.write_back.approval import plan_page
from onefold.write_back.execute import Executed, execute_plan
from onefold.write_back.intents import intend_all
from onefold.write_back.outbox import write_lock
from onefold.write_back.place import OpenObject
from onefold.write_back.plan import make_plan
from onefold.write_back.plan_ledger import Plan
from onefold.write_back.resolve import resolve_ambiguous
from onefold.write_back.waiting import executable_plans, turn_down, waiting_plans


@dataclass(frozen=True, slots=True)
class WriteBack:
    """A target with all that a write-back to it needs: the warehouse's URL, and the target's own."""

    url: str
    target_url: str
    target: Target
    system: System
    entities: Mapping[str, Entity]
    open_object: OpenObject

    def plan(self, run: Run) -> tuple[Plan, ...]:
        """Find out about what was not answered, and plan what is intended: what needs no approval, then what does."""
        with self._locked() as connection:
            resolve_ambiguous(connection, self.target, self.system, self.open_object)
            return make_plan(connection, self.target, self.entities, self.open_object, run)

    def page(self, plan: Plan) -> str:
        """The plan as it is shown."""
        with connect(self.url) as connection:
            return plan_page(connection, plan, self.target)

    def waiting(self) -> list[Plan]:
        """The plans that wait for a person's answer."""
        with connect(self.url) as connection:
            return waiting_plans(connection, self.target.target)

    def execute_ready(self, run: Run) -> list[Executed]:
        """Execute each plan that needs no approval or has one. Raises, after the others, what has kept one from it."""
        with connect(self.url) as connection:
            ready = executable_plans(connection, self.target.target)
        done: list[Executed] = []
        wrong: Fatal | None = None
        for plan in ready:
            try:
                done.append(self.execute(plan.plan_id, run))
            except Fatal as error:
                wrong = wrong or error
        if wrong is not None:
            raise wrong
        return done

    def execute(self, plan_id: int, run: Run) -> Executed:
        """Execute a plan, once it is approved where it has to be. Raises Closed outside the target's hours."""
        may_go_on = within(self.target.window)
        with self._locked() as connection:
            return execute_plan(
                connection,
                self.target,
                self.entities,
                self.open_object,
                plan_id,
                run,
                target_url=self.target_url,
                may_go_on=may_go_on,
            )

    def turn_down(self, plan_id: int) -> None:
        """End a plan that somebody has refused: its records wait for a replay, or for a newer version."""
        with self._locked() as connection, connection.transaction():
            turn_down(connection, plan_ledger.get_plan(connection, plan_id))

    def intend_all(self) -> int:
        """Intend to write every golden record of which the target was never given what it would be given now."""
        with self._locked() as connection, connection.transaction():
            return intend_all(connection, self.target)

    def replay(self, run: Run, ids: Sequence[int] = ()) -> int:
        """Intend refused records again, these or all; returns how many."""
        with self._locked() as connection, connection.transaction():
            replayed = outbox.replay(connection, self.target.target, ids)
            payload = {"intents": replayed}
            append(
                connection, AuditEvent(run.actor, "write_back.replay", f"target:{self.target.target}", payload=payload)
            )
            return replayed

    @contextmanager
    def _locked(self) -> Iterator[psycopg.Connection]:
        with (
            translate_errors(f"write-back to {self.target.target}"),
            connect(self.url, autocommit=True) as connection,
            write_lock(connection, self.target.target),
        ):
            yield connection
