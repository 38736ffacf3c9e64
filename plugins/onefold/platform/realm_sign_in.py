"""The command line's sign-in at the identity provider: a code that its person confirms in a browser, on any machine.

Source: RFC 8628 "OAuth 2.0 Device Authorization Grant".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from onefold.errors import Fatal, Retriable
from onefold.orchestration.oidc.provider import IdentityProvider

_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_TIMEOUT = (5, 30)
_SCOPE = "openid profile"


@dataclass(frozen=True)
class RealmTokens:
    """What the provider gave: the ID token, which Airflow takes, and what gets another one ("": nothing does)."""

    id_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True)
class Realm:
    """The provider, as its own document describes it."""

    provider: IdentityProvider

    def sign_in(
        self,
        show: Callable[[str], None],
        wait: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> RealmTokens:
        """Show the address and the code, and wait until the person has confirmed it there.

        Raises Fatal when they refuse, take too long or the provider does not know the client for this.
        """
        document = self._document()
        endpoint = document.get("device_authorization_endpoint")
        if not isinstance(endpoint, str):
            raise Fatal("The identity provider signs in no command line (device_authorization_endpoint). Let it, "
                        "docs/people.md says how.")  # fmt: skip
        begun = self._post(endpoint, {"scope": _SCOPE})
        if "device_code" not in begun:
            raise _refused(begun)
        where = begun.get("verification_uri_complete") or begun.get("verification_uri")
        show(f"Open {where} in a browser and confirm the code {begun['user_code']}.")
        pause, ends = float(begun.get("interval", 5)), clock() + float(begun["expires_in"])
        while clock() < ends:
            wait(pause)
            answer = self._post(
                document["token_endpoint"], {"grant_type": _DEVICE, "device_code": begun["device_code"]}
            )
            if "id_token" in answer:
                return _tokens(answer)
            if answer.get("error") == "slow_down":
                pause += 5
            elif answer.get("error") != "authorization_pending":
                raise _refused(answer)
        raise Fatal("Nobody has confirmed the code in time. Sign in again with: bin/onefold login")

    def renew(self, refresh_token: str) -> RealmTokens:
        """New tokens. Raises Fatal when the provider gives this person no more: the sign-in has ended there."""
        sent = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        answer = self._post(self._document()["token_endpoint"], sent)
        if "id_token" not in answer:
            raise _refused(answer)
        found = _tokens(answer)
        return found if found.refresh_token else RealmTokens(found.id_token, refresh_token)

    def _document(self) -> Mapping[str, Any]:
        address = f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        document = _answer(lambda: requests.get(address, timeout=_TIMEOUT, verify=self.provider.authority))
        if document.get("issuer") != self.provider.issuer or not isinstance(document.get("token_endpoint"), str):
            raise Fatal(f"{address} does not describe the issuer of ONEFOLD_OIDC_ISSUER. Set it as the provider does.")
        return document

    def _post(self, address: str, sent: Mapping[str, str]) -> Mapping[str, Any]:
        form = {"client_id": self.provider.client, **sent}
        if self.provider.client_secret:
            form["client_secret"] = self.provider.client_secret
        return _answer(lambda: requests.post(address, data=form, timeout=_TIMEOUT, verify=self.provider.authority))


def _answer(send: Callable[[], requests.Response]) -> Mapping[str, Any]:
    try:
        answer = send().json()
    except (requests.RequestException, ValueError) as error:
        raise Retriable(f"The identity provider does not answer ({type(error).__name__}). Try again.") from error
    if not isinstance(answer, dict):
        raise Retriable("The identity provider answered something else than was asked. Try again.")
    return answer


def _tokens(answer: Mapping[str, Any]) -> RealmTokens:
    return RealmTokens(str(answer["id_token"]), str(answer.get("refresh_token") or ""))


def _refused(answer: Mapping[str, Any]) -> Fatal:
    return Fatal(f"The identity provider refused ({answer.get('error', 'no token')}). Sign in with: bin/onefold login")
