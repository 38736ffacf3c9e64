"""At which identity provider people sign in, and what its groups allow: the settings ONEFOLD_OIDC_*."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

from onefold.audit.person import Person
from onefold.errors import Fatal
from onefold.orchestration.duties import Duty
from onefold.settings import secret

NAME = "realm"
"""The provider's name in FAB; the callback is /auth/oauth-authorized/realm."""
PII = "pii"
"""What a group allows beside a duty: to have personal values shown, each time on demand and recorded."""
EVERYBODY = "everybody"
"""FAB's role of all who have signed in, which allows nothing; FAB wants one."""
DEFAULT_GROUPS = ",".join(f"onefold-{right}:{right}" for right in (*get_args(Duty), PII))
TOKEN_SECONDS = 900
"""How long a token of Airflow's holds at most: whoever leaves a group has lost what it allows after that."""
_LOCAL_HOSTS = ("127.0.0.1", "::1", "localhost")
VARIABLES = (
    *("ONEFOLD_OIDC_ISSUER", "ONEFOLD_OIDC_CLIENT", "ONEFOLD_OIDC_GROUPS", "ONEFOLD_OIDC_CLAIM"),
    *("ONEFOLD_OIDC_CA", "ONEFOLD_OIDC_USERS", "ONEFOLD_LEAVERS"),
)
"""What the services are told; the last two are read by onefold.reconcile.leavers."""
SECRET_VARIABLE = "ONEFOLD_OIDC_CLIENT_SECRET"  # noqa: S105 - its name


class Refused(Exception):
    """Somebody whom the provider knows and who may not come in here; the text says why, to them."""


@dataclass(frozen=True)
class Rights:
    """What the groups of a person allow."""

    duty: Duty
    pii: bool


@dataclass(frozen=True)
class IdentityProvider:
    """`groups` says what each group of the realm allows, a duty or PII; `claim` is the claim that lists them.
    `client_secret` is None for a public client: PKCE protects the code of either. `authority` is the file of who signs
    the provider's certificate; True: whoever is publicly trusted."""

    issuer: str
    client: str
    groups: Mapping[str, str]
    claim: str
    authority: str | bool = True
    client_secret: str | None = field(default=None, repr=False)

    def person(self, claims: Mapping[str, object]) -> Person:
        """Whose claims they are. Raises Refused for claims of another issuer, or that name no subject."""
        subject = claims.get("sub")
        if claims.get("iss") != self.issuer or not isinstance(subject, str) or not subject:
            raise Refused("The sign-in is not by the identity provider of this installation (iss, sub).")
        return Person(self.issuer, subject)

    def rights(self, claims: Mapping[str, object]) -> Rights:
        """What the groups in the claims allow. Raises Refused for who is in no group with a duty, or in those of two:
        who approves must not have been able to start it."""
        allowed = {self.groups[group] for group in _texts(claims.get(self.claim)) if group in self.groups}
        if (rights := rights_of_roles(allowed)) is not None:
            return rights
        if duties := sorted(allowed - {PII}):
            raise Refused(f"You are in the groups of {' and '.join(duties)}; a person has one duty. Leave all but one.")
        raise Refused("You are in no group that may use Onefold. Ask who runs the realm to put you in one.")


def rights_of_roles(names: Iterable[str]) -> Rights | None:
    """What an account's roles in FAB allow, which are named as what groups allow; None where that is not one duty."""
    held = set(names)
    duties = [duty for duty in get_args(Duty) if duty in held]
    return Rights(duties[0], PII in held) if len(duties) == 1 else None


def identity_provider() -> IdentityProvider | None:
    """The provider that the settings name; None where they name none: then people have passwords of this installation.

    Raises Fatal when a setting cannot be understood.
    """
    issuer = os.environ.get("ONEFOLD_OIDC_ISSUER", "")
    if not issuer:
        return None
    address = urlsplit(issuer)
    local = address.scheme == "http" and address.hostname in _LOCAL_HOSTS
    if not address.netloc or not (address.scheme == "https" or local):
        raise Fatal(
            f"ONEFOLD_OIDC_ISSUER={issuer!r} is no https address. Set it to what the provider calls its issuer."
        )
    return IdentityProvider(
        issuer,
        os.environ.get("ONEFOLD_OIDC_CLIENT") or "onefold",
        _groups(os.environ.get("ONEFOLD_OIDC_GROUPS") or DEFAULT_GROUPS),
        os.environ.get("ONEFOLD_OIDC_CLAIM") or "groups",
        _authority(os.environ.get("ONEFOLD_OIDC_CA", "")),
        secret(SECRET_VARIABLE),
    )


def _authority(path: str) -> str | bool:
    if path and not Path(path).is_file():
        raise Fatal(f"ONEFOLD_OIDC_CA names {path}, which is not a file. Put the authority's certificate there.")
    return path or True


def _groups(text: str) -> Mapping[str, str]:
    known = (*get_args(Duty), PII)
    found = {}
    for each in filter(None, (part.strip() for part in text.split(","))):
        group, _, right = each.rpartition(":")
        if not group or right not in known:
            raise Fatal(f"ONEFOLD_OIDC_GROUPS: {each!r} is not a group and what it allows. Write group:duty, with one "
                        f"of {', '.join(known)}, and commas between.")  # fmt: skip
        if group in found:
            raise Fatal(f"ONEFOLD_OIDC_GROUPS names the group {group} twice. A group allows one thing.")
        found[group] = right
    if "engineer" not in found.values():
        raise Fatal(
            "ONEFOLD_OIDC_GROUPS names no group of engineers, so nobody could run anything. Add group:engineer."
        )
    return found


def _texts(value: object) -> Collection[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else ()
