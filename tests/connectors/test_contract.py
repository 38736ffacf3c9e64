"""Every connector meets one contract, and what it says that it can do is what it does."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

from onefold.catalog.deletes import Deletes, Sweep
from onefold.catalog.reader import read_systems
from onefold.catalog.system import Look, System
from onefold.catalog.yaml_file import CatalogError
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.check import check_connectors
from onefold.connectors.connector import Connector, Transport
from onefold.connectors.past import names_window
from onefold.connectors.registry import PROTOCOLS, connector_class
from onefold.connectors.rest.connector import RestConnector
from onefold.settings import ROOT

SYSTEMS = read_systems()
MODULES = ROOT / "plugins" / "onefold" / "systems"


def of_protocol(protocol: str) -> System:
    """Some system of the protocol, without a module of its own."""
    return next(iter(SYSTEMS.values())).model_copy(update={"protocol": protocol, "python": None})


def own_modules() -> set[str]:
    """The names of the modules in systems/ that name a connector."""
    files = {path.stem: path for path in MODULES.glob("[!_]*.py")} | {
        path.parent.name: path for path in MODULES.glob("*/connector.py")
    }
    return {name for name, path in files.items() if "\nCONNECTOR = " in path.read_text()}


CONNECTORS = {
    **{f"protocol {protocol}": connector_class(of_protocol(protocol)) for protocol in PROTOCOLS},
    **{name: connector_class(system) for name, system in SYSTEMS.items() if system.python},
}
each_connector = pytest.mark.parametrize("connector", CONNECTORS.values(), ids=CONNECTORS.keys())


def test_every_protocol_of_the_catalogue_and_no_other_is_registered():
    assert PROTOCOLS.keys() == set(get_args(System.model_fields["protocol"].annotation))


def test_every_module_in_systems_is_some_systems_connector():
    named = {system.python.module for system in SYSTEMS.values() if system.python}
    assert named == own_modules()
    assert own_modules() == {path.stem for path in MODULES.iterdir() if not path.stem.startswith("_")}


@each_connector
def test_a_connector_can_be_made_and_takes_what_the_contract_gives(connector: type[Connector[Transport]]):
    assert issubclass(connector, Connector)
    assert not inspect.isabstract(connector)
    for name in ("__init__", "open_transport", "read", "count", "feed", "acknowledge", "page_reader"):
        theirs, ours = (list(inspect.signature(getattr(each, name)).parameters) for each in (connector, Connector))
        assert theirs == ours, name


@each_connector
def test_capabilities_agree_with_what_the_methods_do(connector: type[Connector[Transport]]):
    can = connector.capabilities
    assert isinstance(can, Capabilities)
    assert (can.counting is not None) == (connector.count is not Connector.count)
    assert can.feed == (connector.feed is not Connector.feed)
    assert can.acknowledges == (connector.acknowledge is not Connector.acknowledge)


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS.keys())
def test_a_systems_streams_ask_nothing_that_its_connector_cannot_do(system: System):
    can = connector_class(system).capabilities
    for stream in system.streams.values():
        assert can.lookups or not stream.lookup
        assert can.feed or not (stream.lookup and stream.lookup.feed)
        assert can.windows != "never" or not names_window(stream.request)


def test_what_a_connector_cannot_do_is_refused_by_name():
    class Plain(RestConnector):
        pass

    for asked in (lambda c: c.count([]), lambda c: c.feed(None), lambda c: c.acknowledge([])):
        with pytest.raises(NotImplementedError, match="Plain has no"):
            asked(Plain.__new__(Plain))


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[ModuleType, dict[str, System], Path]:
    """A module of its own for Stripe, and the folder with Stripe's YAML, which names it."""
    module = ModuleType("onefold.systems.odd")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    text = (ROOT / "catalog" / "systems" / "stripe.yaml").read_text()
    python = "python: {module: odd, why: because it is truly odd in many ways}\nstreams:"
    (tmp_path / "stripe.yaml").write_text(text.replace("\nstreams:", f"\n{python}", 1))
    system = SYSTEMS["stripe"].model_copy(update={"python": SYSTEMS["krs"].python.model_copy(update={"module": "odd"})})
    return module, {"stripe": system}, tmp_path


def test_check_refuses_a_module_that_is_no_connector(odd):
    module, systems, folder = odd
    line = (folder / "stripe.yaml").read_text().splitlines().index(
        "python: {module: odd, why: because it is truly odd in many ways}"
    ) + 1
    for wrong in (None, object, "RestConnector", Connector):
        module.CONNECTOR = wrong
        with pytest.raises(CatalogError, match=rf"stripe.yaml:{line}: .*onefold.systems.odd names no connector"):
            check_connectors(systems, folder)
    module.CONNECTOR = RestConnector
    check_connectors(systems, folder)


def test_check_refuses_a_connector_whose_capabilities_leave_out_what_a_stream_needs(odd):
    module, systems, folder = odd

    class Never(RestConnector):
        capabilities = Capabilities()

    module.CONNECTOR = Never
    assert any(names_window(stream.request) for stream in systems["stripe"].streams.values())
    with pytest.raises(CatalogError, match="asks about a window's start and end; set windows in the capabilities"):
        check_connectors(systems, folder)
    krs = SYSTEMS["krs"]
    asked = {"stripe": systems["stripe"].model_copy(update={"streams": krs.streams})}
    with pytest.raises(CatalogError, match="extract is a lookup, and the module's connector asks about no keys"):
        check_connectors(asked, folder)
    with pytest.raises(CatalogError, match="extract names a feed, and the module's connector reads none"):
        check_connectors(asked, folder)


def test_check_refuses_a_start_on_change_of_a_connector_that_cannot_be_asked_and_of_a_stream_that_cannot_be_counted(
    odd,
):
    module, systems, folder = odd
    module.CONNECTOR = RestConnector
    look = Look(streams=["event"])
    watched = {"stripe": systems["stripe"].model_copy(update={"start": "on_change", "look": look})}
    with pytest.raises(CatalogError) as refused:
        check_connectors(watched, folder)
    said = [mistake.text for mistake in refused.value.mistakes]
    assert "set peeks in its capabilities" in said[0]
    assert "look.streams: event cannot be asked about" in said[1]


def test_check_refuses_a_sweep_that_cannot_be_and_says_why(odd):
    _, _, folder = odd
    streams = dict(SYSTEMS["stripe"].streams)
    for name in ("charge", "event"):
        deletes = Deletes(sweep=Sweep())
        streams[name] = streams[name].model_copy(update={"deletes": deletes})
    with pytest.raises(CatalogError) as refused:
        check_connectors({"stripe": SYSTEMS["stripe"].model_copy(update={"streams": streams})}, folder)
    (mistake,) = refused.value.mistakes
    assert "event cannot be swept: the source keeps its records for a limited time" in mistake.text
