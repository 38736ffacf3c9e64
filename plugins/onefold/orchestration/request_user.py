"""Who sends a request to Airflow's API server, for applications and middleware of ours that stand in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.models.base_user import BaseUser


def token_of(request: HTTPConnection) -> str | None:
    """The token that the request brings as a bearer, or as the cookie that the UI sets at a sign-in."""
    from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN

    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE_NAME_JWT_TOKEN)


async def user_of(request: HTTPConnection) -> BaseUser | None:
    """The person whose token it is; None when nobody's, or Airflow does not take it any more."""
    from airflow.api_fastapi.core_api.security import resolve_user_from_token
    from fastapi import HTTPException

    try:
        return await resolve_user_from_token(token_of(request))
    except HTTPException:
        return None
