"""Which type of the catalogue a database's column has, as the connector then delivers it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql, postgresql

from onefold.catalog.fields import FieldType

_NUMERIC = (sa.Numeric, sa.Float)
_BITS = 63
_JSON = (sa.JSON, sa.ARRAY, mysql.SET, postgresql.HSTORE)


def field_type(kind: sa.types.TypeEngine[object]) -> FieldType:
    """Text for what has no type of its own here: uuid, enum, time, interval, ranges, addresses, bytes (base64)."""
    if isinstance(kind, postgresql.DOMAIN):
        return field_type(kind.data_type)
    if is_flag(kind):
        return "boolean"
    match kind:
        case sa.Boolean():
            return "boolean"
        case mysql.BIGINT() if kind.unsigned:
            return "numeric"  # up to 18,446,744,073,709,551,615: PostgreSQL's bigint holds half of it
        case mysql.BIT() if (kind.length or 1) > _BITS:
            return "numeric"
        case mssql.TIMESTAMP():
            return "integer"  # a rowversion
        case sa.Integer() | mysql.YEAR() | mysql.BIT() | postgresql.OID():
            return "integer"
        case _ if isinstance(kind, _NUMERIC):
            return "numeric"
        case sa.DateTime():
            return "timestamp"
        case sa.Date():
            return "date"
        case _ if isinstance(kind, _JSON):
            return "json"
        case _:
            return "text"


def is_flag(kind: sa.types.TypeEngine[object]) -> bool:
    """Whether it is how MySQL holds yes and no: tinyint(1), which may also hold other small numbers, or bit(1)."""
    if isinstance(kind, mysql.TINYINT):
        return kind.display_width == 1
    return isinstance(kind, mysql.BIT) and (kind.length or 1) == 1


def has_no_zone(kind: sa.types.TypeEngine[object]) -> bool:
    """Whether its times are stored without a zone. MySQL's TIMESTAMP is kept in UTC."""
    if isinstance(kind, postgresql.DOMAIN):
        return has_no_zone(kind.data_type)
    if not isinstance(kind, sa.DateTime) or isinstance(kind, mysql.TIMESTAMP):
        return False
    return not kind.timezone
