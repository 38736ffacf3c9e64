"""A person, as whoever signs them in names them."""

from __future__ import annotations

from dataclasses import dataclass

LOCAL = "local"
"""The issuer of this installation's own accounts."""


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
