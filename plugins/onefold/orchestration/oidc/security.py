"""Signing in at the identity provider, in FAB's terms: who somebody is, which roles they have, and the page that asks.

FAB's account is named by issuer and subject (Person.account), its e-mail is the same again: what the provider says of
names and addresses is shown and never looked up. FAB keeps no session of its own: a person who comes back asks the
provider again, so that whoever has left it is out when their token ends.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager, get_cookie_path
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.configuration import conf
from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
from airflow.providers.fab.auth_manager.models import User
from airflow.providers.fab.auth_manager.security_manager import override
from airflow.providers.fab.auth_manager.views.auth_oauth import CustomAuthOAuthView
from authlib.integrations.base_client import MismatchingStateError, OAuthError
from authlib.oidc.core import CodeIDToken
from flask import Response, make_response, redirect, request, session
from flask_appbuilder import expose
from joserfc.errors import JoseError
from markupsafe import escape
from sqlalchemy.exc import SQLAlchemyError

from onefold.errors import Fatal
from onefold.orchestration.oidc.accounts import record_sign_in
from onefold.orchestration.oidc.provider import EVERYBODY, NAME, IdentityProvider, Refused, identity_provider
from onefold.orchestration.pools import SERVICE_ACCOUNT
from onefold.orchestration.security_headers import HEADERS

log = logging.getLogger(__name__)

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Not signed in</title></head>
<body><h1>Not signed in</h1><p>{}</p><p><a href="{}">Try again</a></p></body></html>"""


class RealmView(CustomAuthOAuthView):
    """The two pages: one sends the browser to the provider, the other takes it back."""

    @expose("/login/")
    @expose("/login/<provider>")
    def login(self, provider: str | None = None) -> Response:
        """Send the browser to the provider; `next` is where it wants to go afterwards."""
        session.clear()
        session["next"], session["again"] = request.args.get("next", ""), "again" in request.args
        try:
            return self.appbuilder.sm.oauth_remotes[NAME].authorize_redirect(redirect_uri=callback())
        except (OAuthError, OSError, RuntimeError, ValueError) as error:  # the network, TLS, the provider's document
            log.warning("The identity provider cannot be asked: %s", type(error).__name__)
            return _not_signed_in("The identity provider does not answer. Try again in a minute.", 503)

    @expose("/oauth-authorized/<provider>")
    def oauth_authorized(self, provider: str) -> Response:
        """Take the browser back, with the token of this person, or say why not."""
        wanted = session.get("next", "")
        realm = self.appbuilder.sm.oauth_remotes[NAME]
        try:
            claims = realm.authorize_access_token().get("userinfo") if provider == NAME else None
        except MismatchingStateError:  # another tab has begun a sign-in meanwhile; one cookie holds one
            if not session.get("again"):
                return make_response(redirect(f"{_login()}?again"))
            claims = None
        except (OAuthError, JoseError, OSError, ValueError) as error:
            log.warning("A sign-in failed: %s", type(error).__name__)
            claims = None
        session.clear()
        if not claims:
            return _not_signed_in("The identity provider did not sign you in, or it took too long.", 403)
        try:
            user = self.appbuilder.sm.sign_in(claims)
        except Refused as refused:
            return _not_signed_in(str(refused), 403)
        response = make_response(redirect(_within_ui(wanted)))
        response.set_cookie(
            COOKIE_NAME_JWT_TOKEN,
            get_auth_manager().generate_jwt(user),
            path=get_cookie_path(),
            secure=conf.get("api", "base_url").startswith("https:"),
            httponly=True,
            samesite="Lax",
        )
        return response


class RealmSecurity(override.FabAirflowSecurityManagerOverride):
    """FAB's security manager, whose people are the provider's."""

    authoauthview = RealmView

    def sign_in(self, claims: Mapping[str, object]) -> User:
        """The account of whom the provider's claims name, with the roles of their groups, made at the first sign-in.

        Raises Refused for who may not come in; an account that was there has lost its roles then.
        """
        provider = _provider()
        person = provider.person(claims)
        rights, reason = None, None
        try:
            rights = provider.rights(claims)
        except Refused as refused:
            reason = refused
        ended = record_sign_in(person, rights)
        user = self.find_user(username=person.account)
        if user is None and (reason or ended):
            raise reason or _ended()
        if user is not None and ended is not None and user.active == ended:
            user.active = not ended
            self.update_user(user)
        for name in {EVERYBODY, *provider.groups.values()}:
            if self.find_role(name) is None:
                self.add_role(name)
        user = self.auth_user_oauth(
            {
                "username": person.account,
                "email": person.account,  # FAB wants one, of nobody else
                "role_keys": claims.get(provider.claim) if rights else [],
            },
            rotate_session_id=False,
        )
        if (account := user or self.find_user(username=person.account)) is not None:
            FabAuthManager.cache.pop(account.id, None)  # it would give the roles of before for half a minute
        if user is None or reason is not None:
            raise reason or _ended()
        user.first_name, user.last_name = (str(claims.get(name) or "") for name in ("given_name", "family_name"))
        self.update_user(user)
        return user

    def update_user(self, user: User) -> bool:
        """Store the account. FAB's own writes the person's name into the log."""
        try:
            self.session.merge(user)
            self.session.commit()
        except SQLAlchemyError:
            self.session.rollback()
            raise
        self._reset_user_permissions_cache(user)
        return True

    def service_account(self) -> User:
        """The account of no person."""
        found = self.find_user(username=SERVICE_ACCOUNT)
        return found or self.add_user(SERVICE_ACCOUNT, "", "", SERVICE_ACCOUNT, password=secrets.token_urlsafe(32))

    def sign_in_by_id_token(self, token: str) -> User:
        """The account of whom an ID token of the provider for this client names: the command line's sign-in.

        Raises Refused, also for a token that is not valid.
        """
        try:
            claims = self.oauth_remotes[NAME].parse_id_token({"id_token": token}, nonce=None, claims_cls=CodeIDToken)
        except (JoseError, ValueError):
            raise Refused("The ID token is not valid, or not for this installation.") from None
        return self.sign_in(claims)


def _ended() -> Refused:
    return Refused("Your account has ended here. Ask who runs Onefold.")


def callback() -> str:
    """Where the provider sends browsers back to. Of the setting, not of the request: behind a proxy that ends TLS the
    request says http."""
    return f"{conf.get('api', 'base_url').rstrip('/')}/auth/oauth-authorized/{NAME}"


def _login() -> str:
    return f"{conf.get('api', 'base_url').rstrip('/')}/auth/login/"


def _within_ui(address: str) -> str:
    """The address where it is one of the UI's own, else the UI's first page."""
    home = conf.get("api", "base_url").rstrip("/")
    own, wanted = urlsplit(home), urlsplit(address)
    same = (wanted.scheme, wanted.netloc) in ((own.scheme, own.netloc), ("", ""))
    if same and wanted.path.startswith("/") and not address.startswith("//") and "\\" not in address:
        return address
    return f"{home}/"


def _not_signed_in(why: str, status: int) -> Response:
    return make_response(_PAGE.format(escape(why), escape(_login())), status, {"Cache-Control": "no-store", **HEADERS})


def _provider() -> IdentityProvider:
    found = identity_provider()
    if found is None:
        raise Fatal("ONEFOLD_OIDC_ISSUER is not set for the API server, so nobody can sign in.")
    return found
