"""How verbose JSON (OData v2) shows SAP's entities."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.sap.model import Entity, Row, Service
from sandbox.sap.odata import in_wire_form


@dataclass(frozen=True, slots=True)
class Shape:
    """What of each entity is shown: $select and $expand, and the URL that entities are named by."""

    service: Service
    service_url: str
    select: frozenset[str]
    expand: frozenset[str]

    def shown(self, row: Row, entity_set: str, entity: Entity, prefix: str = "") -> dict[str, object]:
        """The entity in verbose JSON. As in OData 2.0, a $select also decides which expansions are shown."""
        kind = self.service.sets[entity_set]
        properties = kind.by_name
        keys = ",".join(f"{key}='{entity[key]}'" for key in kind.keys)
        uri = f"{self.service_url}/{entity_set}({keys if len(kind.keys) > 1 else keys.partition('=')[2]})"
        about: dict[str, str] = {"id": uri, "uri": uri, "type": f"{self.service.namespace}.{kind.name}"}
        if row.etag and not prefix:
            about["etag"] = row.etag
        answer: dict[str, object] = {"__metadata": about}
        for name, value in entity.items():
            if self._selected(prefix + name):
                answer[name] = in_wire_form(value, properties[name].type)
        for name, target in kind.navigations:
            if not self._selected(prefix + name):
                continue
            if prefix + name in self.expand:
                related = row.related(name)
                shown = [self.shown(row, target, found, f"{prefix}{name}/") for found in related]
                answer[name] = {"results": shown}
            else:
                answer[name] = {"__deferred": {"uri": f"{uri}/{name}"}}
        return answer

    def _selected(self, path: str) -> bool:
        """Whether $select names the path, something above it, or something below it."""
        if not self.select or path in self.select:
            return True
        return any(path.startswith(f"{chosen}/") or chosen.startswith(f"{path}/") for chosen in self.select)
