"""Who may sign in to this installation's UI, and what each may do there. Passwords: secrets.py."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import psycopg

from onefold.audit.person import LOCAL, Person
from onefold.errors import Fatal
from onefold.orchestration.duties import AIRFLOW_ROLES, Duty
from onefold.orchestration.oidc.provider import identity_provider
from onefold.orchestration.pools import SERVICE_ACCOUNT

DEMO_PEOPLE = "anna.kowal:engineer,piotr.zaremba:approver,maria.wilk:analyst,tomasz.gora:auditor"
"""The made-up people of an installation that names none of its own."""

_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


@dataclass(frozen=True)
class Account:
    """Somebody who may sign in, and their duty. `pii`: the console shows them personal values on demand."""

    person: Person
    duty: Duty
    pii: bool = False

    @property
    def name(self) -> str:
        """By what Airflow knows them; people with a password here sign in with it."""
        return self.person.account


def accounts() -> tuple[Account, ...]:
    """The people of ONEFOLD_PEOPLE ("name:duty,name:duty+pii"), or the demo's; none where they sign in at an identity
    provider.

    Raises Fatal when it cannot be understood, names somebody twice (one person with two duties could approve what they
    have started) or the service account, or has no engineer.
    """
    if identity_provider() is not None:
        return ()
    text = os.environ.get("ONEFOLD_PEOPLE", DEMO_PEOPLE)
    found = tuple(_account(each.strip()) for each in text.split(",") if each.strip())
    # A name that differs in its case alone would be taken for the other person's.
    twice = [name for name, times in Counter(account.name.lower() for account in found).items() if times > 1]
    if twice:
        raise Fatal(f"ONEFOLD_PEOPLE names {', '.join(twice)} more than once. A person has one account and one duty.")
    if SERVICE_ACCOUNT in {account.name.lower() for account in found}:
        raise Fatal(f"ONEFOLD_PEOPLE names {SERVICE_ACCOUNT}, which is no person but the account of `up`. Take it out.")
    if not any(account.duty == "engineer" for account in found):
        raise Fatal("ONEFOLD_PEOPLE names no engineer, so nobody could run anything. Add one as name:engineer.")
    return found


def people(connect: Callable[[], psycopg.Connection]) -> tuple[Account, ...]:
    """Who may come in: accounts(), or those of the identity provider who have signed in, with the duty of then, which
    the warehouse has. `connect` gives a connection as who may read ops.account."""
    if identity_provider() is None:
        return accounts()
    query = "select issuer, subject, duty, pii from ops.account where ended_at is null and duty is not null"
    with connect() as warehouse:
        found = warehouse.execute(f"{query} order by account").fetchall()
    return tuple(Account(Person(issuer, subject), duty, pii) for issuer, subject, duty, pii in found)


def airflow_users() -> dict[str, str]:
    """Who may sign in to Airflow, and with which of its roles: the people, and the account of no person."""
    return {account.name: AIRFLOW_ROLES[account.duty] for account in accounts()} | {SERVICE_ACCOUNT: "viewer"}


def first_of(duty: Duty) -> Account:
    """The person of this duty who is named first. Raises Fatal when there is none."""
    found = next((account for account in accounts() if account.duty == duty), None)
    if found is None and identity_provider() is not None:
        raise Fatal("People sign in at the identity provider (ONEFOLD_OIDC_ISSUER): nobody has a password here.")
    if found is None:
        raise Fatal(f"ONEFOLD_PEOPLE names no {duty}. Add one as name:{duty}, then run bin/onefold up.")
    return found


def _account(text: str) -> Account:
    name, _, said = text.partition(":")
    said, plus, more = said.partition("+")
    duty = next((known for known in get_args(Duty) if known == said), None)
    if not _SUBJECT.fullmatch(name) or duty is None or (plus and more != "pii"):
        raise Fatal(
            f"ONEFOLD_PEOPLE: {text!r} is not a name and a duty. Write each person as name:duty, with a name of "
            f"letters, digits, dots, - and _, and a duty of {', '.join(get_args(Duty))}; name:duty+pii for who may see "
            "personal values in the console."
        )
    return Account(Person(LOCAL, name), duty, bool(plus))
