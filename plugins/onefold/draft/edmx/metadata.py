"""An OData service's $metadata: its types with what they inherit, its entity sets, and what annotations say of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO

from lxml import etree

from onefold.connectors import safe_xml
from onefold.errors import Fatal
from onefold.http.attempt import BadBody

_SAP = "{http://www.sap.com/Protocols/SAPData}"
_DEEPEST = 10
_JSON = ("Collection(", "Edm.Geo", "Edm.Untyped")
"""What types that come as JSON begin with: lists, GeoJSON (OData JSON Format), and what may be anything."""
_TYPES = {
    "Edm.Int16": "integer", "Edm.Int32": "integer", "Edm.Int64": "integer", "Edm.Byte": "integer",
    "Edm.SByte": "integer", "Edm.Decimal": "numeric", "Edm.Double": "numeric", "Edm.Single": "numeric",
    "Edm.Boolean": "boolean", "Edm.DateTime": "timestamp",
    "Edm.DateTimeOffset": "timestamp", "Edm.Date": "date",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an entity: the keys that lead to it (two in a complex type), its type in the catalogue, what it
    is called, and what the service says of it."""

    keys: tuple[str, ...]
    kind: str
    label: str
    nullable: bool
    filterable: bool


@dataclass(frozen=True, slots=True)
class EntitySet:
    """One entity set: its keys, its properties, and why it cannot be listed (None: it can). `asks` says what the
    service demands of a question, or forbids."""

    name: str
    label: str
    keys: tuple[str, ...]
    properties: tuple[Property, ...]
    unlistable: str | None
    asks: tuple[str, ...]


class Metadata:
    """Raises Fatal when the content is no EDMX or has no entity set."""

    def __init__(self, content: bytes) -> None:
        try:
            root = safe_xml.tree(BytesIO(content))
        except BadBody as error:
            raise Fatal("the file is no XML; save the service's $metadata as it is") from error
        if etree.QName(root).localname != "Edmx":
            raise Fatal("the file is XML but no EDMX; save the service's $metadata as it is")
        self.version = 4 if (root.get("Version") or "").startswith("4") else 2
        self._types: dict[str, etree._Element] = {}
        self._annotations: dict[str, list[etree._Element]] = {}
        self._container = ""
        for schema in root.iter("{*}Schema"):
            self._read_schema(schema)
        self._sets = list(root.iter("{*}EntitySet"))
        if not self._sets:
            raise Fatal("the service's metadata has no entity set")
        self.singletons = [str(each.get("Name")) for each in root.iter("{*}Singleton")]

    def _read_schema(self, schema: etree._Element) -> None:
        names = [name for name in (schema.get("Namespace"), schema.get("Alias")) if name]
        for kind in schema.iterchildren("{*}EntityType", "{*}ComplexType", "{*}EnumType", "{*}TypeDefinition"):
            self._types |= {f"{name}.{kind.get('Name')}": kind for name in names}
        for block in schema.iterchildren("{*}Annotations"):
            target = (block.get("Target") or "").rpartition("/")
            key = f"{target[0].rpartition('.')[2]}/{target[2]}" if target[1] else target[2].rpartition(".")[2]
            self._annotations.setdefault(key, []).extend(block.iterchildren("{*}Annotation"))

    def entity_sets(self) -> Iterator[EntitySet]:
        """Every entity set, in the order of the file."""
        for each in self._sets:
            name, kind = str(each.get("Name")), self._types.get(str(each.get("EntityType")))
            container = str(getattr(each.getparent(), "attrib", {}).get("Name", ""))
            said = [*self._annotations.get(f"{container}/{name}", []), *each.iterchildren("{*}Annotation")]
            unfilterable = set(_names_in(_record(said, "FilterRestrictions"), "NonFilterableProperties"))
            properties = tuple(self._properties(kind, (), unfilterable, 0)) if kind is not None else ()
            keys = tuple(self._keys(kind)) if kind is not None else ()
            label = each.get(f"{_SAP}label") or (kind.get(f"{_SAP}label") if kind is not None else None) or name
            yield EntitySet(
                name, label, keys, properties, _unlistable(each, said, kind, keys), tuple(_asks(each, said))
            )

    def _lineage(self, kind: etree._Element) -> list[etree._Element]:
        """The type after those that it is derived from."""
        found = [kind]
        while len(found) < _DEEPEST and (base := self._types.get(found[0].get("BaseType") or "")) is not None:
            found.insert(0, base)
        return found

    def _keys(self, kind: etree._Element) -> Iterator[str]:
        for each in self._lineage(kind):
            for reference in each.iterfind("{*}Key/{*}PropertyRef"):
                yield str(reference.get("Name"))

    def _properties(
        self, kind: etree._Element, above: tuple[str, ...], unfilterable: set[str], depth: int
    ) -> Iterator[Property]:
        for each in self._lineage(kind):
            for given in each.iterchildren("{*}Property"):
                keys, stated = (*above, str(given.get("Name"))), self._basic(str(given.get("Type")))
                inner = self._types.get(stated)
                is_complex = inner is not None and etree.QName(inner).localname == "ComplexType"
                if is_complex and inner is not None and depth < 2:
                    yield from self._properties(inner, keys, unfilterable, depth + 1)
                elif stated != "Edm.Stream":
                    yield Property(
                        keys,
                        _TYPES.get(stated, "json" if is_complex or stated.startswith(_JSON) else "text"),
                        given.get(f"{_SAP}label") or "",
                        nullable=given.get("Nullable", "true") != "false",
                        filterable=given.get(f"{_SAP}filterable") != "false" and "/".join(keys) not in unfilterable,
                    )

    def _basic(self, stated: str) -> str:
        """The type itself, of a type definition the one under it."""
        kind = self._types.get(stated)
        if kind is not None and etree.QName(kind).localname == "TypeDefinition":
            return str(kind.get("UnderlyingType"))
        return stated


