"""A draft from an OData service's $metadata (EDMX, versions 2 and 4): every entity set is a stream."""

from __future__ import annotations

from io import BytesIO

from lxml import etree

from onefold.connectors import safe_xml
from onefold.draft.model import Draft, DraftStream, Fields, Value, field_of, guessed_cursor, stream_name
from onefold.errors import Fatal
from onefold.http.attempt import BadBody

_TYPES = {
    "Edm.Int16": "integer", "Edm.Int32": "integer", "Edm.Int64": "integer", "Edm.Byte": "integer",
    "Edm.Decimal": "numeric", "Edm.Double": "numeric", "Edm.Single": "numeric", "Edm.Boolean": "boolean",
    "Edm.DateTime": "timestamp", "Edm.DateTimeOffset": "timestamp", "Edm.Date": "date",
}  # fmt: skip


def edmx_draft(content: bytes) -> Draft:
    """Raises Fatal when the content is no EDMX or has no entity set."""
    try:
        root = safe_xml.tree(BytesIO(content))
    except BadBody as error:
        raise Fatal("the file is no XML; save the service's $metadata as it is") from error
    if etree.QName(root).localname != "Edmx":
        raise Fatal("the file is XML but no EDMX; save the service's $metadata as it is")
    types = {
        f"{schema.get('Namespace')}.{kind.get('Name')}": kind
        for schema in root.iter("{*}Schema")
        for kind in schema.iter("{*}EntityType")
    }
    sets = [each for each in root.iter("{*}EntitySet") if each.get("EntityType") in types]
    if not sets:
        raise Fatal("the service's metadata has no entity set")
    version = 4 if (root.get("Version") or "").startswith("4") else 2
    streams = [_stream(each.get("Name", ""), types[each.get("EntityType", "")]) for each in sets]
    return Draft("odata", "OData service", streams, {"kind": "basic"}, {"odata_version": version})


def _stream(name: str, kind: etree._Element) -> DraftStream:
    keys = [str(ref.get("Name")) for ref in kind.iterfind("{*}Key/{*}PropertyRef")]
    fields: Fields = {}
    for given in kind.iterfind("{*}Property"):
        field_name, stated = str(given.get("Name")), str(given.get("Type"))
        simple = stated.startswith("Edm.")
        fields[field_name] = field_of(field_name, _TYPES.get(stated, "text") if simple else "json", required=True)
    cursor = _cursor(fields)
    doubts = () if cursor else ("no property says what changed, so each load reads everything",)
    request: dict[str, Value] = {"path": f"/{name}", "params": {"$select": "{fields}"}}
    return DraftStream(stream_name(name), name, fields, keys, request, cursor=cursor, doubts=doubts)


def _cursor(fields: Fields) -> dict[str, Value]:
    """SAP keeps the day and the time of the last change in two fields."""
    if "LastChangeDateTime" in fields:
        return {"fields": ["LastChangeDateTime"]}
    if "LastChangeDate" in fields and "LastChangeTime" in fields:
        return {"fields": ["LastChangeDate", "LastChangeTime"], "kind": "date_and_time", "lookback": "PT1H"}
    stamp = guessed_cursor(fields, ("timestamp",))
    return {"fields": [stamp]} if stamp else {}
