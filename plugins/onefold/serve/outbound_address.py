"""Where a client may have something posted to: public hosts only, so that nobody reaches through us what we reach."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+", re.ASCII)


def is_public_address(url: str) -> bool:
    """Whether the address is https, names a host by its public name, and neither login nor fragment. What the name
    resolves to is judged when something is posted (public_ip)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = (parts.hostname or "").lower()
    return (
        parts.scheme == "https"
        and parts.username is None
        and not parts.fragment
        and port in (None, 443, 8443)
        and bool(_HOST.fullmatch(host))
        and not host.rpartition(".")[2].isdecimal()
        and url.isascii()
        and url.isprintable()
    )


def public_ip(host: str, port: int) -> str | None:
    """An address of the host that everybody can reach; None where one of its addresses is not such: one name may give
    both. Raises OSError where the name is unknown."""
    found = {str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    if not found or not all(ipaddress.ip_address(each).is_global for each in found):
        return None
    return min(found)
