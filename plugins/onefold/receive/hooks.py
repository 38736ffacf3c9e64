"""The hooks of a catalogue, with the secrets of their systems' connections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from onefold.catalog.system import System
from onefold.catalog.webhook import Webhook
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.receive.signatures import signing_keys

Name = tuple[str, str]
"""System and stream."""
CERTIFICATE = "client_certificate"
"""The key of a connection's extra that has what the proxy says of the sender's certificate."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A stream that events are posted to: how they are signed, and the keys (signing_keys), two while one is rolled;
    `certificates`: one of these the proxy has to say of the sender, where the YAML names a header for it; `problem`:
    what its connection lacks, in which case it accepts nothing."""

    webhook: Webhook
    keys: tuple[bytes, ...] = field(repr=False)
    certificates: tuple[bytes, ...] = field(default=(), repr=False)
    problem: str | None = None


Hooks = Mapping[Name, Hook]


def hooks_of(systems: Iterable[System], endpoint_of: Callable[[str], Endpoint]) -> Hooks:
    """By system and stream. The connection's extra has Webhook.secret_name for all streams of its system, or the same
    with _<stream> for one: a secret, or several with spaces between while one is rolled. A hook whose connection or
    secret is missing, or whose secret cannot be one, has a problem, which does not quote it; the others have none.
    """
    found: dict[Name, Hook] = {}
    for system in systems:
        for name, stream in system.streams.items():
            if stream.webhook:
                found[system.system, name] = _hook(stream.webhook, name, system, endpoint_of)
    return found


def _hook(webhook: Webhook, stream: str, system: System, endpoint_of: Callable[[str], Endpoint]) -> Hook:
    secret, where = webhook.secret_name, f"Airflow connection {system.connection!r}"
    try:
        extra = endpoint_of(system.connection).extra or {}
        certificates = _given(extra, CERTIFICATE, stream, where) if webhook.certificate_header else []
        keys = signing_keys(webhook, _given(extra, secret, stream, where))
    except Fatal as error:
        return Hook(webhook, (), problem=str(error))
    except ValueError as error:
        return Hook(webhook, (), problem=f"{where}: {error}. Copy {secret} anew from the sender's page.")
    return Hook(webhook, tuple(keys), tuple(each.encode() for each in certificates))


def _given(extra: Mapping[str, str], key: str, stream: str, where: str) -> list[str]:
    given = (extra.get(f"{key}_{stream}") or extra.get(key) or "").split()
    if not given:
        what = {
            "signing_secret": "the secret that the sender signs with",
            "organization_id": "the id of the Salesforce organisation that may send",
            CERTIFICATE: "what the proxy says of the sender's certificate",
        }[key]
        raise Fatal(f"{where} has no {key} in its extra: write {what} there.")
    return given
