"""What commands check before they ask a system about a window of the past: nothing is touched when it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import click

from onefold.catalog.mistakes import did_you_mean
from onefold.catalog.system import System
from onefold.connectors.past import unaskable
from onefold.errors import Fatal
from onefold.orchestration.forms import instant


def known_system(systems: Mapping[str, System], name: str) -> System:
    """The system with this name. Raises Fatal with the names that there are."""
    if name not in systems:
        raise Fatal(f"There is no system {name!r} in catalog/systems: {did_you_mean(name, systems, 'there are')}.")
    return systems[name]


def known_stream(systems: Mapping[str, System], name: str) -> tuple[str, str | None]:
    """System and stream of system.stream; the stream is None where only a system is named.

    Raises Fatal with the names that there are.
    """
    system, _, stream = name.partition(".")
    streams = known_system(systems, system).streams
    if stream and stream not in streams:
        raise Fatal(f"{system} has no stream {stream!r}: {did_you_mean(stream, streams, 'there are')}.")
    return system, stream or None


def asked_window(start: str | None, end: str | None) -> tuple[datetime | None, datetime]:
    """The window that somebody has asked for; without an end it ends now.

    Raises Fatal when it is empty, reversed, or in the future.
    """
    now = datetime.now(UTC)
    begin, until = instant(start), instant(end) or now
    if until > now:
        raise Fatal(f"--to {end} is in the future: it is {now:%FT%TZ}. Choose an earlier end. Nothing was started.")
    if begin and begin >= until:
        raise Fatal(f"--from {start} is not before --to {end or 'now'}: swap them. Nothing was started.")
    return begin, until


def ask_streams(system: System, start: datetime | None) -> dict[str, str]:
    """The streams that must be left out, each with the reason, which is also printed.

    Raises Fatal when that is all of them.
    """
    now = datetime.now(UTC)
    reasons = {name: unaskable(system, name, start, now) for name in system.streams}
    left_out = {name: why.text for name, why in reasons.items() if why}
    reasons_text = "\n".join(f"- {why}" for why in left_out.values())
    if len(left_out) == len(system.streams):
        raise Fatal(
            f"No stream of {system.system} can be asked about that window:\n{reasons_text}\nNothing was started."
        )
    if left_out:
        click.echo(f"left out, {len(left_out)} of {len(system.streams)} streams:\n{reasons_text}", err=True)
    return left_out
