"""Which type of ours a scalar's values are, by its name: schemas say no more of a scalar."""

from __future__ import annotations

_KNOWN = {"Int": "integer", "Float": "numeric", "Boolean": "boolean", "String": "text", "ID": "text"}
_CUSTOM = {
    "timestamp": "datetime iso8601datetime timestamp timestamptz instant offsetdatetime zoneddatetime utcdatetime "
    "gitimestamp datetimeiso dateandtime awsdatetime",
    "date": "date iso8601date localdate awsdate",
    "integer": "bigint long int64 uint64 int8 int2 int4 smallint unsignedint unsignedint64 nonnegativeint positiveint "
    "short byte integer longint",
    "numeric": "decimal bigdecimal bigfloat numeric double money float8 float4 currency number",
    "json": "json jsonb jsonobject object any map mixed awsjson generic jsonvalue keyvalues hstore",
    "boolean": "bool",
}
_BY_NAME = {name: kind for kind, names in _CUSTOM.items() for name in names.split()}


def scalar_type(name: str) -> str:
    """The type of a scalar's values; text for one whose name tells nothing."""
    return _KNOWN.get(name) or _BY_NAME.get(name.lower().replace("_", ""), "text")
