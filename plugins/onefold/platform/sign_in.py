"""Who uses the command line: a person signs in once, and the commands act in their name until that ends.

The token that Airflow's API server gave is kept in the home, in a file of this login of the operating system that
nobody else may read. Airflow knows who somebody is: what is started, and what the audit chain says of it,
has the same name as in the UI.
"""

from __future__ import annotations

import getpass
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from onefold.errors import Fatal
from onefold.orchestration.oidc.provider import identity_provider
from onefold.platform.api import AirflowApi
from onefold.platform.realm_sign_in import Realm, RealmTokens
from onefold.private_files import write_private
from onefold.settings import Settings

Api = TypeVar("Api", bound=AirflowApi)
HOW = "Sign in with: bin/onefold login <name>"


@dataclass(frozen=True)
class SignedIn:
    """Somebody, and the token that they were given; `refresh`: what the identity provider gives the next one for, where
    there is one."""

    user: str
    token: str = field(repr=False)
    refresh: str = field(repr=False, default="")


def sign_in(here: Settings, user: str, password: str) -> SignedIn:
    """Sign in and keep the token. Raises Fatal when Airflow refuses, Retriable when it does not answer."""
    found = SignedIn(user, AirflowApi(here.ui_url, user, password).token)
    write_private(_path(here), json.dumps(asdict(found)).encode())
    return found


def sign_in_at_realm(here: Settings, realm: Realm, show: Callable[[str], None]) -> SignedIn:
    """Sign in at the identity provider and keep the token. Raises as `sign_in`, and Fatal when the provider refuses."""
    return _keep(here, realm.sign_in(show))


def sign_out(here: Settings) -> str | None:
    """Forget who has signed in; their name, or None when nobody had."""
    found = signed_in(here)
    _path(here).unlink(missing_ok=True)
    return found.user if found else None


def signed_in(here: Settings) -> SignedIn | None:
    """Who has signed in and not out; whether Airflow still takes their token shows when it is used."""
    try:
        return SignedIn(**json.loads(_path(here).read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise Fatal(f"{_path(here)} is not a sign-in of this version. {HOW}") from error


def airflow_session(api: type[Api], here: Settings, environment: Mapping[str, str] = os.environ) -> Api:
    """Airflow, through this client, as whoever has signed in; for scripts, as ONEFOLD_USER with the password that the
    file ONEFOLD_PASSWORD_FILE holds.

    Raises Fatal when nobody has, or it has ended.
    """
    if user := environment.get("ONEFOLD_USER"):
        return api(here.ui_url, user, _password(environment))
    found = signed_in(here)
    if found is None:
        raise Fatal(f"Nobody has signed in, and what is started is started in somebody's name. {HOW}")
    return api(here.ui_url, found.user, token=found.token, renew=partial(_renew, here) if found.refresh else None)


def _renew(here: Settings) -> str:
    """The next token of who has signed in at the identity provider, which holds for a few minutes only."""
    found, provider = signed_in(here), identity_provider()
    if found is None or not found.refresh or provider is None:
        raise Fatal(f"The sign-in has ended. {HOW}")
    return _keep(here, Realm(provider).renew(found.refresh)).token


def _keep(here: Settings, given: RealmTokens) -> SignedIn:
    api = AirflowApi(here.ui_url, "", id_token=given.id_token)
    found = SignedIn(api.user_name(), api.token, given.refresh_token)
    write_private(_path(here), json.dumps(asdict(found)).encode())
    return found


def _password(environment: Mapping[str, str]) -> str:
    path = environment.get("ONEFOLD_PASSWORD_FILE")
    if not path:
        raise Fatal("ONEFOLD_USER is set, but not ONEFOLD_PASSWORD_FILE: name the file with that person's password.")
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise Fatal(f"The password of ONEFOLD_USER cannot be read from {path}: {error.strerror}.") from error


def _path(here: Settings) -> Path:
    try:
        login = getpass.getuser()
    except (KeyError, OSError):  # a container's uid without a passwd entry
        login = f"uid-{os.getuid()}"
    return here.home / "sessions" / f"{re.sub(r'[^A-Za-z0-9._-]', '_', login)}.json"
