"""What the people who sign in to Airflow's UI may do there: Airflow's simple auth manager with narrower roles.

| Airflow's role | for | may |
|---|---|---|
| op | engineers | read all, start and repair runs, answer, change connections, pools and variables |
| user | approvers | read all, answer what a run asks; start and change nothing |
| viewer | analysts, auditors | read all |

Airflow names this class in AIRFLOW__CORE__AUTH_MANAGER and imports it in each of its processes.
"""

from __future__ import annotations

import asyncio

from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.configuration import conf
from jwt import InvalidTokenError

from onefold.orchestration import sessions


class OnefoldAuthManager(SimpleAuthManager):
    """Approvers answer and do nothing else, so that whoever approves could not have started or altered it. A token is
    good when it was issued at a sign-in (sessions.py), not because it is signed."""

    def generate_jwt(
        self,
        user: SimpleAuthManagerUser,
        *,
        expiration_time_in_seconds: int = conf.getint("api_auth", "jwt_expiration_time"),
    ) -> str:
        """A token for somebody who has signed in."""
        token = super().generate_jwt(user, expiration_time_in_seconds=expiration_time_in_seconds)
        sessions.begin(token, user.get_name(), expiration_time_in_seconds)
        return token

    async def get_user_from_token(self, token: str) -> BaseUser:
        """Whose token it is. Raises InvalidTokenError when nobody was given it."""
        user = await super().get_user_from_token(token)
        if not await asyncio.to_thread(sessions.was_issued, token):
            raise InvalidTokenError("Nobody signed in for this token")
        return user

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


def _role(user: SimpleAuthManagerUser) -> str:
    return (user.role or "").lower()
