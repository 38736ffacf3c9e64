"""How the system lets us in, from securitySchemes (OpenAPI 3) or securityDefinitions (Swagger 2)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from onefold.draft.model import Mark, Value
from onefold.draft.openapi.document import Document, Node, child, items

_FLOWS = (
    (
        "clientCredentials",
        "oauth2_client_credentials",
        "login and password of the connection are the client's id and secret",
    ),
    (
        "password",
        "oauth2_password",
        "login and password of a user, client_id and client_secret in the connection's extra",
    ),
    (
        "authorizationCode",
        "oauth2_refresh_token",
        "refresh_token of the connection's extra, once somebody has consented",
    ),
)
"""A flow of OAuth 2, the kind of `auth` for it, and what the connection holds."""
_SWAGGER_2 = {"application": "clientCredentials", "accessCode": "authorizationCode", "password": "password"}


@dataclass(frozen=True, slots=True)
class SignIn:
    """The YAML's `auth`, and what to check of it. `rank` orders the ways that a description offers: the lowest is what
    a program uses best."""

    auth: dict[str, Value]
    check: str
    rank: int


def sign_in(document: Document) -> tuple[dict[str, Value], list[Mark]]:
    """The way in that suits a program best, of those that the description asks for, and what to check of it."""
    kept = document.node(document.root)
    schemes = (
        child(kept, "securityDefinitions")
        if document.swagger2
        else document.child(kept, "components").get("securitySchemes")
    )
    asked = {str(name) for each in items(kept, "security") if isinstance(each, dict) for name in each}
    found: list[SignIn] = []
    unknown: list[str] = []
    for name, given in schemes.items() if isinstance(schemes, dict) else ():
        if asked and name not in asked:
            continue
        way = _way(document.node(given))
        found += [way] if way else []
        unknown += [] if way else [str(name)]
    if not found:
        how = f" (it names {', '.join(unknown)}, which `auth` has no kind for)" if unknown else ""
        return {}, [Mark("connection", f"how it lets us in{how}")] if schemes else []
    best, *others = sorted(found, key=lambda each: each.rank)
    also = ", ".join(dict.fromkeys(str(each.auth["kind"]) for each in others if each.auth != best.auth))
    return best.auth, [Mark("auth", best.check + (f"; it also offers {also}" if also else ""))]


def _way(scheme: Node) -> SignIn | None:
    match str(scheme.get("type") or ""), str(scheme.get("scheme") or "").lower():
        case ("http", "basic") | ("basic", _):
            return SignIn({"kind": "basic"}, "login and password of the connection", 3)
        case ("http", "digest"):
            return SignIn({"kind": "digest"}, "login and password of the connection", 3)
        case ("http", "bearer"):
            return SignIn({"kind": "bearer"}, "the connection's password is the token", 1)
        case ("apiKey", _):
            return _api_key(str(scheme.get("in") or ""), str(scheme.get("name") or ""))
        case ("mutualTLS", _):
            text = "certificate and private_key are in the connection's extra"
            return SignIn({"kind": "none", "mtls": True}, text, 2)
        case ("oauth2", _):
            return _oauth2(scheme)
        case ("openIdConnect", _):
            text = "it signs in by OpenID Connect: its discovery document has the token address of OAuth 2"
            return SignIn({"kind": "bearer"}, text, 6)
    return None


def _api_key(where: str, name: str) -> SignIn | None:
    if where == "header" and name.lower() == "authorization":
        text = 'the connection\'s password is the key; `prefix: "Token "` where a word stands before it'
        return SignIn({"kind": "api_key"}, text, 2)
    if where in ("header", "query") and name:
        return SignIn({"kind": "api_key", where: name}, f"the connection's password is the key in {name}", 2)
    return None


def _oauth2(scheme: Node) -> SignIn | None:
    """The flow that needs no person, or the one that needs one least."""
    flows = child(scheme, "flows")
    given = flows if isinstance(flows, dict) else {_SWAGGER_2.get(str(scheme.get("flow")), ""): scheme}
    for rank, (flow, kind, secret) in enumerate(_FLOWS):
        found = given.get(flow)
        if isinstance(found, dict):
            auth, address = _token(kind, found)
            return SignIn(auth, secret + address, rank if rank == 0 else rank + 3)
    return None


def _token(kind: str, flow: Node) -> tuple[dict[str, Value], str]:
    """The settings of a kind of OAuth 2, and where its tokens are had if that is another host."""
    address = urlsplit(str(flow.get("tokenUrl") or ""))
    auth: dict[str, Value] = {"kind": kind, "token_path": address.path or "/oauth2/token"}
    scopes = flow.get("scopes")
    if isinstance(scopes, dict) and len(scopes) == 1:
        auth["scope"] = str(next(iter(scopes)))
    if not address.netloc:
        return auth, ""
    return auth, f", its token is had at {address.scheme}://{address.netloc} (another host goes into extra token_url)"
