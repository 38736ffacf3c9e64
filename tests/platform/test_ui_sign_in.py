"""Guessing passwords, staying signed in for ever, framing the UI: each test is an attack on signing in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import jwt
import psycopg
import pytest
from airflow.api_fastapi import app as airflow_app
from airflow.models.log import Log
from airflow.utils import session as airflow_session
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from onefold.orchestration.auth_manager import MAX_TOKEN_SECONDS, OnefoldAuthManager
from onefold.orchestration.security_headers import SecurityHeaders
from onefold.orchestration.sign_in import PER_ADDRESS, PER_NAME, WINDOW
from onefold.platform import airflow

PASSWORDS = {"ewa.nowa": "right", "jan.stary": "also right"}
Answer = tuple[int, str]


class SignIns:
    """Airflow's sign-in as the API server has it, with its audit log in a database of the test's own."""

    def __init__(self, app: FastAPI, session: Callable[[], Session]) -> None:
        self._app = app
        self._session = session

    def attempt(self, name: str, password: str, address: str = "10.0.0.1", path: str = "/token") -> Answer:
        """The status, and what was said."""
        client = TestClient(self._app, client=(address, 50000))
        answer = client.post(path, json={"username": name, "password": password})
        return answer.status_code, answer.text

    def guess(self, times: int, name: str, address: str = "10.0.0.1") -> list[int]:
        return [self.attempt(name, f"guess {number}", address)[0] for number in range(times)]

    def logged(self) -> list[tuple[str, str | None, str | None]]:
        with self._session() as session:
            return [(log.event, log.owner, log.extra) for log in session.scalars(select(Log).order_by(Log.id))]

    def let_time_pass(self, time: timedelta) -> None:
        with self._session() as session:
            for log in session.scalars(select(Log)):
                log.dttm -= time
            session.commit()


@pytest.fixture
def sign_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SignIns]:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    Log.metadata.create_all(engine, tables=[Log.__table__])

    @contextmanager
    def create_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session
            session.commit()

    passwords = tmp_path / "passwords.json"
    passwords.write_text(json.dumps(PASSWORDS))
    monkeypatch.setattr(airflow_session, "create_session", create_session)
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", "postgresql://onefold_loader@127.0.0.1:1/down")
    monkeypatch.setenv("AIRFLOW__CORE__AUTH_MANAGER", airflow.AUTH_MANAGER)
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "ewa.nowa:op,jan.stary:user")
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", str(passwords))
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "0" * 64)
    airflow_app.purge_cached_app()
    app = airflow_app.create_auth_manager().get_fastapi_app()
    assert app is not None
    yield SignIns(app, lambda: Session(engine))
    airflow_app.purge_cached_app()


def test_a_name_is_locked_after_five_failures_with_the_right_password_too_and_opens_again(sign_ins: SignIns) -> None:
    assert sign_ins.guess(PER_NAME + 2, "ewa.nowa") == [401] * PER_NAME + [429] * 2
    assert sign_ins.attempt("ewa.nowa", "right")[0] == 429
    assert sign_ins.attempt("ewa.nowa", "right", path="/token/cli")[0] == 429
    assert sign_ins.attempt("ewa.nowa", "right", address="10.9.9.9")[0] == 429
    assert sign_ins.attempt("jan.stary", "also right")[0] == 201
    sign_ins.let_time_pass(WINDOW)
    assert sign_ins.attempt("ewa.nowa", "right")[0] == 201


def test_who_signs_in_between_begins_to_count_anew(sign_ins: SignIns) -> None:
    for _ in range(3):
        assert sign_ins.guess(PER_NAME - 1, "ewa.nowa") == [401] * (PER_NAME - 1)
        assert sign_ins.attempt("ewa.nowa", "right")[0] == 201


def test_a_hundred_guesses_at_once_are_five(sign_ins: SignIns) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(sign_ins.attempt, "ewa.nowa", f"guess {number}") for number in range(40)]
    assert sorted(answer.result()[0] for answer in answers) == [401] * PER_NAME + [429] * 35


def test_an_address_that_tries_many_names_is_locked_and_no_other(sign_ins: SignIns) -> None:
    assert [sign_ins.guess(1, f"name{number}")[0] for number in range(PER_ADDRESS + 1)] == [401] * PER_ADDRESS + [429]
    assert sign_ins.attempt("ewa.nowa", "right")[0] == 429
    assert sign_ins.attempt("ewa.nowa", "right", address="10.0.0.2")[0] == 201


def test_the_addresses_of_one_customer_are_one(sign_ins: SignIns) -> None:
    for number in range(PER_ADDRESS):
        sign_ins.guess(1, f"name{number}", f"2001:db8::{number:x}")
    assert sign_ins.guess(1, "another", "2001:db8::ffff") == [429]
    assert sign_ins.guess(1, "another", "2001:db8:0:1::1") == [401]


def test_the_answers_do_not_tell_who_has_an_account(sign_ins: SignIns) -> None:
    there = [sign_ins.attempt("ewa.nowa", "wrong", "10.0.0.1") for _ in range(PER_NAME + 1)]
    not_there = [sign_ins.attempt("nobody", "wrong", "10.0.0.2") for _ in range(PER_NAME + 1)]
    assert there == not_there


def test_the_admin_sees_who_failed_and_what_was_locked_and_no_password_typed_as_a_name(
    sign_ins: SignIns, loader: psycopg.Connection, loader_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", loader_url)
    sign_ins.guess(PER_NAME, "ewa.nowa")
    sign_ins.guess(1, "My-Secret-Password!")
    failed = ("sign_in.failed", "ewa.nowa", "from 10.0.0.1")
    events = sign_ins.logged()
    assert events[:6] == [failed] * PER_NAME + [("sign_in.lock", "ewa.nowa", "from 10.0.0.1")]
    assert (events[6][0], "Secret" in str(events)) == ("sign_in.failed", False)
    told = loader.execute("select actor, action, subject, payload from audit.event").fetchall()
    assert told == [("airflow:sign_in", "sign_in.lock", "user:ewa.nowa", {"failures": PER_NAME})]


def test_a_warehouse_that_is_down_neither_opens_nor_closes_the_door(sign_ins: SignIns) -> None:
    assert sign_ins.guess(PER_NAME + 1, "ewa.nowa") == [401] * PER_NAME + [429]
    assert sign_ins.attempt("jan.stary", "also right")[0] == 201


def test_a_token_lives_for_eight_hours_at_most_whatever_the_settings_say(sign_ins: SignIns) -> None:
    token = json.loads(sign_ins.attempt("ewa.nowa", "right")[1])["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] <= MAX_TOKEN_SECONDS == 8 * 60 * 60


def test_who_has_left_is_out_at_once_and_a_token_gives_no_role_that_was_taken_away(
    sign_ins: SignIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = OnefoldAuthManager()
    claims = {"sub": "ewa.nowa", "role": "admin"}
    assert manager.deserialize_user(claims).role == "op"
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "jan.stary:user")
    with pytest.raises(ValueError, match="may not sign in any more"):
        manager.deserialize_user(claims)


def test_every_answer_carries_the_security_headers_and_an_api_answer_is_not_stored() -> None:
    def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse("x", headers={"Referrer-Policy": "no-referrer"})

    client = TestClient(SecurityHeaders(Starlette(routes=[Route("/", answer), Route("/api/v2/dags", answer)])))
    page, api, missing = (client.get(path).headers for path in ("/", "/api/v2/dags", "/none"))
    for headers in (page, api, missing):
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
        assert "script-src 'self';" in headers["Content-Security-Policy"]
        assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "SAMEORIGIN")
    assert (page["Referrer-Policy"], missing["Referrer-Policy"]) == ("no-referrer", "same-origin")
    assert (page.get("Cache-Control"), api["Cache-Control"]) == (None, "no-store")


def test_the_headers_are_on_the_whole_of_airflow() -> None:
    assert (SecurityHeaders, {}) in OnefoldAuthManager().get_fastapi_middlewares()
