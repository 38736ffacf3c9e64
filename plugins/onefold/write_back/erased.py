"""What the erasure of a person means for write-back: nothing of them is written any more; who has got them is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import psycopg
from psycopg import sql

from onefold.catalog.target import Target
from onefold.privacy.records import GoldenId
from onefold.privacy.values import Finder

_HAS_GOT = """
select o.target, o.object, o.golden_id, max(o.reference), max(o.target_key), bool_or(o.change = 'create')
from ops.outbox as o
where o.golden_id = any (%s) and o.change in ('create', 'update')
    and (o.state in ('sent', 'ambiguous', 'confirmed') or (o.sent_at is not null and o.target_key is not null))
    and not exists (
        select from ops.outbox as gone where gone.target = o.target and gone.object = o.object
            and gone.golden_id = o.golden_id and gone.intent_id > o.intent_id
            and gone.change = 'delete' and gone.state = 'confirmed')
group by 1, 2, 3 order by 1, 2, 3
"""
# The digest is made of values, so it goes with them; without one, what is not sent yet never is (outbox.py).
_END = """
update ops.outbox set digest = '', sent = null,
    state = case when state in ('intended', 'refused') then 'superseded' else state end,
    ended_at = case when state in ('intended', 'refused') then clock_timestamp() else ended_at end
where golden_id = any (%s) and wanted <> 'delete'
"""
_INTEND_DELETE = """
insert into ops.outbox (idempotency_key, target, object, entity, golden_id, publish_id, wanted, reference, digest)
select encode(sha256(convert_to(concat_ws('|', target, object, golden_id, intent_id, 'erased'), 'UTF8')), 'hex'),
    target, object, entity, golden_id, publish_id, 'delete', reference, sha256('ended')
from (select distinct on (golden_id) * from ops.outbox where target = %s and object = %s and golden_id = any (%s)
    order by golden_id, intent_id desc) as newest
where wanted <> 'delete'
"""
_SUPERSEDE = """
with open as (
    update ops.write_back_plan as p set state = 'superseded', ended_at = clock_timestamp(),
        reason = 'a person was erased, of whom it had values'
    where p.state in ('planning', 'planned') and exists (
        select from ops.write_back_plan_row as r where r.plan_id = p.plan_id
            and (r.golden_id = any (%s) or r.ctid = any (%s::tid[])))
    returning p.plan_id)
delete from ops.write_back_plan_row as r using open where r.plan_id = open.plan_id
"""
_ERASED = """
select distinct x.{id} from conformed.{crosswalk} as x
    join ops.suppression as s on s.kind = 'record' and s.system = x.system and s.stream = x.stream and s._key = x.key
where x.{id} = any (%s)
"""


def erased_among(connection: psycopg.Connection, entity: str, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the golden records that have, or had, a record of a person who was erased."""
    names = {"id": sql.Identifier(f"{entity}_id"), "crosswalk": sql.Identifier(f"{entity}_crosswalk_version")}
    return {golden_id for (golden_id,) in connection.execute(sql.SQL(_ERASED).format(**names), (list(ids),))}


def intended_targets(connection: psycopg.Connection) -> list[str]:
    """The targets to which anything was ever to be written."""
    return [name for (name,) in connection.execute("select distinct target from ops.outbox order by 1")]


def written_to(
    connection: psycopg.Connection, targets: Mapping[str, Target], golden: Collection[GoldenId], known: Finder
) -> tuple[str, ...]:
    """In words, a line for each record of the person that a target has got from us, and who deletes it there."""
    lines = []
    for name, said, _, reference, key, made in connection.execute(_HAS_GOT, (_ids(golden),)).fetchall():
        by_key = key is not None and not known.find(key, personal=True)
        which = f"its record {key}" if by_key else f"the record with our reference {reference}"
        if made and said in _deleting(targets.get(name)):
            what = (
                "that it is deleted there is intended with the erasure, and waits for another person's approval: "
                f"bin/onefold write-back {name} --plan"
            )
        else:
            what = "it has to be deleted there"
        lines.append(f"Written out to {name}, object {said}: {which}; {what}.")
    return tuple(lines)


def supersede_plans(connection: psycopg.Connection, golden: Collection[GoldenId], rows: Sequence[str]) -> None:
    """End the plans that are not executed yet and have a row of these golden records, or one of `rows` (ctid): they
    hold values that are erased now. What else they were about is planned anew."""
    connection.execute(_SUPERSEDE, (_ids(golden), list(rows)))


def end_intents(connection: psycopg.Connection, targets: Mapping[str, Target], golden: Collection[GoldenId]) -> None:
    """Nothing of these golden records is written any more; where the target lets us, their records that we have made
    there are intended to be deleted."""
    ids = _ids(golden)
    made: dict[tuple[str, str], list[UUID]] = {}
    for name, said, golden_id, _, _, is_ours in connection.execute(_HAS_GOT, (ids,)).fetchall():
        if is_ours and said in _deleting(targets.get(name)):
            made.setdefault((name, said), []).append(golden_id)
    for (name, said), some in made.items():
        connection.execute(_INTEND_DELETE, (name, said, some))
    connection.execute(_END, (ids,))


def _deleting(target: Target | None) -> frozenset[str]:
    """The objects that we may delete there."""
    return frozenset(name for name, each in target.objects.items() if "delete" in each.may) if target else frozenset()


def _ids(golden: Collection[GoldenId]) -> list[UUID]:
    return sorted(UUID(golden_id) for _, golden_id in golden)
