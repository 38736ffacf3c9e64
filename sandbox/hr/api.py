"""Stand-in of BambooHR: the list of employees, who was deleted, and the tables jobInfo and compensation.

Wire: documentation.bamboohr.com, "List Employees" (cursor-paginated, `_links.next`), "Get Changed Employee IDs" and
"Get Employee Table" (the special employee id "all"). An API key is the login; the password may be anything. An empty
object is written as an empty list, as PHP does.
"""

import base64
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.stand_in import StandIn
from sandbox.world import Book, Entry, World
from sandbox.world.business import DEPARTMENTS, people, person
from sandbox.world.business import JOBS as JOBS_OF
from sandbox.world.share import share

API_KEY, ANY_PASSWORD = "sandbox-api-key", "sandbox-secret"
LOCATIONS = ("Warszawa", "Kraków", "Gdynia", "Praca zdalna")
GATEWAY = "https://api.bamboohr.com/api/gateway.php/jednorodny/v1/employees"
"""Where its links lead, whatever host was asked."""
ALWAYS = ("employeeId", "firstName", "lastName", "preferredName", "photoUrl", "jobTitleName", "status")
FIRST_ID = 100
EARLIER = 1_000_000  # the number of the first row of a job history that goes on in another department
EARLIER_SHARE = 0.15
MOVED_AFTER = timedelta(days=400)


def _id(number: int) -> str:
    return str(FIRST_ID + number)


def _worked_elsewhere(person_number: int) -> bool:
    """Whether somebody was in another department before."""
    return share("hr earlier job", person_number) < EARLIER_SHARE


EMPLOYEES = Book(
    "hr", "employee", people, key=_id, broken=("last_name_missing", "birth_date_impossible", "pesel_malformed")
)
JOBS = Book(
    "hr", "job", size=lambda companies: 2 * people(companies), number=lambda place: place // 2 + place % 2 * EARLIER,
    exists=lambda seed, number, companies: number < EARLIER or _worked_elsewhere(number - EARLIER),
    key=lambda number: str(5_000 + number if number < EARLIER else 900_000 + number - EARLIER),
    broken=("employee_missing",), deletes=False,
)  # fmt: skip
PAY = Book("hr", "pay", people, key=lambda number: str(8_000 + number), broken=("rate_not_a_number",), deletes=False)


def employee(world: World, entry: Entry, revision: int) -> dict[str, object]:
    """One employee with every field that can be asked for."""
    who = person(world.seed, entry.number, revision)
    shown: dict[str, object] = {
        "employeeId": entry.key,
        "employeeNumber": f"{who.number + 1:05d}",
        "firstName": who.first_name,
        "lastName": who.last_name,
        "preferredName": None,
        "photoUrl": None,
        "jobTitleName": who.job,
        "status": "Inactive" if who.left else "Active",
        "workEmail": who.email,
        "mobilePhone": who.phone,
        "dateOfBirth": who.born.isoformat(),
        "customPESEL": who.pesel,
        "hireDate": who.hired.isoformat(),
        "terminationDate": who.left.isoformat() if who.left else None,
        "department": who.department,
        "division": "Jednorodny",
        "location": LOCATIONS[who.number % len(LOCATIONS)],
        "reportsTo": None if who.manager is None else _id(who.manager),
    }
    if not entry.broken and share("hr no birth date", who.number) < 0.03:
        shown["dateOfBirth"] = "0000-00-00"
    if not entry.broken and share("hr no phone", who.number) < 0.02:
        shown["mobilePhone"] = None
    match entry.broken:
        case "last_name_missing":
            shown["lastName"] = None
        case "birth_date_impossible":
            shown["dateOfBirth"] = f"{who.born.year}-02-30"
        case "pesel_malformed":
            shown["customPESEL"] = who.pesel[:7]
    return shown


def job(world: World, entry: Entry, revision: int) -> dict[str, object]:
    """A row of jobInfo; a revision moves the place of work."""
    number, earlier = entry.number % EARLIER, entry.number >= EARLIER
    who = person(world.seed, number)
    boss = None if who.manager is None else person(world.seed, who.manager)
    moved = not earlier and _worked_elsewhere(number)
    department = DEPARTMENTS[(DEPARTMENTS.index(who.department) + 1) % len(DEPARTMENTS)] if earlier else who.department
    return {
        "id": entry.key,
        "employeeId": "" if entry.broken else _id(number),
        "date": (who.hired + MOVED_AFTER if moved else who.hired).isoformat(),
        "location": LOCATIONS[(who.number + revision - 1) % len(LOCATIONS)],
        "department": department,
        "division": "Jednorodny",
        "jobTitle": JOBS_OF[department] if not _untitled(entry) else None,
        "reportsTo": f"{boss.first_name} {boss.last_name}" if boss else None,
    }