def _unlistable(
    each: etree._Element, said: list[etree._Element], kind: etree._Element | None, keys: tuple[str, ...]
) -> str | None:
    if kind is None:
        return "its type is not in the metadata"
    if each.get(f"{_SAP}addressable") == "false":
        return "it can only be reached through another entity set (sap:addressable=false)"
    if _record(said, "ReadRestrictions").get("Readable") == "false":
        return "the service does not let it be read (ReadRestrictions)"
    return None if keys else "its type has no key"


def _asks(each: etree._Element, said: list[etree._Element]) -> Iterator[str]:
    restrictions = _record(said, "FilterRestrictions")
    if each.get(f"{_SAP}requires-filter") == "true" or restrictions.get("RequiresFilter") == "true":
        yield "the service demands a filter"
    if restrictions.get("Filterable") == "false":
        yield "the service filters nothing here"
    deletable = each.get(f"{_SAP}deletable") or _record(said, "DeleteRestrictions").get("Deletable")
    if deletable == "false":
        yield "nothing is deleted through this service: look for a flag that says what is gone"


def _record(said: list[etree._Element], term: str) -> Mapping[str, str]:
    """The values of a capability's record by name; a list as its paths with blanks between them."""
    values: dict[str, str] = {}
    for annotation in said:
        if (annotation.get("Term") or "").rpartition(".")[2] != term:
            continue
        for value in annotation.iter("{*}PropertyValue"):
            plain = next((value.get(name) for name in ("Bool", "String") if value.get(name)), None)
            paths = [path.text or "" for path in value.iter("{*}PropertyPath")]
            boolean = next((inner.text or "" for inner in value.iterchildren("{*}Bool")), None)
            values[str(value.get("Property"))] = plain or boolean or " ".join(paths)
    return values


def _names_in(record: Mapping[str, str], name: str) -> list[str]:
    return record.get(name, "").split()
