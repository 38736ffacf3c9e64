"""What the people who sign in to Airflow's UI may do there: Airflow's simple auth manager with narrower roles.

| Airflow's role | for | may |
|---|---|---|
| op | engineers | read all, start and repair runs, answer, change connections, pools and variables |
| user | approvers | read all, answer what a run asks; start and change nothing |
| viewer | analysts, auditors | read all |
| viewer | the service account, of no person | read all, make pools |

Airflow names this class in AIRFLOW__CORE__AUTH_MANAGER and imports it in each of its processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails, PoolDetails
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.configuration import conf
from fastapi import FastAPI

from onefold.orchestration.issued_tokens import IssuedTokens
from onefold.orchestration.pools import SERVICE_ACCOUNT

MAX_TOKEN_SECONDS = 8 * 60 * 60
"""However long the settings say, nobody stays signed in for longer than a working day."""


class OnefoldAuthManager(IssuedTokens[SimpleAuthManagerUser], SimpleAuthManager):
    """Approvers answer and do nothing else, so that whoever approves could not have started or altered it."""

    max_token_seconds = MAX_TOKEN_SECONDS

    def get_fastapi_app(self) -> FastAPI | None:
        """The pages and routes of signing in, with a limit to failures (sign_in.py)."""
        app = super().get_fastapi_app()
        if app is not None:
            _limit_sign_ins(app)
        return app

    def deserialize_user(self, token: Mapping[str, object]) -> SimpleAuthManagerUser:
        """The user whom a valid token names, with the role that they have now.

        Raises ValueError when nobody is called so any more: whoever has left is out at once.
        """
        user = next((user for user in self.get_users() if user.username == token["sub"]), None)
        if user is None:
            raise ValueError("The token is of somebody who may not sign in any more.")
        return user

    def is_authorized_pool(
        self, *, method: ResourceMethod, user: SimpleAuthManagerUser, details: PoolDetails | None = None
    ) -> bool:
        """Whether the user may do this to a pool; the service account may make one, and nothing else anywhere."""
        if method == "POST" and user.get_name() == SERVICE_ACCOUNT:
            return True
        return super().is_authorized_pool(method=method, user=user, details=details)

    def is_authorized_dag(
        self,
        *,
        method: ResourceMethod,
        user: SimpleAuthManagerUser,
        access_entity: DagAccessEntity | None = None,
        details: DagDetails | None = None,
    ) -> bool:
        """Whether the user may do this to a DAG, or to a part of one."""
        if method != "GET" and _role(user) == "user" and access_entity is not DagAccessEntity.HITL_DETAIL:
            return False
        return super().is_authorized_dag(method=method, user=user, access_entity=access_entity, details=details)


def _limit_sign_ins(app: FastAPI) -> None:
    """Put our routes before Airflow's: the first that fits answers."""
    from airflow.api_fastapi.auth.managers.simple.services.login import SimpleAuthManagerLogin
    from airflow.utils.session import create_session

    from onefold.orchestration.sign_in import sign_in_router
    from onefold.orchestration.sign_in_log import AirflowSignInLog, known_name

    names = {user.username for user in SimpleAuthManager.get_users()}
    secret = conf.get("api", "secret_key", fallback="")
    before = list(app.router.routes)
    app.include_router(
        sign_in_router(
            AirflowSignInLog(create_session),
            lambda typed: known_name(typed, names, secret),
            SimpleAuthManagerLogin.create_token,
            partial(
                SimpleAuthManagerLogin.create_token,
                expiration_time_in_seconds=conf.getint("api_auth", "jwt_cli_expiration_time"),
            ),
        )
    )
    ours = app.router.routes[len(before) :]
    app.router.routes[:] = [*ours, *before]


def _role(user: SimpleAuthManagerUser) -> str:
    return (user.role or "").lower()
