"""A source that falters: the load goes on, or ends with an error that says what to do, and nothing is touched."""

from __future__ import annotations

import pytest

from onefold.errors import Retriable
from tests.acceptance.bench import Bench, Observed, anew
from tests.acceptance.streams import (
    ALL,
    Listed,
    able,
    between_requests,
    each_lookup,
    each_sign_in,
    once_per,
    one_request,
    one_status,
    who_signs_in,
)

Faults = tuple[dict[str, object], ...]
READ: Faults = (
    {"kind": "bom", "times": -1},
    {"kind": "html"},
    {"kind": "cut_body", "after": 2},
    {"kind": "html", "after": 3},
)
"""What a reader sees: the first request and one between two pages fail, and go on."""
UNREAD: Faults = (
    {"kind": "delay", "seconds": 0.1},
    {"kind": "status", "code": 503, "times": 2},
    {"kind": "rate_limit", "retry_after": 17, "times": 2},
)
"""What no reader sees: http/ deals with such answers, whatever is read."""
TOGETHER = {"all that a reader sees, in one load": READ, "all that no reader sees, in one load": UNREAD}
"""What need not have a load each in `make test`; one at a time they are in the full matrix."""
ALONE: dict[str, Faults] = {
    "unavailable twice": ({"kind": "status", "code": 503, "times": 2},),
    "body cut in the middle": ({"kind": "cut_body", "after": 1},),
    "web page with status 200": ({"kind": "html", "after": 1},),
    "web page instead of the first page": ({"kind": "html"},),
    "token expired between two pages": ({"kind": "expired_token"},),
    "too many requests, come back in 17 s": ({"kind": "rate_limit", "retry_after": 17, "times": 2},),
    "too many requests, no word of when": ({"kind": "rate_limit", "times": 2},),
    "the same page again": ({"kind": "repeat_page"},),
    "byte order mark": ({"kind": "bom", "times": -1},),
    "a late answer": ({"kind": "delay", "seconds": 0.1},),
}
PASSING = TOGETHER | ALONE
UNTOLD = "too many requests, no word of when"
LASTING: dict[str, tuple[dict[str, object], str]] = {
    "error": ({"kind": "status", "code": 500, "body": "ORA-01033: in progress"}, "status 500"),
    "web page": ({"kind": "html"}, "a web page"),
}


def _can_have(listed: Listed, faults: Faults) -> bool:
    return not listed.case.cannot_have.keys() & {fault["kind"] for fault in faults}


def _what_the_fault_meets(listed: Listed, fault: str) -> object:
    """One case of each proves what http/ and the reader make of the fault."""
    (kind, *_) = (given["kind"] for given in PASSING[fault])
    if kind == "expired_token":
        return fault, who_signs_in(listed)
    if fault == UNTOLD:
        return fault, one_status(listed)
    for (name, together), key in zip(TOGETHER.items(), (between_requests, one_status), strict=True):
        if kind in {given["kind"] for given in together}:
            return (name if _can_have(listed, together) else fault), key(listed)
    return fault, between_requests(listed)


def _what_lasts(listed: Listed, lasting: str) -> object:
    return lasting, (one_status if LASTING[lasting][0]["kind"] == "status" else one_request)(listed)


each_passing = once_per(
    _what_the_fault_meets,
    "listed, fault",
    [(listed, name) for name in PASSING for listed in ALL if _can_have(listed, PASSING[name])],
    lambda listed, fault: f"{listed.name}-{fault}",
)
each_lasting = once_per(
    _what_lasts,
    "listed, lasting",
    [(listed, name) for listed in able("status", "html") for name in LASTING],
    lambda listed, lasting: f"{listed.name}-{lasting}",
)
each_that_says_when = once_per(
    one_status, "listed", [(listed,) for listed in able("rate_limit")], lambda listed: listed.name
)


