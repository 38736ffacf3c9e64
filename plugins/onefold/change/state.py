"""What a plan was computed against, and what has moved since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import psycopg

from onefold.conform.publish_ledger import pending_loads
from onefold.warehouse.rows import one_row


@dataclass(frozen=True, slots=True)
class WarehouseState:
    """The newest publish (None before the first), the loads that the next one takes in (or, as negative numbers, out),
    how many erasures and runs of retention have rewritten records, and the newest migration of the schema."""

    publish_id: int | None
    loads: tuple[int, ...]
    rewrites: int
    migration: str

    def as_json(self) -> dict[str, object]:
        """As plain JSON containers."""
        return asdict(self) | {"loads": list(self.loads)}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> WarehouseState:
        """What as_json() gave."""
        loads, publish_id = stored["loads"], stored["publish_id"]
        return cls(
            int(str(publish_id)) if publish_id is not None else None,
            tuple(int(str(load)) for load in loads) if isinstance(loads, list) else (),
            int(str(stored["rewrites"])),
            str(stored["migration"]),
        )


def read_state(connection: psycopg.Connection) -> WarehouseState:
    """What the warehouse is like now."""
    publish_id, rewrites, migration = one_row(
        connection.execute(
            "select (select max(publish_id) from ops.publish where state = 'published'),"
            " (select count(*) from ops.erasure where state in ('executing', 'done'))"
            " + (select count(*) from ops.retention),"
            " (select max(name) from ops.schema_migration)"
        )
    )
    loads = tuple(sorted(-load if undone else load for load, undone, _ in pending_loads(connection)))
    return WarehouseState(publish_id, loads, rewrites, migration or "")


def moved_files(planned: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The files that are others than were planned, each as a sentence says it."""
    found = [f"{path} is another one" for path in sorted(planned.keys() & now.keys()) if planned[path] != now[path]]
    found += [f"{path} is gone" for path in sorted(planned.keys() - now.keys())]
    return found + [f"{path} is new" for path in sorted(now.keys() - planned.keys())]


def moved_warehouse(planned: WarehouseState, now: WarehouseState) -> Iterator[str]:
    """What has moved in the warehouse, each as a sentence says it. The schema may have: a first attempt to apply does
    that."""
    if planned.publish_id != now.publish_id:
        yield f"publish {now.publish_id} was made (planned against {planned.publish_id or 'none'})"
    came = sorted(set(now.loads) - set(planned.loads))
    went = sorted(set(planned.loads) - set(now.loads))
    if came:
        yield f"loads came or were rolled back: {_listed(came)}"
    if went:
        yield f"loads were taken in: {_listed(went)}"
    if planned.rewrites != now.rewrites:
        yield "an erasure or a run of retention has changed records"


def _listed(loads: list[int]) -> str:
    shown = ", ".join(str(abs(load)) for load in loads[:5])
    return shown if len(loads) <= 5 else f"{shown} and {len(loads) - 5} more"
