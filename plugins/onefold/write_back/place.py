"""Opens the way to an object of a target: its system's connection and limits, with the target's own in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

from onefold.catalog.system import System
from onefold.catalog.target import Target, TargetObject
from onefold.connectors.outbound.contract import Kind, Outbound, Place
from onefold.connectors.outbound.registry import open_outbound
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings
from onefold.write_back.formats import kind_of, kind_of_constant

OpenObject = Callable[[str], Outbound]
"""Gives, by the object's name in the catalogue, what writes to it; to be entered as a context."""
_KINDS: dict[str, Kind] = {
    "integer": "number",
    "numeric": "number",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}


def place_of(target: Target, system: System, name: str) -> Place:
    """Where the records of the object are, and of which kind each of its fields is."""
    each = target.objects[name]
    said = {name: value for name in ("rate", "timeout") if (value := getattr(target.limits, name)) is not None}
    limits = system.limits.model_copy(update=said)
    return Place(
        target=target.target,
        system=system.model_copy(update={"limits": limits}),
        object=each.object,
        key=each.key,
        reference=each.reference,
        fields=_kinds(each, system),
        longest_run=target.limits.longest_run,
        version_field=each.version,
        settings=each.settings,
    )


def opener(
    target: Target,
    system: System,
    endpoint: Endpoint,
    on_attempt: Callable[[Attempt], None],
    **settings: Unpack[AttemptSettings],
) -> OpenObject:
    """Opens the target's objects by their names; the settings are those of the attempts."""

    def open_object(name: str) -> Outbound:
        return open_outbound(target.protocol, place_of(target, system, name), endpoint, on_attempt, **settings)

    return open_object


def _kinds(each: TargetObject, system: System) -> dict[str, Kind]:
    """What is written is of the kind that its format gives; what is only read, as the system's stream says it."""
    stream = system.streams.get(each.stream) if each.stream else None
    known = {name: _KINDS.get(field.type, "text") for name, field in stream.fields.items()} if stream else {}
    kinds = {name: kind_of(field) for name, field in each.fields.items()}
    kinds |= {name: kind_of_constant(value) for name, value in each.constants.items()}
    if each.key in known:
        kinds[each.key] = known[each.key]
    if each.changed:
        kinds[each.changed] = "timestamp"
    return kinds