@each_passing
def test_a_passing_fault_leaves_what_an_undisturbed_load_leaves(
    empty: Bench, listed: Listed, fault: str, undisturbed: Observed
):
    for given in PASSING[fault]:
        after = given.get("after", 0) - ("several requests" in listed.case.cannot_have)
        expiry = listed.case.expiry if given["kind"] == "expired_token" else {}
        empty.fault(listed, **{**given, "after": max(0, after), **expiry})
    load = empty.load(listed)
    for met, given in zip(empty.hits_of_each(), PASSING[fault], strict=True):
        assert met >= max(1, given.get("times", 1)), given
    assert load.state == "published"
    assert empty.observed(listed) == undisturbed


@each_that_says_when
def test_a_source_that_says_when_to_come_back_is_left_alone_until_then(empty: Bench, listed: Listed):
    empty.fault(listed, kind="rate_limit", retry_after=17)
    empty.load(listed)
    assert 17 in empty.slept


@each_lasting
def test_a_lasting_fault_fails_the_load_and_touches_nothing_until_it_is_fixed(
    loaded: Bench, listed: Listed, lasting: str, undisturbed: Observed
):
    fault, said = LASTING[lasting]
    loaded.let_answers_age(listed)
    before = loaded.untouched(listed)
    loaded.fault(listed, **fault, times=-1)
    with pytest.raises(Retriable) as raised:
        loaded.load(listed, requested=anew(listed))
    message = str(raised.value)
    assert listed.name in message
    assert said in message
    assert any(advice in message for advice in ("Check that the system is up", "It is tried again after"))
    assert loaded.untouched(listed) == before
    assert loaded.query("select state, error from ops.load order by load_id desc limit 1") == [("rejected", message)]
    loaded.fix()
    again = loaded.load(listed, requested=anew(listed))
    assert (again.state, again.rows_new, again.rows_changed, again.rows_deleted) == ("published", 0, 0, 0)
    assert loaded.observed(listed) == undisturbed


@each_sign_in("status")
def test_the_message_of_a_source_that_is_down_names_the_address_and_the_answers_status_size_and_hash(
    empty: Bench, listed: Listed
):
    empty.sandbox.control("faults", system=listed.system.system, kind="status", code=503, times=-1, body="Maintenance")
    with pytest.raises(Retriable) as raised:
        empty.load(listed)
    message = str(raised.value)
    assert listed.name in message
    assert "status 503" in message
    assert "11 bytes, hash " in message
    assert "Maintenance" not in message  # whatever a source says may be somebody's data
    assert " /" in message  # the path
    assert "nothing was changed" in message or "untouched" in message


@each_lookup
def test_a_failed_read_never_overwrites_a_good_answer(loaded: Bench, listed: Listed, undisturbed: Observed):
    question = loaded.let_answers_age(listed)[3]
    answers = dict(
        loaded.query("select lookup_key, answered_at from ops.lookup_cache where system = %s", listed.system.system)
    )
    if listed.case.one:
        loaded.fault(listed, kind="html", path=listed.case.one.format(lookup_key=question), times=-1)
    else:
        tries = listed.case.tries or listed.system.limits.attempts
        loaded.fault(listed, kind="html", times=tries, after=1)
    load = loaded.load(listed)
    now = dict(
        loaded.query("select lookup_key, answered_at from ops.lookup_cache where system = %s", listed.system.system)
    )
    failed = {question for question in answers if now[question] == answers[question]}
    assert load.state == "published"
    assert now.keys() == answers.keys()
    assert 0 < len(failed) < len(answers)
    assert loaded.observed(listed) == undisturbed
    loaded.fix()
    again = loaded.load(listed)
    asked = loaded.query("select lookup_key from ops.lookup_cache where load_id = %s", again.load_id)
    assert {question for (question,) in asked} == failed  # asked again, and nobody else


@each_lookup
def test_a_look_up_none_of_whose_questions_was_answered_has_failed(loaded: Bench, listed: Listed):
    loaded.let_answers_age(listed, only=2)  # so few that no circuit breaker opens
    before = loaded.untouched(listed)
    loaded.fault(listed, kind="status", code=500, times=-1)
    with pytest.raises(Retriable, match="status 500"):
        loaded.load(listed)
    assert loaded.untouched(listed) == before
