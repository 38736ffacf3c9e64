"""What each of our auth managers does with tokens, wherever its people come from."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from airflow.api_fastapi.auth.managers.base_auth_manager import BaseAuthManager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.configuration import conf
from jwt import InvalidTokenError
from starlette.middleware import _MiddlewareFactory

from onefold.orchestration import sessions
from onefold.orchestration.security_headers import SecurityHeaders

User = TypeVar("User", bound=BaseUser)


class IssuedTokens(BaseAuthManager[User]):
    """A token is good when it was issued at a sign-in (sessions.py), not because it is signed, and not for longer than
    `max_token_seconds`."""

    max_token_seconds: int

    def get_fastapi_middlewares(self) -> list[tuple[_MiddlewareFactory[...], dict[str, object]]]:
        """What every request to the UI and the API passes."""
        return [*super().get_fastapi_middlewares(), (SecurityHeaders, {})]

    def generate_jwt(
        self, user: User, *, expiration_time_in_seconds: int = conf.getint("api_auth", "jwt_expiration_time")
    ) -> str:
        """A token for somebody who has signed in, for `max_token_seconds` at most."""
        seconds = min(expiration_time_in_seconds, self.max_token_seconds)
        token = super().generate_jwt(user, expiration_time_in_seconds=seconds)
        sessions.begin(token, user.get_name(), seconds)
        return token

    async def get_user_from_token(self, token: str) -> BaseUser:
        """Whose token it is. Raises InvalidTokenError when nobody was given it."""
        user = await super().get_user_from_token(token)
        if not await asyncio.to_thread(sessions.was_issued, token):
            raise InvalidTokenError("Nobody signed in for this token")
        return user
