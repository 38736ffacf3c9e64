"""ops.plan: every plan, what it was computed against, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from onefold.change.content import Content
from onefold.errors import Fatal
from onefold.warehouse.rows import one_row

Json = Mapping[str, object]

_SELECT = (
    "select plan_id, state, fingerprint, files, warehouse, dry_run_publish_id, publish_id, content, actor, created_at,"
    " ended_at from ops.plan"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One row of ops.plan, without its samples. `content` is what the plan says, as content.py makes it; `files` the
    SHA-256 of what people wrote, `warehouse` a WarehouseState; `publish_id` is the publish that applied it."""

    plan_id: int
    state: str
    fingerprint: str
    files: dict[str, str]
    warehouse: dict[str, object]
    dry_run_publish_id: int
    publish_id: int | None
    content: dict[str, object]
    actor: str
    created_at: datetime
    ended_at: datetime | None

    @property
    def says(self) -> Content:
        """What it says."""
        return Content.from_json(self.content)

    @property
    def subject(self) -> str:
        """How approvals and audit events name it."""
        return f"plan:{self.plan_id}"


def record(
    connection: psycopg.Connection,
    *,
    fingerprint: str,
    files: Mapping[str, str],
    warehouse: Json,
    dry_run_publish_id: int,
    content: Json,
    samples: Json,
    actor: str,
) -> int:
    """Keep a plan, in the caller's transaction; returns its number."""
    values = (
        fingerprint,
        Jsonb(dict(files)),
        Jsonb(warehouse),
        dry_run_publish_id,
        Jsonb(content),
        Jsonb(samples),
        actor,
    )
    return int(
        one_row(
            connection.execute(
                "insert into ops.plan (fingerprint, files, warehouse, dry_run_publish_id, content, samples, actor)"
                " values (%s, %s, %s, %s, %s, %s, %s) returning plan_id",
                values,
            )
        )[0]
    )


def get(connection: psycopg.Connection, plan_id: int) -> Plan:
    """The plan. Raises Fatal when there is none of that number."""
    with connection.cursor(row_factory=class_row(Plan)) as cursor:
        found = cursor.execute(f"{_SELECT} where plan_id = %s", (plan_id,)).fetchone()
    if found is None:
        raise Fatal(f"There is no plan {plan_id}. Those that there are: bin/onefold plan list.")
    return found


def newest(connection: psycopg.Connection, limit: int) -> list[Plan]:
    """The newest plans, the newest first."""
    with connection.cursor(row_factory=class_row(Plan)) as cursor:
        return cursor.execute(f"{_SELECT} order by plan_id desc limit %s", (limit,)).fetchall()


def samples_of(connection: psycopg.Connection, plan_id: int) -> dict[str, dict[str, list[dict[str, object]]]]:
    """By entity and kind of change, golden records that the plan shows."""
    found: dict[str, dict[str, list[dict[str, object]]]] = one_row(
        connection.execute("select samples from ops.plan where plan_id = %s", (plan_id,))
    )[0]
    return found


def end(connection: psycopg.Connection, plan: Plan, state: str, publish_id: int | None = None) -> None:
    """The plan was applied by that publish, or turned down: what apply compares with is needed no more."""
    connection.execute(
        "update ops.plan set state = %s, publish_id = %s, ended_at = clock_timestamp() where plan_id = %s",
        (state, publish_id, plan.plan_id),
    )
    connection.execute("delete from ops.plan_record where publish_id = %s", (plan.dry_run_publish_id,))


def forget_records(connection: psycopg.Connection) -> None:
    """Delete what apply would compare with of all plans: it is made of values that are erased now, and the plans are
    about records that are others now."""
    connection.execute("delete from ops.plan_record")


def forget_overtaken(connection: psycopg.Connection) -> None:
    """Delete what apply would compare with of plans that can be applied no more: another publish was made since."""
    connection.execute(
        "delete from ops.plan_record as r using ops.plan as p where p.dry_run_publish_id = r.publish_id"
        " and (p.warehouse ->> 'publish_id')::bigint is distinct from"
        " (select max(publish_id) from ops.publish where state = 'published')"
    )
