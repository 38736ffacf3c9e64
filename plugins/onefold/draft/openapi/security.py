"""How the system lets us in, from securitySchemes (OpenAPI 3) or securityDefinitions (Swagger 2)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from onefold.draft.model import Mark, Value
from onefold.draft.openapi.document import Document, Node, child, items


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
    kind, name = str(scheme.get("type") or ""), str(scheme.get("name") or "")
    match kind, str(scheme.get("scheme") or "").lower():
        case ("http", "basic") | ("basic", _):
            return SignIn({"kind": "basic"}, "login and password of the connection", 3)
        case ("http", "bearer"):
            return SignIn({"kind": "bearer"}, "the connection's password is the token", 1)
        case ("apiKey", _):
            return _api_key(str(scheme.get("in") or ""), name)
        case ("oauth2", _):
            return _oauth2(scheme)
        case ("openIdConnect", _):
            text = "it signs in by OpenID Connect: find its token address in its discovery document"
            return SignIn({"kind": "bearer"}, text, 5)
    return None


def _api_key(where: str, name: str) -> SignIn | None:
    if where == "header" and name:
        if name.lower() == "authorization":
            text = "the connection's password is the whole header Authorization, as `Bearer …` or `Token …`"
            return SignIn({"kind": "api_key"}, text, 2)
        return SignIn({"kind": "api_key", "header": name}, f"the connection's password is the key in {name}", 2)
    return None


def _oauth2(scheme: Node) -> SignIn | None:
    flows = child(scheme, "flows")
    flow = child(flows, "clientCredentials") if isinstance(flows, dict) else None
    if scheme.get("flow") == "application":
        flow = scheme
    if isinstance(flow, dict):
        address = urlsplit(str(flow.get("tokenUrl") or ""))
        auth: dict[str, Value] = {"kind": "oauth2_client_credentials", "token_path": address.path or "/oauth2/token"}
        scopes = flow.get("scopes")
        if isinstance(scopes, dict) and len(scopes) == 1:
            auth["scope"] = str(next(iter(scopes)))
        text = "login and password of the connection are the client's id and secret"
        if address.netloc:
            text += (
                f", its token is had at {address.scheme}://{address.netloc} (another host goes into extra token_url)"
            )
        return SignIn(auth, text, 0)
    if isinstance(flows, dict) or scheme.get("flow"):
        text = (
            "it has OAuth2 for people only (no client credentials): a token made by hand is the connection's password"
        )
        return SignIn({"kind": "bearer"}, text, 4)
    return None
