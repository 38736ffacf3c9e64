"""Whether the systems' own connectors fit what their YAML says. `onefold check` asks; reading the catalogue does not,
because it must not import connectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from onefold.catalog.system import System
from onefold.catalog.yaml_file import CatalogError, read_yaml
from onefold.connectors.counting import why_not
from onefold.connectors.key_listing import why_no_sweep
from onefold.connectors.past import names_window
from onefold.connectors.registry import connector_class
from onefold.errors import Fatal


def check_connectors(systems: Mapping[str, System], folder: Path) -> None:
    """Check each system that names a module under `python`, and each sweep of keys.

    Raises CatalogError with every mistake, its file and line.

    `folder` is that of the systems' YAML.
    """
    mistakes = [
        read_yaml(folder / f"{name}.yaml").mistake(("python", "module"), text)
        for name, system in systems.items()
        if system.python
        for text in _mistakes(system)
    ]
    if not mistakes:  # or a module that there is not would be asked
        mistakes = [
            read_yaml(folder / f"{name}.yaml").mistake(("streams", stream, "deletes", "sweep"), text)
            for name, system in systems.items()
            for stream, text in _useless_sweeps(system)
        ]
    if mistakes:
        raise CatalogError(mistakes)


def _useless_sweeps(system: System) -> Iterator[tuple[str, str]]:
    for name, stream in system.streams.items():
        if stream.deletes.sweep and (why := why_no_sweep(system, name)):
            yield name, f"{name} cannot be swept: {why}; take deletes.sweep out"


def _mistakes(system: System) -> Iterator[str]:
    try:
        can = connector_class(system).capabilities
    except Fatal as error:
        yield str(error)
        return
    if system.start == "on_change" and not can.peeks:
        yield "start: on_change asks it all the time, and the module's connector cannot; set peeks in its capabilities"
    for name in system.look.streams if system.look else ():
        if why := why_not(system, name):
            yield f"look.streams: {name} cannot be asked about: {why}; take it out"
    for name, stream in system.streams.items():
        if stream.lookup and not can.lookups:
            yield f"{name} is a lookup, and the module's connector asks about no keys; set lookups in its capabilities"
        if stream.lookup and stream.lookup.feed and not can.feed:
            yield f"{name} names a feed, and the module's connector reads none; set feed in its capabilities"
        if can.windows == "never" and names_window(stream.request):
            yield (
                f"{name} asks about a window's start and end; set windows in the capabilities of the module's "
                "connector, or backfills leave it out"
            )
