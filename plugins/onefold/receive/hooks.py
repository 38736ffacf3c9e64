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
    `certificates`: one of these the proxy has to say of the sender, where the YAML names a header for it."""

    webhook: Webhook
    keys: tuple[bytes, ...] = field(repr=False)
    certificates: tuple[bytes, ...] = field(default=(), repr=False)


Hooks = Mapping[Name, Hook]


def hooks_of(systems: Iterable[System], endpoint_of: Callable[[str], Endpoint]) -> Hooks:
    """By system and stream. The connection's extra has Webhook.secret_name for all streams of its system, or the same
    with _<stream> for one: a secret, or several with spaces between while one is rolled.

    Raises Fatal, without the secret, where one is missing or cannot be one.
    """
    found: dict[Name, Hook] = {}
    for system in systems:
        posted = {name: stream.webhook for name, stream in system.streams.items() if stream.webhook}
        extra = (endpoint_of(system.connection).extra or {}) if posted else {}
        for name, webhook in posted.items():
            where = f"{system.system}.{name}: Airflow connection {system.connection!r}"
            found[system.system, name] = _hook(webhook, name, extra, where)
    return found


def _hook(webhook: Webhook, stream: str, extra: Mapping[str, str], where: str) -> Hook:
    secret = webhook.secret_name
    certificates = _given(extra, CERTIFICATE, stream, where) if webhook.certificate_header else []
    try:
        return Hook(
            webhook,
            tuple(signing_keys(webhook, _given(extra, secret, stream, where))),
            tuple(each.encode() for each in certificates),
        )
    except ValueError as error:
        raise Fatal(f"{where}: {error}. Copy {secret} anew from the sender's page.") from None


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
