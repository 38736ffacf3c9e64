"""A request as faults see it: the text that a fault's `path` is compared with, and its credential."""

from starlette.types import Scope

from sandbox.faults.fault import EXPIRED


def header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


def described(scope: Scope) -> str:
    """What a fault's `path` is looked for in: method, path and query, and where SOAP says its action."""
    query = scope["query_string"].decode("latin-1")
    action = f"{header(scope, b'content-type')} {header(scope, b'soapaction')}"
    return f"{scope['method']} {scope['path']}?{query} {action}"


def carries_token(scope: Scope) -> bool:
    """Whether the request shows a credential, rather than asks for one."""
    shown = header(scope, b"authorization") or header(scope, b"sid")
    return bool(shown) and not scope["path"].endswith("/oauth2/token")


def without_token(scope: Scope) -> Scope:
    """The request without its credential, which the systems are told to forget: it is over for good, not just once."""
    expired = header(scope, b"sid") or header(scope, b"authorization").partition(" ")[2]
    kept = [(name, value) for name, value in scope["headers"] if name not in (b"authorization", b"sid")]
    return {**scope, "headers": kept, EXPIRED: expired}
