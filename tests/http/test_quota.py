"""What a source says in its headers of how many requests are left is waited for, before the quota is used up."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from onefold.catalog.limits import Quota
from onefold.catalog.system import System
from onefold.errors import Retriable
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.failure import QuotaExhausted
from onefold.http.limit import MemoryLimiter, WarehouseLimiter, rate
from onefold.http.quota import quota_left
from tests.http.web_server import Say, serving

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNIX = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(UNIX + 30)}, (0, 30)),  # GitHub
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(UNIX + 30)}, (0, 30)),  # X
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "30"}, (0, 30)),
        ({"RateLimit": "limit=100, remaining=0, reset=30"}, (0, 30)),
        ({"RateLimit": '"burst";r=0;t=30, "day";r=7;t=9000'}, (0, 30)),
        ({"RateLimit": '"burst";r=3;t=30, "day";r=0;t=9000'}, (0, 9000)),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{UNIX + 30}000"}, (0, 30)),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-03-01T12:00:30Z"}, (0, 30)),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": format_datetime(NOW.replace(second=30), True)}, (0, 30)),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s",
          "x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "20ms"}, (0, 90)),  # OpenAI
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "1.5"}, (0, 1.5)),  # Discord
        ({"X-RateLimit-Remaining": "12", "X-RateLimit-Reset": "30"}, (12, 30)),
        ({"X-Calls-Left": "0", "X-Calls-Again": "30"}, None),
        ({"X-RateLimit-Remaining": "0"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(UNIX - 5)}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9" * 18}, None),
        ({"X-RateLimit-Remaining": "none", "X-RateLimit-Reset": "soon"}, None),
        ({"RateLimit": ";;;r=;t=x,"}, None),
    ],
)  # fmt: skip
def test_each_usual_header_is_understood(headers: dict[str, str], expected: tuple[float, float] | None) -> None:
    left = quota_left(headers, Quota(), NOW)
    assert (left and (left.requests, round(left.seconds, 3))) == expected


def test_a_header_of_another_name_is_read_where_the_yaml_names_it_and_none_where_it_says_so() -> None:
    headers = {"X-Calls-Left": "0", "X-Calls-Again": "30"}
    left = quota_left(headers, Quota(remaining="X-Calls-Left", reset="x-calls-again"), NOW)
    assert left and (left.requests, left.seconds, left.header) == (0, 30, "X-Calls-Left")
    assert quota_left({"RateLimit": "remaining=0, reset=30"}, Quota(heed=False), NOW) is None
    with pytest.raises(ValueError, match="needs both remaining and reset"):
        Quota(remaining="X-Calls-Left")


def asked(*says: Say, limiter: MemoryLimiter | None = None) -> tuple[list[float], list[object]]:
    """The pauses that are made for these answers, and what each request came to."""
    system = System.model_validate(
        {"system": "shop", "title": "A shop", "protocol": "rest", "connection": "shop", "schedule": "0 * * * *"}
        | {"limits": {"rate": ["100000/s"], "attempts": 2}, "streams": {}}
    )
    slept: list[float] = []
    with serving() as web:
        web.script(*says)
        client = Client(
            system,
            Endpoint(web.url),
            lambda _: None,
            limiter=limiter or MemoryLimiter(),
            sleep=slept.append,
            stream="item",
        )
        outcomes: list[object] = []
        for _ in says:
            try:
                outcomes.append(client.send("GET", "/items", parse=lambda response: response.status))
            except Retriable as error:
                outcomes.append(error)
    return slept, outcomes


def test_no_request_is_sent_once_the_last_one_is_used_until_there_are_more(caplog: pytest.LogCaptureFixture) -> None:
    last = Say(headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "40"})
    slept, outcomes = asked(Say(headers={"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "40"}), last, Say())
    assert outcomes == [200, 200, 200] and [round(each) for each in slept if each > 1] == [40]
    assert (
        "shop.item: its header x-ratelimit-remaining says that our quota is used up: nothing is sent for 40 s"
        in caplog.text
    )


def test_a_quota_that_begins_anew_too_late_fails_the_load_and_says_so() -> None:
    _, (first, second) = asked(Say(headers={"RateLimit": '"day";r=0;t=7200'}), Say())
    assert first == 200
    assert isinstance(second, QuotaExhausted) and "or the quota that its answers tell of" in str(second)


@pytest.mark.parametrize("status", [403, 429])
def test_a_refusal_whose_headers_say_that_the_quota_is_used_up_is_waited_for(status: int) -> None:
    slept, outcomes = asked(Say(status, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "40"}), Say())
    assert outcomes[0] == 200 and any(39 < each <= 40 for each in slept)


def test_all_processes_are_held_back_together(loader_url: str) -> None:
    one, other = WarehouseLimiter(loader_url), WarehouseLimiter(loader_url)
    allowed = [rate("100/s")]
    one.hold("shop", 30)
    one.hold("shop", 5)
    wait = other.reserve("shop", allowed, 60)
    assert wait is not None and 25 < wait <= 30
    assert other.reserve("shop", allowed, 10) is None
    assert other.reserve("another", allowed, 10) == 0
    one.close()
    other.close()
