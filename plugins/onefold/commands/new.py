"""onefold new: first drafts of a system, a stream or a suite, from the source's own description."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

import click

from onefold.catalog.reader import read_systems
from onefold.catalog.yaml_file import MAX_BYTES
from onefold.draft.model import KINDS, Draft, DraftStream
from onefold.errors import Fatal
from onefold.settings import ROOT

if TYPE_CHECKING:
    from onefold.http.endpoint import Endpoint

Command = TypeVar("Command", bound=Callable[..., None])


@click.group()
def new() -> None:
    """Make first drafts."""


def _from(command: Command) -> Command:
    """The options that say what a draft is made from."""
    kind = click.option("--from", "kind", type=click.Choice(KINDS), required=True, help="What LOCATION is.")
    connection = click.option("--connection", help="The Airflow connection that lets us in at LOCATION.")
    stdout = click.option("--stdout", is_flag=True, help="Print the YAML and write nothing.")
    location = click.argument("location", required=False)
    return kind(location(connection(stdout(command))))


@new.command(epilog="Example: onefold new system invoicing --from openapi https://api.example.com/openapi.json")
@click.argument("name")
@_from
@click.option("--stream", "chosen_streams", multiple=True, help="Only this stream; may be given several times.")
@click.option("--title", help="The system's title; default: what the description says.")
def system(
    name: str,
    kind: str,
    location: str | None,
    connection: str | None,
    chosen_streams: tuple[str, ...],
    title: str | None,
    stdout: bool,
) -> None:
    """Write catalog/systems/NAME.yaml and a suite per stream, drafted from LOCATION.

    LOCATION is a file or a web address (an OpenAPI or Swagger description, a GraphQL schema or endpoint, a WSDL, an
    OData service's $metadata, a CSV file, an Excel workbook, an example answer in JSON), or a database's URL.
    `env:NAME` takes it from the variable NAME, so that no password stays in the shell's history. What had to be guessed
    is marked `# check: …` in the YAML. Files that are there are never written over.
    """
    from onefold.draft.yaml_text import draft_yaml, left_out_lines, suite_yaml

    draft, streams, origin = _drafted(kind, location, connection)
    chosen = [stream for stream in streams if not chosen_streams or stream.name in chosen_streams]
    if unknown := set(chosen_streams) - {stream.name for stream in streams}:
        raise Fatal(_unknown(unknown, streams))
    chosen = _with_parents(chosen, streams)
    draft = replace(draft, streams=chosen, title=title or draft.title)
    draft = replace(draft, left_out=()) if chosen_streams else draft
    text = draft_yaml(name, draft, origin)
    if len(text.encode()) > MAX_BYTES:
        names = ", ".join(stream.name for stream in streams)
        raise Fatal(
            f"a draft of all {len(chosen)} streams is larger than a system's YAML may be; choose some with --stream: "
            f"{names}"
        )
    _require_read(name, text)
    if stdout:
        click.echo(text, nl=False)
        return
    files = {ROOT / "catalog" / "systems" / f"{name}.yaml": text}
    files |= {
        ROOT / "expectations" / f"{name}__{each.name}.yaml": suite_yaml(name, each.name, each.keys) for each in chosen
    }
    _write(files)
    for line in left_out_lines(draft):
        click.echo(line.removeprefix("# "))
    click.echo(
        f"Next: see to what is marked `check`, add the connection {name}, then: bin/onefold check --connect {name}"
    )


@new.command(epilog="Example: onefold new stream invoicing orders --from openapi invoicing.json")
@click.argument("system_name", metavar="SYSTEM")
@click.argument("stream_name", metavar="STREAM")
@_from
@click.option("--as", "named", help="What the stream is called in the YAML; default: STREAM.")
def stream(
    system_name: str,
    stream_name: str,
    kind: str,
    location: str | None,
    connection: str | None,
    named: str | None,
    stdout: bool,
) -> None:
    """Add one stream to catalog/systems/SYSTEM.yaml, and its suite, drafted from LOCATION (see `new system`).

    STREAM is its name in the draft; where the description has one stream only, any name will do. Nothing else of the
    file changes, comments included.
    """
    from onefold.draft.into_yaml import with_stream
    from onefold.draft.yaml_text import stream_lines, suite_yaml

    path = ROOT / "catalog" / "systems" / f"{system_name}.yaml"
    if not path.is_file():
        raise Fatal(
            f"there is no catalog/systems/{system_name}.yaml; draft it with: bin/onefold new system {system_name}"
        )
    draft, streams, _ = _drafted(kind, location, connection)
    found = next((each for each in streams if each.name == stream_name), streams[0] if len(streams) == 1 else None)
    if found is None:
        raise Fatal(_unknown({stream_name}, streams))
    added = replace(found, name=named or stream_name)
    before = path.read_text(encoding="utf-8")
    protocol = read_systems(path.parent)[system_name].protocol
    if protocol != draft.protocol:
        raise Fatal(
            f"{system_name} is of protocol {protocol}, and --from {kind} drafts one of protocol {draft.protocol}"
        )
    text = with_stream(before, added, path.name)
    _require_read(system_name, text)
    if stdout:
        click.echo("\n".join(stream_lines(added, "  ")))
        return
    suite = ROOT / "expectations" / f"{system_name}__{added.name}.yaml"
    _write({suite: suite_yaml(system_name, added.name, added.keys)} if not suite.exists() else {})
    path.write_text(text, encoding="utf-8")
    click.echo(f"added to: {path.relative_to(ROOT)}")
    click.echo(f"Next: see to what is marked `check`, then: bin/onefold check --connect {system_name}.{added.name}")


@new.command(epilog="Example: onefold new suite invoicing.orders")
@click.argument("name", metavar="SYSTEM[.STREAM]")
def suite(name: str) -> None:
    """Write the suite of a stream that was added by hand, or of every stream of SYSTEM that has none."""
    from onefold.draft.yaml_text import suite_yaml

    systems = read_systems(ROOT / "catalog" / "systems")
    system_name, _, only = name.partition(".")
    if system_name not in systems:
        raise Fatal(f"there is no system {system_name!r} in catalog/systems; there are: {', '.join(systems)}")
    streams = systems[system_name].streams
    if only and only not in streams:
        raise Fatal(f"{system_name} has no stream {only!r}; it has: {', '.join(streams)}")
    paths = {each: ROOT / "expectations" / f"{system_name}__{each}.yaml" for each in ([only] if only else streams)}
    lacking = {each: path for each, path in paths.items() if only or not path.exists()}
    _write({path: suite_yaml(system_name, each, streams[each].primary_key) for each, path in lacking.items()})
    if not lacking:
        click.echo(f"every stream of {system_name} has its suite")


def _drafted(kind: str, location: str | None, connection: str | None) -> tuple[Draft, list[DraftStream], str]:
    from onefold.draft.kinds import drafted
    from onefold.draft.names import with_distinct_names

    if location is None and not (connection and kind == "database"):
        raise click.UsageError("Missing LOCATION: a file, a web address, or a database's URL.")
    draft, origin = drafted(kind, location or "", _endpoint(connection) if connection else None)
    return draft, with_distinct_names(draft.streams), origin


def _endpoint(connection: str) -> Endpoint:
    from onefold.commands.endpoints import endpoint_of

    return endpoint_of(connection)


def _with_parents(chosen: Sequence[DraftStream], streams: Sequence[DraftStream]) -> list[DraftStream]:
    """The chosen streams and those that they are listed below, in the draft's order."""
    wanted = {stream.name for stream in chosen}
    for stream in reversed(streams):  # parents come first
        parent = stream.more.get("parent")
        if stream.name in wanted and isinstance(parent, dict):
            wanted.add(str(parent["stream"]))
    return [stream for stream in streams if stream.name in wanted]


def _unknown(names: set[str], streams: Sequence[DraftStream]) -> str:
    there = ", ".join(stream.name for stream in streams)
    return f"there is no stream {', '.join(sorted(names))} in it; there are: {there}"


def _require_read(name: str, text: str) -> None:
    """A draft that the catalogue would refuse is not written: somebody else's words may be in it."""
    with TemporaryDirectory() as folder:
        Path(folder, f"{name}.yaml").write_text(text, encoding="utf-8")
        read_systems(Path(folder))


def _write(files: dict[Path, str]) -> None:
    if there := [path for path in files if path.exists()]:
        raise Fatal(
            f"{there[0].relative_to(ROOT)} is there already; nothing was written. Take another name, or --stdout."
        )
    for path, content in files.items():
        path.write_text(content, encoding="utf-8")
        click.echo(f"written: {path.relative_to(ROOT)}")
