"""Who looks at the console, and what their duty lets them see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request

from onefold.errors import Fatal
from onefold.orchestration.duties import AIRFLOW_ROLES, Duty
from onefold.orchestration.oidc.provider import rights_of_roles
from onefold.orchestration.request_user import token_of, user_of
from onefold.platform.people import Account, accounts

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.models.base_user import BaseUser


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person who has signed in to Airflow. With `token` the console asks Airflow in their name."""

    name: str
    duty: Duty
    token: str = field(repr=False)
    reads_people: bool = False
    """Whether they may have personal values shown: each time on demand, and recorded."""

    @property
    def operates(self) -> bool:
        """Whether they may start and repair runs."""
        return self.duty == "engineer"

    @property
    def sees_operations(self) -> bool:
        """Whether they see quarantine, operations and the audit trail; an analyst sees what is published."""
        return self.duty != "analyst"


async def require_operations(request: Request) -> None:
    """For pages that an analyst does not see: 403 for them."""
    if not request.state.viewer.sees_operations:
        raise HTTPException(403)


async def viewer_of(request: Request) -> Viewer | None:
    """Who asks; None when nobody has signed in."""
    user = await user_of(request)
    token = token_of(request)
    if user is None or not token:
        return None
    rights = rights_of(user)
    return Viewer(user.get_name(), rights[0], token, rights[1]) if rights else None


def rights_of(user: BaseUser) -> tuple[Duty, bool] | None:
    """The duty, and whether it lets them see what is personal.

    Of a person of the identity provider what their groups allow, None where that is nothing. Else what ONEFOLD_PEOPLE
    names, where that fits their role in Airflow; else, of the duties with this role, the one that sees least, and
    nothing personal.
    """
    if (roles := getattr(user, "roles", None)) is not None:
        rights = rights_of_roles(role.name for role in roles)
        return (rights.duty, rights.pii) if rights else None
    role = str(getattr(user, "role", "")).lower()
    named = next((each for each in _people() if each.name == user.get_name()), None)
    if named is not None and AIRFLOW_ROLES[named.duty] == role:
        return named.duty, named.pii
    return _LEAST.get(role, "analyst"), False


_LEAST: Mapping[str, Duty] = {"op": "engineer", "user": "approver"}


def _people() -> tuple[Account, ...]:
    try:
        return accounts()
    except Fatal:  # a list that cannot be understood keeps `up` from starting; here it names nobody
        return ()
