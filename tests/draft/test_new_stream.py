"""`bin/onefold new stream` and `new suite`: one stream more, and nothing else of the file changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from onefold.catalog.reader import read_systems
from onefold.commands import new
from onefold.errors import Fatal
from onefold.quality.suite import read_suite
from onefold.settings import ROOT
from tests.draft.drafting import DESCRIPTIONS

WRITTEN = """\
# A comment at the top.
system: pets
title: "Pets" # kept as it was written
protocol: rest
connection: pets
schedule: "5 * * * *"

streams:
    # about owners
    owner: # and here
        title: Owners
        request: {path: /owners}
        primary_key: [id]
        fields:
            id: text
    # the last comment of the streams

# A comment at the end.
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(new, "ROOT", tmp_path)
    for folder in ("catalog/systems", "expectations"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "catalog/systems/pets.yaml").write_text(WRITTEN)
    return tmp_path


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(new.new, arguments)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


PETSTORE = ("--from", "openapi", str(DESCRIPTIONS / "petstore/swagger.yaml"))


def test_a_stream_is_added_with_its_suite_and_every_other_line_stays_as_it_was(checkout: Path) -> None:
    done = run("stream", "pets", "pets", *PETSTORE)
    text = (checkout / "catalog/systems/pets.yaml").read_text()
    added = [line for line in text.splitlines() if line not in WRITTEN.splitlines()]
    assert [line for line in text.splitlines() if line not in added] == WRITTEN.splitlines()
    assert added[0].startswith("    pets: # check: ")  # with the indent of the streams that are there
    systems = read_systems(checkout / "catalog/systems")
    assert list(systems["pets"].streams) == ["owner", "pets"]
    assert systems["pets"].streams["pets"].request.path == "/v1/pets"
    assert read_suite("pets__pets", checkout / "expectations").name == "pets__pets"
    assert "bin/onefold check --connect pets.pets" in done.output
    assert text.endswith("# A comment at the end.\n")


def test_a_stream_may_be_called_otherwise_and_is_never_written_over(checkout: Path) -> None:
    run("stream", "pets", "pets", *PETSTORE, "--as", "animal")
    before = (checkout / "catalog/systems/pets.yaml").read_text()
    assert "animal" in read_systems(checkout / "catalog/systems")["pets"].streams
    with pytest.raises(Fatal, match="has a stream animal already; nothing was written"):
        run("stream", "pets", "pets", *PETSTORE, "--as", "animal")
    assert (checkout / "catalog/systems/pets.yaml").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("stream", "cats", "pets", *PETSTORE), "bin/onefold new system cats"),
        (
            ("stream", "pets", "x", "--from", "openapi", str(DESCRIPTIONS / "contacts.yaml")),
            "there are: contacts, contacts",
        ),
        (("stream", "pets", "people", "--from", "edmx", str(DESCRIPTIONS / "trippin.xml")), "of protocol rest"),
        (("suite", "pets.cat"), "has no stream 'cat'; it has: owner"),
        (("suite", "cats"), "there is no system 'cats'"),
    ],
)
def test_what_cannot_be_added_is_refused_with_what_to_do(checkout: Path, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(Fatal, match=said):
        run(*arguments)
    assert (checkout / "catalog/systems/pets.yaml").read_text() == WRITTEN


def test_streams_on_one_line_are_left_to_a_person(checkout: Path) -> None:
    flow = WRITTEN.partition("streams:")[0] + "streams: {owner: {title: O, primary_key: [id], fields: {id: text}}}\n"
    (checkout / "catalog/systems/pets.yaml").write_text(flow)
    with pytest.raises(Fatal, match="does not write `streams:` as a block; add the stream by hand: --stdout"):
        run("stream", "pets", "pets", *PETSTORE)
    assert (checkout / "catalog/systems/pets.yaml").read_text() == flow


def test_a_stream_can_be_added_to_every_system_of_the_catalogue(checkout: Path) -> None:
    """Whatever their YAML looks like: defaults, comments, streams over several lines."""
    shutil.rmtree(checkout / "catalog")
    shutil.copytree(ROOT / "catalog", checkout / "catalog")
    before = read_systems(checkout / "catalog/systems")
    for name, system in before.items():
        if system.protocol == "rest":
            run("stream", name, "pets", *PETSTORE)
    after = read_systems(checkout / "catalog/systems")
    added = {name for name in after if "pets" in after[name].streams}
    assert added == {name for name, system in before.items() if system.protocol == "rest"}
    for name, system in before.items():
        assert {each: after[name].streams[each] for each in system.streams} == system.streams


def test_a_suite_is_written_for_each_stream_that_has_none_and_never_over_one(checkout: Path) -> None:
    done = run("suite", "pets")
    assert done.output == "written: expectations/pets__owner.yaml\n"
    suite = read_suite("pets__owner", checkout / "expectations")
    assert [each.label for each in suite.expectations][-1] == "expect_column_values_to_be_unique(id)"
    assert run("suite", "pets").output == "every stream of pets has its suite\n"
    with pytest.raises(Fatal, match="is there already; nothing was written"):
        run("suite", "pets.owner")
