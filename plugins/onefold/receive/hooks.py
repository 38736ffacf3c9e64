"""The hooks of a catalogue, with the secrets of their systems' connections."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.receive.service import Hook
from onefold.receive.signatures import signing_keys

EXTRA = "signing_secret"
"""The key of a connection's extra."""


def hooks_of(systems: Iterable[System], endpoint_of: Callable[[str], Endpoint]) -> dict[tuple[str, str], Hook]:
    """By system and stream. The connection's extra has signing_secret for all streams of its system, or
    signing_secret_<stream> for one: a secret, or several with spaces between while one is rolled.

    Raises Fatal, without the secret, where one is missing or cannot be one.
    """
    found: dict[tuple[str, str], Hook] = {}
    for system in systems:
        if system.protocol != "webhook":
            continue
        extra = endpoint_of(system.connection).extra or {}
        for name, stream in system.streams.items():
            if stream.webhook is None:
                continue
            secrets = (extra.get(f"{EXTRA}_{name}") or extra.get(EXTRA) or "").split()
            where = f"{system.system}.{name}: Airflow connection {system.connection!r}"
            if not secrets:
                raise Fatal(f"{where} has no {EXTRA} in its extra: write the secret that the sender signs with there.")
            try:
                found[system.system, name] = Hook(stream.webhook, tuple(signing_keys(stream.webhook, secrets)))
            except ValueError as error:
                raise Fatal(f"{where}: {error}. Copy {EXTRA} anew from the sender's page.") from None
    return found
