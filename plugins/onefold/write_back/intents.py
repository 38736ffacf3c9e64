"""Intents: which golden records are to be written out. They are committed with the publish that causes them.

A golden record has an intent where what the target is given of it differs from its newest intent: a publish that only
brings the echo of what was written has the same, so it causes nothing. The cost follows what the publish changed. The
first publish of an entity changes nothing: it finds what the systems had before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

import psycopg
from psycopg import sql

from onefold.catalog.target import Target, TargetObject
from onefold.conform.report import ConformReport
from onefold.conform.run import OnPublish
from onefold.warehouse.rows import one_row

_REFERENCE = "translate(left(encode(sha256({id}::text::bytea), 'hex'), 20), '0123456789abcdef', 'BCDFGHJKLMNPQRST')"
"""What a golden record is found by at a target: 80 bits of a hash of its id. Among ten million records two have the
same with a probability of 4e-11. Capital letters alone: no target takes it for a number, cuts zeros or changes its
case. No vowels: it is no word. A record keeps the one that it was given first."""
_INSERT = """
insert into ops.outbox (idempotency_key, target, object, entity, golden_id, publish_id, wanted, reference, digest,
    target_system, target_stream)
select encode(sha256(convert_to(concat_ws('|', {target}, {object}, v.id, v.publish_id, v.wanted, {fingerprint}),
        'UTF8')), 'hex'),
    {target}, {object}, {entity}, v.id, v.publish_id, v.wanted, coalesce(newest.reference, {reference}), v.digest,
    {system}, {stream}
from ({versions}) as v
left join lateral (
    select o.digest, o.wanted, o.reference from ops.outbox as o
    where o.target = {target} and o.object = {object} and o.golden_id = v.id order by o.intent_id desc limit 1
) as newest on true
where (newest.digest is distinct from v.digest or newest.wanted is distinct from v.wanted) and {may}
    and (v.wanted = 'delete' or not {erased}) and (v.wanted <> 'leave' or newest.wanted = 'write')
on conflict (idempotency_key) do nothing
"""
_LIVE = """
select g.{id} as id, g._publish_id as publish_id,
    case when {orphaned} then 'delete' when {where} then 'write' else 'leave' end as wanted,
    case when {orphaned} then sha256('ended') when {where}
        then sha256(convert_to({fingerprint} || jsonb_build_array({attributes})::text, 'UTF8'))
        else sha256('left') end as digest
from conformed.{version} as g where g._ended_publish_id is null and ({where} or {orphaned} or {left}) {of_publish}
"""
_MADE = """exists (select from ops.outbox as o
    where o.target = {target} and o.object = {object} and o.golden_id = g.{id} and o.change = 'create'
    and (o.target_key is not null or o.state in ('sent', 'ambiguous')))"""
"""A golden record whose record at the target was made by us."""
_ORPHANED = """({may_end} and {made} and not exists (
    select from conformed.{crosswalk} as x where x.{id} = g.{id} and x._ended_publish_id is null and not exists (
        select from ops.outbox as o where o.golden_id = x.{id} and o.change = 'create'
            and o.target_system = x.system and o.target_stream = x.stream and o.target_key = x.key)))"""
"""A golden record that nothing but records which we have made is left of, at this target or another."""
_LEFT = """exists (select from ops.outbox as o
    where o.target = {target} and o.object = {object} and o.golden_id = g.{id} and o.wanted = 'write')"""
"""A golden record that does not meet `where` now, and has met it."""
_IS_TO_GO = """'delete' = (select o.wanted from ops.outbox as o
    where o.target = {target} and o.object = {object} and o.golden_id = g.{id} order by o.intent_id desc limit 1)"""
_ENDED = """
select g.{id}, g._ended_publish_id, 'delete', sha256('ended')
from conformed.{version} as g
where g._ended_publish_id = {publish} and g._merged_into is null and {made}
    and not exists (select from conformed.{version} as live where live.{id} = g.{id} and live._ended_publish_id is null)
"""
_IS_THERE = """(
    exists (select from conformed.{crosswalk} as x where x.{id} = v.id and x.system = {system} and x.stream = {stream}
        and (x._ended_publish_id is null or x._ended_publish_id = v.publish_id))
    or exists (select from ops.outbox as o where o.target = {target} and o.object = {object} and o.golden_id = v.id
        and o.target_key is not null))"""
_ERASED = """exists (select from conformed.{crosswalk} as x
    join ops.suppression as s on s.kind = 'record' and s.system = x.system and s.stream = x.stream and s._key = x.key
    where x.{id} = v.id and x._ended_publish_id is null)"""
"""A golden record with a record of a person who was erased: what is left of it is written nowhere."""
# Of a target that lets us delete nothing, what a rollback has ended is planned too, and refused: a person deletes it.
_AFTER_ROLLBACK = "select exists (select from ops.publish_load where publish_id = %s and undone)"
_HAS_EARLIER = "select exists (select from conformed.{version} where _publish_id < {publish})"
# The digest is made of values: none stays of a version that is no more.
_SUPERSEDE = """
update ops.outbox as o set digest = '',
    state = case when o.state in ('intended', 'refused') then 'superseded' else o.state end,
    ended_at = case when o.state in ('intended', 'refused') then clock_timestamp() else o.ended_at end
