"""Digest (RFC 7616): the server's challenge comes with a 401, and each further request carries a hash about it.

Not requests' HTTPDigestAuth: it sends by itself, past what every attempt is counted, limited and bounded by, and counts
its nonce for each thread apart, which a server takes for a replay.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import parse_http_list, parse_keqv_list

from requests.utils import requote_uri

from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.http.sign_in.contract import Signed, SignIn

_HASHES = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}
"""The algorithms of RFC 7616, the best first; each also as -SESS."""
_SCHEME = re.compile(r"([A-Za-z][\w-]*)(?:\s+(.*))?", re.DOTALL)


class Digest(SignIn):
    """Login and password, of which only a hash is ever sent."""

    def __init__(self, system: System, endpoint: Endpoint) -> None:
        super().__init__(system, endpoint)
        self._lock = threading.Lock()
        self._challenge: str | None = None
        self._count = 0

    def proof(self) -> str | None:
        self.connection.need("login", "password")
        return self._challenge

    def sign(self, proof: str | None, method: str, url: str) -> Signed:
        if proof is None:
            return Signed(url, {})  # the refusal brings the challenge
        with self._lock:
            self._count += 1
            count = self._count
        parts = urlsplit(requote_uri(url))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        login, password = self.connection.need("login", "password")
        about = parse_keqv_list(parse_http_list(proof))
        return Signed(
            url, {"Authorization": answer(about, login, password, method, target, count, secrets.token_hex(16))}
        )

    def renew(self, refused: str | None, answer: Mapping[str, str]) -> bool:
        given = challenge(answer.get("WWW-Authenticate", ""))
        if given is None:
            raise Fatal(
                f"{self.connection.named}: it refuses without a digest challenge of {', '.join(_HASHES)}. Compare auth "
                f"in its YAML with what the system asks for, and the host of the Airflow connection "
                f"{self.connection.name!r}."
            )
        with self._lock:
            if refused == self._challenge:  # else another thread has a newer one
                self._challenge, self._count = given, 0
        return True


def challenge(header: str) -> str | None:
    """The parameters of the best digest challenge of a WWW-Authenticate header that we can answer."""
    found: dict[str, str] = {}
    scheme, parameters = "", list[str]()
    for item in [*parse_http_list(header), "end"]:
        begins = _SCHEME.fullmatch(item)
        if begins is None:
            parameters.append(item)
            continue
        if scheme == "digest":
            given = parse_keqv_list(parameters)
            offered = [each.strip() for each in given.get("qop", "auth").split(",")]
            if "auth" in offered and "nonce" in given:
                found.setdefault(given.get("algorithm", "MD5").upper().removesuffix("-SESS"), ", ".join(parameters))
        scheme, parameters = begins[1].lower(), [begins[2]] if begins[2] else []
    return next((found[each] for each in _HASHES if each in found), None)


def answer(
    about: Mapping[str, str], login: str, password: str, method: str, target: str, count: int, cnonce: str
) -> str:
    """The header Authorization about a challenge's parameters (RFC 7616, 3.4).

    `count` is how often its nonce has been used, this time included; `cnonce` is ours.
    """
    algorithm = about.get("algorithm", "MD5")
    named = _HASHES[algorithm.upper().removesuffix("-SESS")]

    def hashed(*parts: str) -> str:
        return hashlib.new(named, ":".join(parts).encode(), usedforsecurity=False).hexdigest()

    realm, nonce = about.get("realm", ""), about["nonce"]
    secret = hashed(login, realm, password)
    if algorithm.upper().endswith("-SESS"):
        secret = hashed(secret, nonce, cnonce)
    counted = (f"{count:08x}", cnonce, "auth") if "qop" in about else ()
    quoted = {
        "username": hashed(login, realm) if about.get("userhash") == "true" else login,
        "realm": realm,
        "uri": target,
        "nonce": nonce,
        "response": hashed(secret, nonce, *counted, hashed(method, target)),
        **({"opaque": about["opaque"]} if "opaque" in about else {}),
        **({"cnonce": cnonce} if counted or algorithm.upper().endswith("-SESS") else {}),
    }
    plain = {"algorithm": about.get("algorithm"), "qop": counted and "auth", "nc": counted and counted[0]}
    plain["userhash"] = "true" if about.get("userhash") == "true" else None
    texts = [f'{name}="{_escaped(value)}"' for name, value in quoted.items()]
    return "Digest " + ", ".join([*texts, *(f"{name}={value}" for name, value in plain.items() if value)])


def _escaped(text: str) -> str:
    # A header is sent as Latin-1: what UTF-8 needs goes through as its bytes (RFC 7616, 3.4.4, would have username*).
    return text.replace("\\", "\\\\").replace('"', '\\"').encode().decode("latin-1")
