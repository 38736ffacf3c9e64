"""A person, as whoever signs them in names them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from onefold.audit.personal import looks_personal

LOCAL = "local"
"""The issuer of this installation's own accounts."""

_PLAIN_ISSUER = re.compile(r"(?=.{9,68}$)https://[a-z0-9.-]+(/[a-z0-9.-]+)*")
_PLAIN = re.compile(r"[a-z0-9][a-z0-9.-]{0,59}")
"""What an account's name can hold as it is. Airflow and the approvals tell no upper from lower case."""


@dataclass(frozen=True, order=True)
class Person:
    """Who somebody is: `subject` is unique and never changes within `issuer`, as an OpenID token's "sub" is within its
    "iss". Names and e-mail addresses change hands, so they identify nobody. Two people are one only if both are equal.
    """

    issuer: str
    subject: str

    def __str__(self) -> str:
        """The subject alone for an account of this installation, else "subject@issuer"."""
        return self.subject if self.issuer == LOCAL else f"{self.subject}@{self.issuer}"

    @property
    def account(self) -> str:
        """The name by which Airflow and audit events know the person, the issuer first: another one for each issuer and
        subject, also without regard to case, of characters that an audit event keeps as they are and that look like
        nothing personal. An issuer or a subject of other characters stands there as its hash.
        """
        if self.issuer == LOCAL:
            return self.subject
        plain = _PLAIN.fullmatch(self.subject) and not looks_personal(self.subject)
        place = self.issuer.removeprefix("https://").replace("/", ":")
        # "a/b" and "a:b" would be one, and so would "http" and "https": only the ordinary form is legible.
        ordinary = _PLAIN_ISSUER.fullmatch(self.issuer)
        return f"{place if ordinary else _hash(self.issuer)}:{self.subject if plain else _hash(self.subject)}"


def _hash(text: str) -> str:
    """An underscore stands in no plain subject or issuer, so that none looks like a hash."""
    return f"sha256_{hashlib.sha256(text.encode()).hexdigest()[:40]}"