where o.target = %(target)s and o.object = %(object)s and o.digest <> '' and exists (
    select from ops.outbox as newer where newer.target = o.target and newer.object = o.object
        and newer.golden_id = o.golden_id and newer.intent_id > o.intent_id)
    and (%(publish)s::bigint is null
        or o.golden_id in (select golden_id from ops.outbox where publish_id = %(publish)s))
"""
# What has ended is not written any more, and is anew where it comes again, though with the same values.
_WITHDRAW = """
update ops.outbox as o set digest = '',
    state = case when o.state in ('intended', 'refused') then 'superseded' else o.state end,
    ended_at = case when o.state in ('intended', 'refused') then clock_timestamp() else o.ended_at end
where o.target = {target} and o.object = {object} and o.wanted <> 'delete' and o.digest <> '' and o.golden_id in (
    select g.{id} from conformed.{version} as g where g._ended_publish_id = {publish} and not exists (
        select from conformed.{version} as live where live.{id} = g.{id} and live._ended_publish_id is null))
"""


def record_intents(targets: Mapping[str, Target]) -> OnPublish:
    """An on_publish hook that intends to write what the publish has changed of the targets' entities."""

    def record(connection: psycopg.Connection, report: ConformReport) -> None:
        changed = {each.entity for each in report.entities if each.new or each.changed or each.ended}
        for target in targets.values():
            for name, each in target.objects.items():
                if (
                    each.entity in changed
                    and report.publish_id is not None
                    and (target.first_publish == "write" or _has_earlier(connection, each, report.publish_id))
                ):
                    _intend(connection, target, name, each, report.publish_id)

    return record


def intend_all(connection: psycopg.Connection, target: Target) -> int:
    """Intend to write every golden record whose newest intent is of something else, or that has none: a target that is
    new, or whose catalogue file was changed. In the caller's transaction; returns how many."""
    return sum(_intend(connection, target, name, each, None) for name, each in target.objects.items())


def _has_earlier(connection: psycopg.Connection, each: TargetObject, publish: int) -> bool:
    version = sql.Identifier(f"{each.entity}_version")
    query = sql.SQL(_HAS_EARLIER).format(version=version, publish=sql.Literal(publish))
    return bool(one_row(connection.execute(query))[0])


def _intend(connection: psycopg.Connection, target: Target, name: str, each: TargetObject, publish: int | None) -> int:
    parts: dict[str, sql.Composable] = {
        "target": sql.Literal(target.target),
        "object": sql.Literal(name),
        "entity": sql.Literal(each.entity),
        "system": sql.Literal(target.system),
        "stream": sql.Literal(each.stream),
        "publish": sql.Literal(publish),
        "id": sql.Identifier(f"{each.entity}_id"),
        "version": sql.Identifier(f"{each.entity}_version"),
        "crosswalk": sql.Identifier(f"{each.entity}_crosswalk_version"),
        "fingerprint": sql.Literal(fingerprint(each)),
        "attributes": sql.SQL(", ").join(sql.Identifier("g", attribute) for attribute in each.attributes),
        "where": sql.SQL("({})").format(sql.SQL(" and ").join([sql.SQL("true"), *_conditions(each)])),
        "of_publish": sql.SQL("" if publish is None else "and g._publish_id = {}").format(sql.Literal(publish)),
    }
    ends = "delete" in each.may or one_row(connection.execute(_AFTER_ROLLBACK, (publish,)))[0]
    parts["made"] = sql.SQL(_MADE).format(**parts)
    parts["may_end"] = sql.SQL("true") if ends else sql.SQL(_IS_TO_GO).format(**parts)
    parts["left"] = sql.SQL(_LEFT if each.where else "false").format(**parts)
    parts["orphaned"] = sql.SQL(_ORPHANED).format(**parts)
    there = sql.SQL(_IS_THERE).format(**parts)
    parts["reference"] = sql.SQL(_REFERENCE).format(id=sql.SQL("v.id"))
    parts["erased"] = sql.SQL(_ERASED).format(**parts)
    versions = sql.SQL(_LIVE).format(**parts)
    if ends and publish is not None:
        versions += sql.SQL(" union all ") + sql.SQL(_ENDED).format(**parts)
    may = sql.SQL("true" if "create" in each.may else "(v.wanted = 'delete' or {there})").format(there=there)
    inserted = connection.execute(sql.SQL(_INSERT).format(**parts, versions=versions, may=may)).rowcount
    if publish is not None:
        connection.execute(sql.SQL(_WITHDRAW).format(**parts))
    if inserted:
        connection.execute(_SUPERSEDE, {"target": target.target, "object": name, "publish": publish})
    return inserted


def _conditions(each: TargetObject) -> Iterable[sql.Composable]:
    for attribute, values in each.where.items():
        column = sql.Identifier("g", attribute)
        if values == "present":
            yield sql.SQL("{} is not null").format(column)
        else:
            yield sql.SQL("coalesce({}::text, '') = any ({})").format(column, sql.Literal(list(values)))


def fingerprint(each: TargetObject) -> str:
    """A hash of all in the object's catalogue entry that decides what a record there is given."""
    said = each.model_dump(mode="json", exclude={"may", "where", "left", "settings", "reference_length"})
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