def _untitled(entry: Entry) -> bool:
    """A row in which nobody wrote the title, as the vendor allows."""
    return share("hr no title", entry.number) < 0.03


def pay(world: World, entry: Entry, revision: int) -> dict[str, object]:
    """A row of compensation; a revision raises the salary."""
    who = person(world.seed, entry.number, revision)
    return {
        "id": entry.key,
        "employeeId": _id(entry.number),
        "startDate": (who.hired + timedelta(days=30 * (revision - 1))).isoformat(),
        "rate": {"value": "do ustalenia" if entry.broken else f"{who.salary:.2f}", "currency": "PLN"},
        "type": "Salary",
        "exempt": "",
        "reason": "Nowa umowa" if revision == 1 else "Podwyżka",
        "comment": "",
        "paidPer": "Month",
        "paySchedule": None,
    }


class BambooHR:
    """The company's account."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._size = int(os.environ.get("SANDBOX_HR_PAGE", "100"))

    async def employees(self, request: Request) -> Response:
        return self._authorised(request, lambda: self._listed(request))

    async def changed(self, request: Request) -> Response:
        return self._authorised(request, lambda: self._changed(request))

    async def table(self, request: Request) -> Response:
        return self._authorised(request, lambda: self._table(request.path_params["table"]))

    def _listed(self, request: Request) -> Response:
        fields = [*ALWAYS, *request.query_params.get("fields", "").split(",")]
        sequence, _, after = request.query_params.get("page[after]", "").partition("-")
        state = int(sequence or self._world.sequence)
        shown = [
            (entry, lived[2])
            for entry in self._world.shelf(EMPLOYEES.name).entries
            if (lived := entry.at(state)) is not None and not lived[1]
        ]
        start = int(after or 0)
        page = shown[start : start + self._size]
        rows = []
        for entry, revision in page:
            row = employee(self._world, entry, revision)
            rows.append({name: row[name] for name in dict.fromkeys(fields) if name in row} | {"_restrictedFields": []})
        links = {"self": {"href": str(request.url)}}
        if start + self._size < len(shown):
            following = request.url.include_query_params(**{"page[after]": f"{state}-{start + self._size}"})
            links["next"] = {"href": f"{GATEWAY}?{following.query}"}
        paging = {"limit": self._size, "hasMore": "next" in links}
        return JSONResponse({"data": rows, "meta": {"total": len(shown), "page": paging}, "_links": links})

    def _changed(self, request: Request) -> Response:
        try:
            since = datetime.fromisoformat(request.query_params["since"]).astimezone(UTC)
        except (KeyError, ValueError):
            return _error(400, "The since parameter is missing or no ISO 8601 date")
        wanted = request.query_params.get("type", "all").capitalize()
        found: dict[str, dict[str, str]] = {}
        for entry in self._world.shelf(EMPLOYEES.name).entries:
            action = "Deleted" if entry.deleted else "Updated" if entry.revision > 1 else "Inserted"
            if entry.modified >= since and wanted in (action, "All"):
                stamp = entry.modified.isoformat(timespec="seconds")
                found[str(entry.key)] = {"id": str(entry.key), "action": action, "lastChanged": stamp}
        latest = max((each["lastChanged"] for each in found.values()), default="")
        return JSONResponse({"latest": latest, "employees": found or []})

    def _table(self, name: str) -> Response:
        tables: dict[str, tuple[Book, Callable[[World, Entry, int], dict[str, object]]]] = {
            "jobInfo": (JOBS, job),
            "compensation": (PAY, pay),
        }
        if name not in tables:
            return _error(404, "No such table")
        book, row = tables[name]
        entries = self._world.shelf(book.name).entries
        return JSONResponse([row(self._world, entry, entry.revision) for entry in entries])

    def _authorised(self, request: Request, answer: Callable[[], Response]) -> Response:
        scheme, _, packed = request.headers.get("authorization", "").partition(" ")
        try:
            login = base64.b64decode(packed).decode().partition(":")[0]
        except ValueError:
            login = ""
        return answer() if scheme == "Basic" and login == API_KEY else _error(401, "Unauthorized")


def _error(status: int, message: str) -> Response:
    """BambooHR says why in a header, not in the body."""
    return Response(b"", status, {"X-BambooHR-Error-Message": message})


def routes(world: World) -> list[Route]:
    """The routes below /hr."""
    account = BambooHR(world)
    return [
        Route("/api/v1/employees", account.employees),
        Route("/api/v1/employees/changed", account.changed),
        Route("/api/v1/employees/all/tables/{table}", account.table),
    ]


STAND_IN = StandIn("hr", routes, sign_in=(API_KEY, ANY_PASSWORD), books=(EMPLOYEES, JOBS, PAY))
