"""Stand-in of the National Bank of Poland's exchange rates: tables A and C, one each working day.

Wire: api.nbp.pl, "NBP Web API" (ranges of at most 93 days; 404 when a range holds no table; errors are plain text). A
rate keeps its trailing zero. It holds eight currencies from the first working day of 2024; with time, further days.
"""

import json
import math
import random
from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.stand_in import StandIn
from sandbox.world import Book, Entry, World

# code, name, its average rate, decimal places
CURRENCIES = (
    ("USD", "dolar amerykański", "3.9", 4),
    ("EUR", "euro", "4.3", 4),
    ("CHF", "frank szwajcarski", "4.5", 4),
    ("GBP", "funt szterling", "5.0", 4),
    ("CZK", "korona czeska", "0.172", 4),
    ("SEK", "korona szwedzka", "0.375", 4),
    ("HUF", "forint (Węgry)", "0.0108", 6),
    ("JPY", "jen (Japonia)", "0.0261", 6),
)
FIRST, LAST = date(2024, 1, 2), date(2026, 10, 30)
LONGEST = 93
_HORIZON = date(2036, 12, 31)
_FIXED = ((1, 1), (1, 6), (5, 1), (5, 3), (8, 15), (11, 1), (11, 11), (12, 25), (12, 26))


def easter(year: int) -> date:
    """Easter Sunday (Gauss's rule as corrected by Lichtenberg)."""
    a, century = year % 19, year // 100
    moon = 15 + (3 * century + 3) // 4 - (8 * century + 13) // 25
    sun = 2 - (3 * century + 3) // 4
    d = (19 * a + moon) % 30
    border = 21 + d - (d + a // 11) // 29
    return date(year, 3, 1) + timedelta(days=border + 7 - (border - (7 - (year + year // 4 + sun) % 7)) % 7 - 1)


def is_working_day(day: date) -> bool:
    """In Poland; Christmas Eve is free since 2025."""
    free = {date(day.year, *each) for each in _FIXED} | {easter(day.year) + timedelta(days=each) for each in (1, 60)}
    if day.year >= 2025:
        free.add(date(day.year, 12, 24))
    return day.weekday() < 5 and day not in free


@cache
def _days() -> list[date]:
    every = (FIRST + timedelta(days=each) for each in range((_HORIZON - FIRST).days))
    return [day for day in every if is_working_day(day)]


def rows(_: int) -> int:
    """How many rates the base world has."""
    return bisect_right(_days(), LAST) * len(CURRENCIES)


def day_of(number: int) -> date:
    """The day of rate `number`."""
    return _days()[number // len(CURRENCIES)]


def table_number(table: str, day: date) -> str:
    """As 039/A/NBP/2022: tables are counted within the year."""
    before = bisect_left(_days(), date(day.year, 1, 1))
    return f"{bisect_left(_days(), day) - before + 1:03d}/{table}/NBP/{day.year}"


def average(seed: int, number: int) -> Decimal:
    """The average rate of one unit in zlotys, with the places that NBP gives it."""
    code, _, usual, places = CURRENCIES[number % len(CURRENCIES)]
    wave = math.sin((day_of(number) - FIRST).days / 97 + len(code) + ord(code[0])) * 0.04
    noise = random.Random(f"{seed}:rate:{number}").uniform(-0.006, 0.006)
    return (Decimal(usual) * Decimal(str(1 + wave + noise))).quantize(Decimal(1).scaleb(-places))


def _keys(table: str) -> Book:
    return Book(
        "nbp",
        "rate" if table == "A" else "buy_sell",
        size=rows,
        key=lambda number: (table_number(table, day_of(number)), CURRENCIES[number % len(CURRENCIES)][0]),
        broken=("rate_zero", "rate_not_a_number", "currency_missing"),
        changes=False,
        deletes=False,
    )


BOOKS = {"A": _keys("A"), "C": _keys("C")}


def _rate(world: World, table: str, entry: Entry) -> str:
    """One rate as JSON text: a number of the language would lose its trailing zero."""
    code, name, _, places = CURRENCIES[entry.number % len(CURRENCIES)]
    middle = average(world.seed, entry.number)
    if table == "A":
        values = {"mid": middle}
    else:
        spread = (middle / 100).quantize(Decimal(1).scaleb(-places))
        values = {"bid": middle - spread, "ask": middle + spread}
    texts = {field: str(value) for field, value in values.items()}
    match entry.broken:
        case "rate_zero":
            texts[next(iter(texts))] = "0.0000"
        case "rate_not_a_number":
            texts[next(iter(texts))] = '"b.d."'
        case "currency_missing":
            name = None
    numbers = ",".join(f'"{field}":{text}' for field, text in texts.items())
    return f'{{"currency":{json.dumps(name, ensure_ascii=False)},"code":"{code}",{numbers}}}'


def _table(world: World, table: str, place: int) -> str:
    """The table of the working day at this place."""
    day = _days()[place]
    heading = {"table": table, "no": table_number(table, day)}
    if table == "C":
        heading["tradingDate"] = f"{_days()[max(0, place - 1)]:%F}"
    heading["effectiveDate"] = f"{day:%F}"
    entries = world.shelf(BOOKS[table].name).entries[place * len(CURRENCIES) : (place + 1) * len(CURRENCIES)]
    rates = ",".join(_rate(world, table, entry) for entry in entries)
    return f'{json.dumps(heading)[:-1]}, "rates":[{rates}]}}'


def _answer(world: World, table: str, first: date, last: date) -> Response:
    if last < first:
        return PlainTextResponse("400 BadRequest - Błędny zakres dat / Invalid date range", 400)
    if (last - first).days > LONGEST:
        return PlainTextResponse(
            f"400 BadRequest - Przekroczony limit {LONGEST} dni / Limit of {LONGEST} days has been exceeded", 400
        )
    held = math.ceil(len(world.shelf(BOOKS[table].name).entries) / len(CURRENCIES))
    places = range(bisect_left(_days(), first), min(held, bisect_right(_days(), last)))
    if not places:
        return PlainTextResponse("404 NotFound - Not Found - Brak danych", 404)
    body = ",".join(_table(world, table, place) for place in places)
    return Response(f"[{body}]".encode(), media_type="application/json; charset=utf-8")


def routes(world: World) -> list[Route]:
    """The addresses below /nbp: the table of a day, or those of a range of days."""

    async def tables(request: Request) -> Response:
        parameters = request.path_params
        try:
            first = date.fromisoformat(parameters["first"])
            last = date.fromisoformat(parameters.get("last", parameters["first"]))
        except ValueError:
            return PlainTextResponse("404 NotFound", 404)
        table = parameters["table"].upper()
        return _answer(world, table, first, last) if table in BOOKS else PlainTextResponse("404 NotFound", 404)

    path = "/api/exchangerates/tables/{table}/{first}"
    return [Route(f"{path}{rest}", tables) for rest in ("/{last}/", "/{last}", "/", "")]


STAND_IN = StandIn("nbp", routes, books=tuple(BOOKS.values()))
