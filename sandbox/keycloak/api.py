"""Stand-in of Keycloak's admin REST interface: a service account's token, users, groups and admin events.

Wire: Keycloak Admin REST API 26.2 and later (users, groups, admin-events; UserRepresentation, GroupRepresentation,
AdminEventRepresentation). `first` and `max` count in the list as it is at that moment, by name: who comes or goes
between two pages moves the rest. A user carries no time of change, and a deleted one shows in the admin events only.
"""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from uuid import NAMESPACE_URL, uuid5

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults.fault import EXPIRED
from sandbox.stand_in import StandIn
from sandbox.world import Book, Entry, World
from sandbox.world.business import DEPARTMENTS, people, person
from sandbox.world.log import Log

CLIENT_ID, CLIENT_SECRET = "onefold", "sandbox-secret"
TOKEN_SECONDS = 300  # Keycloak's own default
REALM = "onefold"
MOST = 100  # what `max` is when nobody says
Row = dict[str, object]


def _uuid(kind: str) -> Callable[[int], str]:
    return lambda number: str(uuid5(NAMESPACE_URL, f"keycloak:{kind}:{number}"))


user_id, group_id = _uuid("user"), _uuid("group")
USERS = Book("keycloak", "user", people, key=user_id, broken=("email_malformed", "enabled_not_a_boolean"))
GROUPS = Book("keycloak", "group", lambda companies: max(50, companies // 40), key=group_id, broken=("path_malformed",))
EVENTS = Log(
    "keycloak",
    "admin_event",
    lambda companies: 2 * people(companies),
    key=_uuid("event"),
    broken=("operation_unknown", "time_in_the_stone_age"),
    changes=False,
    deletes=False,
    of=(USERS.name, GROUPS.name),
)


def user(world: World, entry: Entry) -> Row:
    """A UserRepresentation; what a user does not have is left out."""
    who = person(world.seed, entry.number, entry.revision)
    shown: Row = {
        "id": entry.key,
        "username": who.login,
        "firstName": who.first_name,
        "lastName": who.last_name,
        "email": "brak" if entry.broken == "email_malformed" else who.email,
        "emailVerified": who.number % 7 != 0 or entry.broken == "email_malformed",
        "attributes": {"employeeNumber": [f"{who.number + 1:05d}"], "mobile": [who.phone]},
        "createdTimestamp": _milliseconds(entry.created),
        "enabled": {"tak": 1} if entry.broken == "enabled_not_a_boolean" else who.left is None,
        "totp": who.department == "IT",
        "disableableCredentialTypes": [],
        "requiredActions": [],
        "notBefore": 0,
        "access": {"manage": False},
    }
    if who.number % 23 == 5:  # an account without a name
        del shown["firstName"]
    return shown


def group_name(number: int) -> str:
    return f"{DEPARTMENTS[number % len(DEPARTMENTS)]} {number // len(DEPARTMENTS) + 1}"


def group(world: World, entry: Entry) -> Row:
    """A GroupRepresentation of the top level; a revision moves its cost centre."""
    name = group_name(entry.number)
    return {
        "id": entry.key,
        "name": name,
        "path": name if entry.broken else f"/{name}",
        "subGroupCount": 0,
        "subGroups": [],
        "attributes": {"costCenter": [f"MPK-{100 + entry.number * 10 + entry.revision}"]},
        "realmRoles": [],
        "clientRoles": {},
        "access": {"view": True, "manage": False},
    }


def event(world: World, entry: Entry) -> Row:
    """An AdminEventRepresentation. Event n is about user n // 2; not every DELETE below users/ deletes a user."""
    deleted = EVENTS.deletion(entry.number)
    whom = user_id(entry.number // 2)
    if deleted:
        book, thing = deleted
        is_user = book == USERS.name
        path = f"users/{user_id(thing)}" if is_user else f"groups/{group_id(thing)}"
        operation, resource = "DELETE", "USER" if is_user else "GROUP"
    elif entry.number % 10 == 7:
        operation, resource, path = "DELETE", "USER", f"users/{whom}/federated-identity/google"
    elif entry.number % 2:
        operation, resource, path = "UPDATE", "USER", f"users/{whom}"
    else:
        operation, resource, path = "CREATE", "GROUP_MEMBERSHIP", f"users/{whom}/groups/{group_id(entry.number % 7)}"
    shown: Row = {
        "id": entry.key,
        "time": 0 if entry.broken == "time_in_the_stone_age" else _milliseconds(entry.modified),
        "realmId": str(uuid5(NAMESPACE_URL, REALM)),
        "authDetails": {
            "realmId": str(uuid5(NAMESPACE_URL, "master")),
            "clientId": str(uuid5(NAMESPACE_URL, "security-admin-console")),
            "userId": user_id(0),
            "ipAddress": f"10.20.{entry.number % 5}.{abs(entry.number) % 250 + 1}",
        },
        "operationType": "BREED" if entry.broken == "operation_unknown" else operation,
        "resourceType": resource,
        "resourcePath": path,
    }
    if operation == "UPDATE":
        shown["representation"] = f'{{"username":"{person(world.seed, entry.number // 2).login}"}}'
    return shown


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


class Keycloak:
    """The realm and its tokens."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tokens: dict[str, float] = {}
        self._page = int(os.environ.get("SANDBOX_KEYCLOAK_PAGE", "1000"))
        self._events: tuple[tuple[int, int], list[Row]] = ((0, 0), [])

    async def token(self, request: Request) -> Response:
        form = await request.form()
        if form.get("grant_type") != "client_credentials":
            return _oauth_error(400, "unsupported_grant_type", "Unsupported grant_type")
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return _oauth_error(401, "unauthorized_client", "Invalid client or Invalid client credentials")
        token = secrets.token_urlsafe(64)
        self._tokens[token] = time.monotonic() + TOKEN_SECONDS
        lasting = {"expires_in": TOKEN_SECONDS, "refresh_expires_in": 0, "not-before-policy": 0}
        return JSONResponse({"access_token": token, "token_type": "Bearer", "scope": "email profile", **lasting})

    async def users(self, request: Request) -> Response:
        def listed() -> Iterator[Callable[[], Row]]:
            living = (entry for entry in self._world.shelf(USERS.name).entries if not entry.deleted)
            by_name = sorted(living, key=lambda entry: person(self._world.seed, entry.number).login)
            return (partial(user, self._world, entry) for entry in by_name)

        return self._page_of(request, listed)

    async def groups(self, request: Request) -> Response:
        def listed() -> Iterator[Callable[[], Row]]:
            living = (entry for entry in self._world.shelf(GROUPS.name).entries if not entry.deleted)
            by_name = sorted(living, key=lambda entry: group_name(entry.number))
            return (partial(group, self._world, entry) for entry in by_name)

        return self._page_of(request, listed)

    async def events(self, request: Request) -> Response:
        asked = request.query_params

        def listed() -> Iterator[Callable[[], Row]]:
            wanted = {"operationType": asked.getlist("operationTypes"), "resourceType": asked.getlist("resourceTypes")}
            first, last = _moment(asked.get("dateFrom"), 0), _moment(asked.get("dateTo"), 2**62)
            rows = self._all_events()
            for row in reversed(rows) if asked.get("direction", "desc") == "desc" else rows:
                fits = all(not values or row[name] in values for name, values in wanted.items())
                if fits and first <= int(str(row["time"])) <= last:
                    yield partial(dict, row)

        return self._page_of(request, listed)

    def _all_events(self) -> list[Row]:
        """Oldest first, remembered until there are others: none of them ever changes."""
        entries = self._world.shelf(EVENTS.name).entries
        state = (self._world.epoch, len(entries))
        if self._events[0] != state:
            rows = sorted((event(self._world, entry) for entry in entries), key=lambda row: (row["time"], row["id"]))
            self._events = (state, rows)
        return self._events[1]

    def _page_of(self, request: Request, listed: Callable[[], Iterator[Callable[[], Row]]]) -> Response:
        self._tokens.pop(request.scope.get(EXPIRED, ""), None)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or self._tokens.get(token, 0) < time.monotonic():
            return JSONResponse({"error": "HTTP 401 Unauthorized"}, 401)
        if request.path_params["realm"] != REALM:
            return JSONResponse({"error": "Realm not found."}, 404)
        first = int(request.query_params.get("first", "0"))
        size = min(int(request.query_params.get("max", str(MOST))), self._page)
        return JSONResponse([show() for show in islice(listed(), first, first + size)])


def _moment(text: str | None, default: int) -> int:
    """Milliseconds since 1970 of such a number or of a day's beginning."""
    if not text:
        return default
    return int(text) if text.isdecimal() else _milliseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))


def _oauth_error(status: int, error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status)


def routes(world: World) -> list[Route]:
    """The routes below /keycloak."""
    server = Keycloak(world)
    admin = "/admin/realms/{realm}"
    return [
        Route(f"/realms/{REALM}/protocol/openid-connect/token", server.token, methods=["POST"]),
        Route(f"{admin}/users", server.users),
        Route(f"{admin}/groups", server.groups),
        Route(f"{admin}/admin-events", server.events),
    ]


STAND_IN = StandIn("keycloak", routes, sign_in=(CLIENT_ID, CLIENT_SECRET), books=(USERS, GROUPS, EVENTS))
