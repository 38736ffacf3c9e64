"""OData services as targets, versions 2 and 4 (OData 4.01 Part 1, 8.2.4 and 11.4; SAP Gateway, "CSRF Protection").

A create is a POST, with what belongs to the entity in it (deep insert): OData has no idempotency, so a lost answer is
AMBIGUOUS, and so is every 5xx (SAP's CAP answers 500 to a key that exists). A change goes with If-Match.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Unpack

from onefold.connectors.outbound.applied import applied
from onefold.connectors.outbound.contract import Change, Current, Outbound, Outcome, Place, Result, Value
from onefold.connectors.outbound.http import (
    Answer,
    Moved,
    any_answer,
    encode,
    moved_or_raise,
    parts,
    raise_refused,
    whole_answer,
    written,
)
from onefold.connectors.outbound.odata.entity import deep, expanded, field_of, value_at
from onefold.connectors.outbound.odata.values import from_json, in_json, in_path, literal
from onefold.connectors.outbound.version import fields_version
from onefold.errors import Fatal
from onefold.http.attempt import Attempt, BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.failure import Refused, WriteRefused
from onefold.http.persistent import AttemptSettings

FILTERED = 20
"""Values of one $filter: an address may have some thousand characters."""
PAGES = 10_000
CSRF = "X-CSRF-Token"
FORBIDDEN, NO_CONTENT = 403, 204
RECORDS = {2: ("d", "results"), 4: ("value",)}
NEXT = {2: ("d", "__next"), 4: ("@odata.nextLink",)}


class ODataOutbound(Outbound):
    """Writes to one entity set and reads it.

    `settings`: `params` of each request (sap-client); `update`, PATCH or, for old services of version 2, MERGE; `sets`,
    by navigation property the entity set that is searched when records are matched by what belongs to them.
    """

    batch = 100

    def __init__(self, place: Place, http: Client, version: int) -> None:
        super().__init__(place)
        self._http = http
        self._version = version
        self._params: dict[str, str] = dict(place.settings.get("params", {}))
        self._sets: dict[str, str] = dict(place.settings.get("sets", {}))
        self._update = str(place.settings.get("update", "PATCH"))
        self._token: str | None = None
        self._fields = list(dict.fromkeys([place.key, place.reference, *place.fields]))
        self._expand = expanded(self._fields)

    def close(self) -> None:
        self._http.close()

    def apply(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        return applied(self, changes, self._apply)

    def find(self, references: Sequence[str]) -> Sequence[Current]:
        return self._filtered(self.place.reference, references)

    def read(self, keys: Sequence[str]) -> Sequence[Current]:
        return self._filtered(self.place.key, keys)

    def match(self, field: str, value: Value) -> Sequence[Current]:
        found = field_of(field)
        entity_set = self._sets.get(found.steps[0].name) if len(found.steps) == 1 else None
        if entity_set is None:
            return self._asked(self._equals(field, value))
        root, place = self.place.object.rpartition("/")[0], self.place
        condition = f"{found.name} eq {literal(value, place.kind(field), self._version)}"
        if found.steps[0].by is not None:
            condition += f" and {found.steps[0].by} eq {literal(found.steps[0].value, 'text', self._version)}"
        keys = [str(each.get(place.key)) for each in self._listed(f"{root}/{entity_set}", {"$filter": condition})]
        return self.read(keys)

    def _apply(self, change: Change) -> Outcome:
        try:
            body = {name: in_json(value, self._version) for name, value in written(change, self.place).items()}
        except ValueError:
            raise WriteRefused(
                f"{self.place.named}: OData v2 holds milliseconds, and a time has more digits. Format it in the "
                "target's YAML."
            ) from None
        try:
            if change.kind == "create":
                return self._created(change, self._sent("POST", self.place.object, encode(deep(body))))
            if change.version and not _is_etag(change.version):
                self._require_unchanged(change)
            headers = {"If-Match": change.version} if change.version and _is_etag(change.version) else {}
            if change.kind == "delete":
                self._sent("DELETE", self._address(change), None, headers)
                return Outcome(change.id, Result.DONE, change.key)
            own = self._own(change, body)
            answer = self._sent(self._update, self._address(change), encode(own), headers)
            return Outcome(change.id, Result.DONE, change.key, answer.headers.get("ETag"))
        except Moved as error:
            return Outcome(change.id, Result.MOVED, change.key, reason=str(error))
        except Refused as error:
            return moved_or_raise(self.place, change, error)

    def _require_unchanged(self, change: Change) -> None:
        """Of a service without ETags: read again right before the write. Raises Moved."""
        there = next(iter(self.read([change.key or ""])), None)
        if there is None or there.version != change.version:
            raise Moved(f"{self.place.named}: the record was changed since it was read, or is gone.")

    def _created(self, change: Change, answer: Answer) -> Outcome:
        if answer.status == NO_CONTENT:
            return Outcome(change.id, Result.DONE, version=answer.headers.get("ETag"))
        entity = self._entity(answer)
        key = value_at(entity, self.place.key)
        return Outcome(
            change.id,
            Result.DONE,
            None if key is None else str(key),
            answer.headers.get("ETag") or self._etag(entity),
        )

    def _own(self, change: Change, body: dict[str, object]) -> dict[str, object]:
        """What of the change the entity itself has. Raises WriteRefused where what belongs to it would change too: one
        request cannot do both (OData has no deep update before 4.01, and SAP has none)."""
        below = [path for path in change.fields if field_of(path).steps]
        if below:
            there = next(iter(self.read([change.key or ""])), None)
            different = [path for path in below if there and there.fields.get(path) != change.fields[path]]
            if different:
                raise WriteRefused(
                    f"{self.place.named}: {different[0]} belongs to another entity, which a change of this one does "
                    "not reach. Name its entity set as an object of its own in the target's YAML."
                )
        return {path: value for path, value in body.items() if path not in below}

    def _sent(self, method: str, path: str, body: bytes | None, headers: dict[str, str] | None = None) -> Answer:
        """The answer to a write, sent at most once: a token that was refused is fetched anew, for the write was not
        begun then."""
        answer = self._once(method, path, body, headers or {})
        if _wants_token(answer):
            self._token = self._fetched_token()
            answer = self._once(method, path, body, headers or {})
        if answer.status == FORBIDDEN:
            advice = (
                "It wants a CSRF token and does not take the one that it gave: do its cookies come through the proxy?"
                if _wants_token(answer)
                else f"Grant the login of the Airflow connection {self.place.system.connection!r} the right to write."
            )
            raise_refused(self.place, answer, advice)
        return answer

    def _once(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        given = {"Accept": "application/json", **headers}
        if body is not None:
            given["Content-Type"] = "application/json"
        if self._token:
            given[CSRF] = self._token
        parse = self._parsed(method == "POST")
        if method == "MERGE":
            method, given["X-HTTP-Method"] = "POST", "MERGE"
        return self._http.send_once(
            method,
            path,
            parse=parse,
            params=self._params,
            headers=given,
            body=body,
            accept=frozenset({FORBIDDEN}),
            shown=self.place.object,
        )

    def _parsed(self, create: bool) -> Callable[[Response], Answer]:
        """Reads an answer to a write; to a create there must be an entity in it."""

        def parse(response: Response) -> Answer:
            answer = any_answer(response)
            if create and response.status < 300 and response.status != NO_CONTENT:
                self._entity(answer)
            return answer

        return parse

    def _fetched_token(self) -> str | None:
        """A token for the session that the answer's cookies name, which the client holds."""
        root = self.place.object.rpartition("/")[0] + "/"
        headers = {"Accept": "application/json", CSRF: "Fetch"}
        return self._http.send("GET", root, parse=_token, params=self._params, headers=headers)

    def _filtered(self, field: str, values: Sequence[str]) -> list[Current]:
        questions = (" or ".join(self._equals(field, value) for value in some) for some in parts(values, FILTERED))
        return [current for question in questions for current in self._asked(question)]

    def _equals(self, field: str, value: Value) -> str:
        found = field_of(field)
        if not found.steps:
            return f"{field} eq {literal(value, self.place.kind(field), self._version)}"
        if self._version == 2 or len(found.steps) > 1:
            raise Fatal(f"{self.place.named}: {field} belongs to another entity, by which this one cannot be searched.")
        step = found.steps[0]
        meant = f"e/{found.name} eq {literal(value, self.place.kind(field), 4)}"
        if step.by is not None:
            meant += f" and e/{step.by} eq {literal(step.value, 'text', 4)}"
        return f"{step.name}/any(e:{meant})"

    def _asked(self, condition: str) -> list[Current]:
        options = {"$filter": condition}
        if self._expand:
            options["$expand"] = ",".join(self._expand)
        return [self._current(entity) for entity in self._listed(self.place.object, options)]

    def _listed(self, entity_set: str, options: Mapping[str, str]) -> list[dict[str, Any]]:
        """All entities that the options find, page by page."""
        params: Mapping[str, str] | None = {**self._params, "$format": "json", **options}
        address, seen, found = entity_set, set[str](), list[dict[str, Any]]()
        while address not in seen and len(seen) < PAGES:
            seen.add(address)
            answer = self._http.send(
                "GET",
                address,
                params=params,
                headers={"Accept": "application/json"},
                parse=partial(_page, self._version),
                shown=entity_set,
            )
            found += answer.require_objects(*RECORDS[self._version])
            following = answer.at(*NEXT[self._version])
            if not following:
                return found
            address, params = self._http.following(address, str(following), self.place.named), None
        raise Fatal(f"{self.place.named}: its pages lead in a circle, so what was searched cannot be known.")

    def _current(self, entity: dict[str, Any]) -> Current:
        place = self.place
        fields = {path: from_json(value_at(entity, path), place.kind(path)) for path in self._fields}
        reference = fields[place.reference]
        return Current(
            str(fields[place.key]),
            None if reference in (None, "") else str(reference),
            {path: fields[path] for path in place.fields},
            self._etag(entity) or fields_version(fields),
        )

    def _entity(self, answer: Answer) -> dict[str, Any]:
        entity = answer.at("d") if self._version == 2 else answer.body
        if not isinstance(entity, dict) or value_at(entity, self.place.key) is None:
            raise BadBody("an answer to a create without the entity's key")
        return entity

    def _etag(self, entity: dict[str, Any]) -> str | None:
        about = entity.get("__metadata")
        etag = about.get("etag") if isinstance(about, dict) else entity.get("@odata.etag")
        return str(etag) if etag else None

    def _address(self, change: Change) -> str:
        place = self.place
        return f"{place.object}({in_path(literal(change.key, place.kind(place.key), self._version))})"


def _page(version: int, response: Response) -> Answer:
    answer = whole_answer(response)
    answer.require_objects(*RECORDS[version])
    return answer


def _token(response: Response) -> str | None:
    return response.headers.get(CSRF)


def _is_etag(version: str) -> bool:
    """Whether a version is the service's own, and no hash of ours (RFC 9110, 8.8.3)."""
    return version.endswith('"')


def _wants_token(answer: Answer) -> bool:
    """Whether a write was refused for its token, before it began."""
    return answer.status == FORBIDDEN and answer.headers.get(CSRF, "").lower() == "required"


def open_v2(
    place: Place, endpoint: Endpoint, on_attempt: Callable[[Attempt], None], **settings: Unpack[AttemptSettings]
) -> ODataOutbound:
    """What writes to an entity set of version 2."""
    return ODataOutbound(place, Client(place.system, endpoint, on_attempt, **settings), 2)


def open_v4(
    place: Place, endpoint: Endpoint, on_attempt: Callable[[Attempt], None], **settings: Unpack[AttemptSettings]
) -> ODataOutbound:
    """What writes to an entity set of version 4."""
    return ODataOutbound(place, Client(place.system, endpoint, on_attempt, **settings), 4)
