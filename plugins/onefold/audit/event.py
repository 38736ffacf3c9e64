"""What an audit event may contain: identifiers, numbers, times and hashes. Free text is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onefold.audit.chain import Payload, Scalar
from onefold.audit.personal import looks_personal
from onefold.errors import Fatal

MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8785)."""

_WORD = re.compile(r"[a-z][a-z0-9_.]{0,99}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,62}")
# One token without white space that begins in lower case: a name, a URL, an Airflow run. "Kowalski" is
# none; a source's own field is written with its stream, "crm.account.BillingCity".
_REFERENCE = re.compile(r"[a-z][\w.:/#+\-\[\]]{0,299}", re.ASCII)
_VALUE = re.compile(
    r"[a-z][a-z0-9_\-]{0,99}"  # a word of ours
    r"|[a-z][\w\-]*(?:[.:/#+]+[\w\-]+)+/?"  # a qualified name or an address
    r"|[a-z_]+__\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+\d\d:?\d\d)\w*"  # an Airflow run
    r"|\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))?"  # a date or an instant
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"  # a uuid
    r"|[0-9a-f]{32,128}"  # a hash or a commitment
    r"|-?\d{1,8}(?:\.\d{1,18})?"  # a decimal
    r"|\d+(?:\.\d+)+(?:[a-z]+\d*)?",  # a version
    re.ASCII,
)
_PERSONAL_KEY = re.compile(
    r"(?:.*_)?(?:pesel|e_?mail|phone|mobile|fax|(?:first|last|full|maiden)_name|surname|birth_?date|date_of_birth"
    r"|address|street|postal_code|iban|bank_account|passport|id_card|password|token|secret|authorization)"
)


@dataclass(frozen=True)
class AuditEvent:
    """One thing that somebody did. Raises Fatal, naming the field, when it could carry personal data.

    actor: who (see onefold.audit.actor). action: what, "load.publish". subject: about what, "load:<id>".
    from_, to: where the data came from and went to, "crm.account", "staging.crm__account", or None.
    payload: facts about it, never a record's content. result: how it ended, "ok", "rejected", "failed".

    Payload values are integers within ±(2^53 − 1), booleans, None, and single tokens: a lower-case word, a
    qualified name ("crm.account.BillingCity"), a URL without query, a timestamp, a uuid, a hex hash or
    commitment, a decimal as text ("0.02"), a version; or lists of these. No floats: their
    printed form differs between languages.
    """

    actor: str
    action: str
    subject: str
    from_: str | None = None
    to: str | None = None
    payload: Mapping[str, Scalar | Sequence[Scalar]] = field(default_factory=dict)
    result: str = "ok"

    def __post_init__(self) -> None:
        if not self.actor or len(self.actor) > 300 or not self.actor.isprintable() or " " in self.actor:
            raise Fatal(f"Audit actor {self.actor!r} is no single printable token; use onefold.audit.actor().")
        _require("action", self.action, _WORD, "a lower-case word such as load.publish")
        _require("result", self.result, _WORD, "a lower-case word such as ok, rejected, failed")
        for name, reference in (("subject", self.subject), ("from", self.from_), ("to", self.to)):
            if reference is not None:
                _require(name, reference, _REFERENCE, "a reference such as staging.crm__account or load:<uuid>")
        for key, value in self.payload.items():
            _check_payload(key, value)

    def plain_payload(self) -> Payload:
        """The payload as plain JSON containers."""
        return {key: _plain(value) for key, value in self.payload.items()}


def _plain(value: Scalar | Sequence[Scalar]) -> Scalar | list[Scalar]:
    return value if value is None or isinstance(value, str | int) else list(value)


def _check_payload(key: str, value: Scalar | Sequence[Scalar]) -> None:
    _require("payload key", key, _KEY, "a lower-case word such as rows_new")
    if _PERSONAL_KEY.fullmatch(key):
        raise Fatal(f"Audit payload key {key!r} names personal data or a secret: give its commitment() instead.")
    for scalar in value if isinstance(value, list | tuple) else (value,):
        if isinstance(scalar, str):
            _require(f"payload value of {key!r}", scalar, _VALUE, "an identifier, timestamp, uuid, hash or decimal")
        elif isinstance(scalar, int):
            if abs(scalar) > MAX_INTEGER:
                raise Fatal(f"Audit payload {key!r} is beyond ±(2^53 - 1): give it as text or in a larger unit.")
        elif scalar is not None:
            raise Fatal(
                f"Audit payload {key!r} is a {type(scalar).__name__}: give an integer in a small unit "
                "(milliseconds, bytes), a decimal as text, or a list of scalars."
            )


def _require(what: str, text: str, pattern: re.Pattern[str], remedy: str) -> None:
    """The offending text itself is not repeated: it may be personal."""
    if not isinstance(text, str) or not pattern.fullmatch(text) or looks_personal(text):
        raise Fatal(f"Audit {what} is not an identifier or looks personal (its text is withheld): give {remedy}.")
