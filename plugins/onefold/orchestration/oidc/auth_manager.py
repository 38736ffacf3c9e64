"""Airflow's FAB auth manager with the company's identity provider, for AIRFLOW__CORE__AUTH_MANAGER where
ONEFOLD_OIDC_ISSUER is set.

Of FAB there is the table of accounts and the sign-in. What somebody may do is said where it is said for people with a
password (OnefoldAuthManager), by their duty: FAB's own permissions, its pages of users and roles and its passwords are
not used, and no page of it but the sign-in's answers.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from functools import cached_property
from urllib.parse import urlencode

from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import (
    AccessView,
    ConfigurationDetails,
    ConnectionDetails,
    DagAccessEntity,
    DagDetails,
    PoolDetails,
    VariableDetails,
)
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.common.types import ExtraMenuItem, MenuItem
from airflow.configuration import conf
from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
from airflow.providers.fab.auth_manager.models import User
from airflow.utils.session import create_session
from fastapi import FastAPI
from flask import Flask, abort, request
from jwt import InvalidTokenError
from sqlalchemy import update
from starlette.routing import Mount

from onefold.orchestration.auth_manager import OnefoldAuthManager
from onefold.orchestration.duties import AIRFLOW_ROLES
from onefold.orchestration.issued_tokens import IssuedTokens
from onefold.orchestration.oidc.accounts import has_ended
from onefold.orchestration.oidc.provider import TOKEN_SECONDS, Refused, rights_of_roles
from onefold.orchestration.pools import SERVICE_ACCOUNT

_PAGES = ("RealmView.login", "RealmView.oauth_authorized")
_ROUTES = ("/token", "/token/cli")


class OidcAuthManager(IssuedTokens[User], FabAuthManager):
    """People of the identity provider. A token holds for TOKEN_SECONDS, and then the provider is asked again."""

    max_token_seconds = TOKEN_SECONDS

    @cached_property
    def _rights(self) -> OnefoldAuthManager:
        manager: OnefoldAuthManager = OnefoldAuthManager()  # type: ignore[no-untyped-call] # Airflow's __init__
        return manager

    def get_fastapi_app(self) -> FastAPI | None:
        """FAB's pages and routes, those of the sign-in alone."""
        app = super().get_fastapi_app()
        if app is not None and isinstance(self.flask_app, Flask):
            self.flask_app.before_request(_only_the_sign_in)
            keep = [each for each in app.router.routes if isinstance(each, Mount) or _path(each) in _ROUTES]
            app.router.routes[:] = keep
        return app

    def get_url_logout(self) -> str | None:
        """None: Airflow itself revokes the token and takes the cookie away. The provider's own session goes on."""
        return None

    def get_url_login(self, **kwargs: str) -> str:
        """Where the browser is sent to sign in."""
        login = f"{conf.get('api', 'base_url').rstrip('/')}/auth/login/"
        wanted = kwargs.get("next_url")
        return f"{login}?{urlencode({'next': wanted})}" if wanted else login

    def create_token(self, headers: dict[str, str], body: Mapping[str, object]) -> User | None:
        """Whom a token is for that is asked for without a browser: a person with an ID token of the provider (the
        command line has it), or the service account with its password; None for anybody else."""
        if isinstance(token := body.get("id_token"), str):
            try:
                return self.security_manager.sign_in_by_id_token(token)
            except Refused as refused:
                raise ValueError(str(refused)) from None
        name, password = str(body.get("username", "")), str(body.get("password", ""))
        known = SimpleAuthManager.get_passwords().get(SERVICE_ACCOUNT, "")
        if name == SERVICE_ACCOUNT and known and hmac.compare_digest(known.encode(), password.encode()):
            return self.security_manager.service_account()
        return None

    async def get_user_from_token(self, token: str) -> BaseUser:
        """Whose token it is. Raises InvalidTokenError when nobody was given it, or their account has ended."""
        user = await super().get_user_from_token(token)
        if await asyncio.to_thread(has_ended, user.get_name()):
            await asyncio.to_thread(_switch_off, user.get_name())
            raise InvalidTokenError("The account has ended")
        return user

    def is_authorized_configuration(
        self, *, method: ResourceMethod, user: User, details: ConfigurationDetails | None = None
    ) -> bool:
        return self._rights.is_authorized_configuration(method=method, user=_simple(user), details=details)

    def is_authorized_connection(
        self, *, method: ResourceMethod, user: User, details: ConnectionDetails | None = None
    ) -> bool:
        return self._rights.is_authorized_connection(method=method, user=_simple(user), details=details)

    def is_authorized_dag(
        self,
        *,
        method: ResourceMethod,
        user: User,
        access_entity: DagAccessEntity | None = None,
        details: DagDetails | None = None,
    ) -> bool:
        return self._rights.is_authorized_dag(
            method=method, user=_simple(user), access_entity=access_entity, details=details
        )

    def is_authorized_backfill(self, *, method: ResourceMethod, user: User, details: object = None) -> bool:
        return self._rights.is_authorized_dag(method=method, user=_simple(user), access_entity=DagAccessEntity.RUN)

    def is_authorized_asset(self, *, method: ResourceMethod, user: User, details: object = None) -> bool:
        return self._rights.is_authorized_asset(method=method, user=_simple(user))

    def is_authorized_asset_alias(self, *, method: ResourceMethod, user: User, details: object = None) -> bool:
        return self._rights.is_authorized_asset_alias(method=method, user=_simple(user))

    def is_authorized_pool(self, *, method: ResourceMethod, user: User, details: PoolDetails | None = None) -> bool:
        return self._rights.is_authorized_pool(method=method, user=_simple(user), details=details)

    def is_authorized_variable(
        self, *, method: ResourceMethod, user: User, details: VariableDetails | None = None
    ) -> bool:
        return self._rights.is_authorized_variable(method=method, user=_simple(user), details=details)

    def is_authorized_view(self, *, access_view: AccessView, user: User, team_name: str | None = None) -> bool:
        return self._rights.is_authorized_view(access_view=access_view, user=_simple(user))

    def is_authorized_custom_view(self, *, method: ResourceMethod | str, resource_name: str, user: User) -> bool:
        """Nobody: those are FAB's own pages."""
        return False

    def is_authorized_hitl_task(self, *, assigned_users: set[str], user: User) -> bool:
        return self._rights.is_authorized_hitl_task(assigned_users=assigned_users, user=_simple(user))

    def filter_authorized_menu_items(self, menu_items: list[MenuItem], user: User) -> list[MenuItem]:
        return self._rights.filter_authorized_menu_items(menu_items, user=_simple(user))

    def get_extra_menu_items(self, *, user: User) -> list[ExtraMenuItem]:
        """None: FAB's are of its pages of users and roles."""
        return []


def _simple(user: User) -> SimpleAuthManagerUser:
    """The user in the terms of OnefoldAuthManager. Who has no duty has no role, and may do
    nothing."""
    name = user.get_name()
    if name == SERVICE_ACCOUNT:
        return SimpleAuthManagerUser(username=name, role="viewer")
    rights = rights_of_roles(role.name for role in user.roles)
    return SimpleAuthManagerUser(username=name, role=AIRFLOW_ROLES[rights.duty] if rights else None)


def _switch_off(account: str) -> None:
    """Airflow's own account too, for when the warehouse cannot be asked."""
    with create_session() as session:
        session.execute(update(User).where(User.username == account, User.active).values(active=False))


def _only_the_sign_in() -> None:
    if request.endpoint not in _PAGES:
        abort(404)


def _path(route: object) -> str:
    return str(getattr(route, "path", ""))
