"""How one signs in to the stand-in of KSeF: a challenge, an encrypted token, and tokens that end."""

from __future__ import annotations

import os
import secrets
import time
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.faults.fault import EXPIRED
from sandbox.ksef.vault import Key, token
from sandbox.world import business

TOKEN = "sandbox-secret"
_CONTEXT = {"type": "Nip", "value": business.OUR_NIP}


class Invalid(Exception):
    """A request that KSeF refuses with 400; `code` is its exceptionCode."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code


class SignIn:
    """Who is signed in, and the keys that secrets are encrypted for."""

    def __init__(self) -> None:
        self.keys = {usage: Key(usage) for usage in ("KsefTokenEncryption", "SymmetricKeyEncryption")}
        self._seconds = float(os.environ.get("SANDBOX_KSEF_TOKEN_SECONDS", "900"))
        self._challenges: dict[str, int] = {}
        self._operations: dict[str, tuple[str, int]] = {}  # by their token: number, state
        self._access: dict[str, float] = {}
        self._refresh: set[str] = set()

    def holds(self, request: Request) -> bool:
        """Whether the request shows an access token that is still good."""
        self._access.pop(request.scope.get(EXPIRED, ""), None)
        return self._access.get(_bearer(request), 0.0) >= time.monotonic()

    def certificates(self, _: Request) -> Response:
        return JSONResponse([key.shown for key in self.keys.values()])

    def challenge(self, request: Request) -> Response:
        challenge, now = reference("CR"), time.time_ns() // 1_000_000
        self._challenges[challenge] = now
        client = request.client.host if request.client else "127.0.0.1"
        stamp = datetime.fromtimestamp(now / 1000, UTC)
        return JSONResponse(
            {"challenge": challenge, "timestamp": stamp.isoformat(), "timestampMs": now, "clientIp": client}
        )

    async def sign_in(self, request: Request) -> Response:
        body = await request.json()
        issued = self._challenges.pop(str(body.get("challenge")), None)
        if issued is None:
            return refused(Invalid(21111, "Nieprawidłowe wyzwanie autoryzacyjne."))
        try:
            given = self.keys["KsefTokenEncryption"].opened(str(body.get("encryptedToken"))).decode()
        except ValueError:
            given = ""
        right = given == f"{TOKEN}|{issued}" and body.get("contextIdentifier") == _CONTEXT
        operation, number = token(), reference("AU")
        self._operations[operation] = number, 100 if right else 450
        return JSONResponse({"referenceNumber": number, "authenticationToken": self._until(operation)}, 202)

    def progress(self, request: Request) -> Response:
        number, state = self._operations.get(_bearer(request), ("", 0))
        if number != request.path_params["number"]:
            return unauthorized()
        if state == 100:
            self._operations[_bearer(request)] = number, 200  # done when it is asked about again
        described = {100: "Uwierzytelnianie w toku", 200: "Uwierzytelnianie zakończone sukcesem"}
        failed = "Uwierzytelnianie zakończone niepowodzeniem z powodu błędnego tokenu"
        return JSONResponse(
            {
                "startDate": datetime.now(UTC).isoformat(),
                "authenticationMethod": "Token",
                "authenticationMethodInfo": {"category": "Token", "code": "Token", "displayName": "Token KSeF"},
                "status": {"code": state, "description": described.get(state, failed)},
            }
        )

    def redeem(self, request: Request) -> Response:
        _, state = self._operations.pop(_bearer(request), ("", 0))
        if state != 200:
            return refused(Invalid(21301, "Brak autoryzacji."))
        refresh = token()
        self._refresh.add(refresh)
        return JSONResponse({"accessToken": self._opened(), "refreshToken": self._until(refresh)})

    def refresh(self, request: Request) -> Response:
        if _bearer(request) not in self._refresh:
            return refused(Invalid(21301, "Brak autoryzacji."))
        return JSONResponse({"accessToken": self._opened()})

    def _opened(self) -> dict[str, str]:
        access = token()
        self._access[access] = time.monotonic() + self._seconds
        return self._until(access, self._seconds)

    @staticmethod
    def _until(secret: str, seconds: float = 3600.0) -> dict[str, str]:
        return {"token": secret, "validUntil": (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()}


def reference(kind: str) -> str:
    """As 20251010-EH-1B6C9EB000-4B15D3AEB9-89."""
    digits = secrets.token_hex(11).upper()
    return f"{datetime.now(UTC):%Y%m%d}-{kind}-{digits[:10]}-{digits[10:20]}-{digits[20:]}"


def _bearer(request: Request) -> str:
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    return shown if scheme.lower() == "bearer" else ""


def refused(error: Invalid) -> Response:
    detail = {"exceptionCode": error.code, "exceptionDescription": str(error), "details": []}
    return JSONResponse({"exception": {"exceptionDetailList": [detail], "serviceName": "Undefined"}}, 400)


def unauthorized() -> Response:
    body = {"title": "Unauthorized", "status": 401, "detail": "Wymagane jest uwierzytelnienie."}
    return JSONResponse(body, 401, media_type="application/problem+json")
