"""Values of a class in past golden records, erased sooner than these go. What no publish has shown since the period
began is past, as in retention/golden.py; an older publish can be shown all the same, without those values.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
from psycopg import sql

from onefold.catalog.data_protection import entity_class_periods
from onefold.catalog.entity import Attribute, Entity
from onefold.catalog.fields import PersonalClass
from onefold.catalog.privacy import ClassRetention
from onefold.catalog.reader import Catalog
from onefold.retention.class_values import law_holds
from onefold.retention.golden import ALL_VERSIONS, golden_horizon
from onefold.retention.purge import RowPurge, make_purge

_DUE = """
select v.{id}, v._publish_id from {version} v where v._ended_publish_id <= {shown_since} and ({held})
"""
_ERASE = """
update {version} v set {no_values}, _hash = md5(gen_random_uuid()::text) from ({due} limit {batch}) d
where v.{id} = d.{id} and v._publish_id = d._publish_id
"""


def golden_class_purges(
    connection: psycopg.Connection, catalog: Catalog, entity: Entity, periods: ClassRetention, now: datetime
) -> Iterator[RowPurge]:
    """What may be due of one entity, class by class; `periods` are those of its golden records as a whole."""
    for data_class, period in _sooner(catalog, entity, periods):
        columns = {
            name: _kept_by_law(catalog, entity, attribute)
            for name, attribute in entity.attributes.items()
            if attribute.personal == data_class
        }
        names: dict[str, sql.Composable] = {
            "version": sql.Identifier("conformed", f"{entity.entity}_version"),
            "id": sql.Identifier(f"{entity.entity}_id"),
            "shown_since": sql.Literal(golden_horizon(connection, now - period)),
            "held": sql.SQL(" or ").join(
                sql.SQL("v.{} is not null and not ({})").format(sql.Identifier(name), law)
                for name, law in columns.items()
            ),
            "no_values": sql.SQL(", ").join(
                sql.SQL("{0} = case when {1} then v.{0} end").format(sql.Identifier(name), law)
                for name, law in columns.items()
            ),
        }
        yield make_purge("golden", entity.entity, period, ALL_VERSIONS, _DUE, _ERASE, names, data_class)


def record_class_horizons(
    connection: psycopg.Connection, catalog: Catalog, entity: Entity, periods: ClassRetention, now: datetime
) -> None:
    """Write down since which publish the values of each class are whole, before any of them goes."""
    for data_class, period in _sooner(catalog, entity, periods):
        connection.execute(
            "insert into ops.golden_class_history (entity, data_class, whole_since)"
            " select %(entity)s, %(data_class)s, publish_id from ops.publish where publish_id = %(publish)s"
            " on conflict (entity, data_class) do update"
            " set whole_since = greatest(golden_class_history.whole_since, excluded.whole_since)",
            {
                "entity": entity.entity,
                "data_class": data_class,
                "publish": golden_horizon(connection, now - period),
            },
        )


def _sooner(catalog: Catalog, entity: Entity, periods: ClassRetention) -> list[tuple[PersonalClass, timedelta]]:
    """The classes whose values go before the golden records do."""
    said = entity_class_periods(entity, catalog.systems)
    return [(data_class, period) for data_class, period in said.items() if period < periods.history]


def _kept_by_law(catalog: Catalog, entity: Entity, attribute: Attribute) -> sql.Composable:
    """Whether a law still keeps the attribute's value: as privacy.law_periods.keeps_column()."""
    held: list[sql.Composable] = [sql.SQL("false")]
    for source, rule in attribute.sources.items():
        system, _, stream = source.partition(".")
        law = catalog.systems[system].streams[stream].kept_by_law
        if law and set(rule.fields) & set(law.fields):
            dated: list[sql.Composable] = [
                sql.SQL("v.{}::text").format(sql.Identifier(name))
                for name, each in entity.attributes.items()
                if source in each.sources and law.since in each.sources[source].fields
            ]
            held.append(
                law_holds(sql.SQL("coalesce({})").format(sql.SQL(", ").join([*dated, sql.SQL("null")])), law.years)
            )
    return sql.SQL(" or ").join(held)
