"""The wire to one host: addresses on that host only, one whole answer per request, TLS verified."""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit

import requests
import urllib3
from requests.structures import CaseInsensitiveDict

from onefold.errors import Fatal
from onefold.foreign_text import shown_name
from onefold.http.attempt import Response
from onefold.http.deadline import TimelyAdapter, reading_until, server_certificate
from onefold.http.failure import Again, TooLarge
from onefold.http.sign_in.contract import Access
from onefold.http.spool import CHUNK, spooled

if TYPE_CHECKING:
    from requests.sessions import _Settings  # the types know it, the library does not

CONNECT_TIMEOUT = 10.0
REDIRECTS = 3
UNAUTHORIZED = 401
ANYBODY = Access()
_ALERT = re.compile(r"(?<=: )[A-Z0-9]+_ALERT_[A-Z_]+(?=\])")
"""What the other side says of ours, as OpenSSL calls it: in brackets after "SSL: "."""
LONGEST_URL = 16 * 1024
"""Characters. Servers refuse more than half of it; a source may name any as its next page."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Its answer may have `largest` bytes, by default what the wire was made with; redirects of a GET stay
    on the connection's host, or on `hosts`."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    largest: int | None = None
    hosts: Collection[str] = ()


class Wire:
    """Keeps connections to the host of an Airflow connection's URL; `system` and `connection` are for messages. No
    answer may have more than `largest` bytes, unpacked."""

    def __init__(self, system: str, connection: str, url: str, largest: int) -> None:
        self._system = system
        self._connection = connection
        self._largest = largest
        base = split(url)
        if base is None or base.scheme not in ("http", "https") or not base.hostname or base.username is not None:
            raise Fatal(
                f"{system}: the Airflow connection {connection!r} has no usable URL. Its host must look "
                "like https://example.com, with login and password in their own fields."
            )
        self._base = base
        self._session = _Session()
        self._session.auth = _OnlyOurHeader()
        self._session.headers["User-Agent"] = "onefold"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, TimelyAdapter(pool_maxsize=8, max_retries=0))
        self._turn = threading.Lock()
        self._surroundings: dict[tuple[str, str], _Settings] = {}

    def show_certificate(self, context: ssl.SSLContext, places: Iterable[str]) -> None:
        """Show the context's client certificate to the hosts of these https addresses, and to no other: who we are is
        not for the host of a signed link."""
        for place in filter(None, map(split, places)):
            self._session.mount(f"https://{place.netloc}/", TimelyAdapter(pool_maxsize=8, max_retries=0, tls=context))

    @property
    def host(self) -> str:
        """Host and port."""
        return self._base.netloc

    def close(self) -> None:
        self._session.close()

    def url(self, path: str, params: Mapping[str, str] | None = None, hosts: Collection[str] = ()) -> str:
        """An address on the connection's own host, or one of the further `hosts` that its YAML trusts, so that nobody's
        "next page" can carry our token elsewhere; https where the connection has it."""
        target, base = split(path), self._base
        where = base
        if target is None or len(path) > LONGEST_URL:
            raise Fatal(
                f"{self._system}: it pointed us to an address that cannot be asked: malformed, or longer than "
                f"{LONGEST_URL} characters. Nothing more can be read this way: report it to the system's owner, or "
                "compare `next` in the system's YAML with the system's interface."
            )
        root = base.path.rstrip("/")
        if target.scheme or target.netloc:
            where = self._trusted(target, hosts)
            below = target.path
        elif root and target.path.startswith(root + "/"):
            below = target.path
        else:
            below = root + "/" + target.path.lstrip("/")
        more = urlencode(params or {}, quote_via=quote, safe="$,:'()/*")
        query = "&".join(filter(None, (target.query, more)))
        return f"{where.scheme}://{where.netloc}{below}" + (f"?{query}" if query else "")

    def following(self, page: str, address: str) -> str:
        """What an answer's `address` means that came from the address `page` below the connection's URL: a relative
        one is meant from there. Raises ValueError when it is none."""
        at = urlsplit(page)
        elsewhere = bool(at.netloc) and _origin(at) != _origin(self._base)
        if address.startswith("/") and not elsewhere:
            return address
        if elsewhere or urlsplit(address).scheme:
            return urljoin(page, address)
        target = urlsplit(urljoin(self.url(page), address))
        below = target._replace(scheme="", netloc="").geturl()
        return below if below.startswith(self._base.path.rstrip("/") + "/") else target.geturl()

    def _trusted(self, target: SplitResult, hosts: Collection[str]) -> SplitResult:
        """Where an absolute address is asked: on our own host or a trusted one, never less safely than our own."""
        base = self._base
        target = target._replace(scheme=target.scheme or base.scheme)
        if _origin(target) == _origin(base):
            return base
        if base.scheme == "https" and target.scheme == "http":  # what a server behind a proxy takes its own to be
            target = target._replace(scheme="https", netloc=target.netloc.removesuffix(":80"))
            if _origin(target) == _origin(base):
                return base
        named = _origin(target)[1:] in {_origin(urlsplit(f"{target.scheme}://{host}"))[1:] for host in hosts}
        if named and target.scheme in ("https", base.scheme) and target.username is None:
            return target
        raise Fatal(
            f"{self._system}: it pointed us to {shown_name(target.hostname or '')}, another host than that of "
            f"the connection {self._connection!r}. Refused: it would be sent our credentials. Where a next page is "
            "there and that host is the source's own too, name it under `next.hosts` in the YAML; where it is another "
            "name for the connection's host, say `next: {keep: path}` or `{keep: query}`."
        )

    def exchange(self, request: Request, timeout: float, named: str, access: Access = ANYBODY) -> Response:
        """One request and its whole answer, its headers too, within `timeout` seconds of its turn.

        Raises Again when no whole answer came, Fatal when TLS or the size of the answer forbids to go on.
        """
        try:
            with self._turn if access.handshake else nullcontext():
                return self._answer(request, time.monotonic() + timeout, named, access)
        except requests.exceptions.SSLError as error:
            raise self._tls_failure(error, named) from error
        except (requests.Timeout, TimeoutError, urllib3.exceptions.ReadTimeoutError) as error:
            raise Again(f"no whole answer within {timeout:g} s", begun=not _never_connected(error)) from error
        except (urllib3.exceptions.ProtocolError, urllib3.exceptions.DecodeError) as error:
            raise Again("the body was cut off") from error
        except (requests.ConnectionError, urllib3.exceptions.HTTPError) as error:
            raise Again("the connection failed", begun=not _never_connected(error)) from error
        except requests.RequestException as error:
            raise Again(f"the request could not be made ({type(error).__name__})") from error

    def _answer(self, request: Request, deadline: float, named: str, access: Access) -> Response:
        url, redirects, going_on = request.url, 0, dict[str, str]()
        with reading_until(deadline):
            while redirects <= REDIRECTS:
                signed = access.sign(url)
                headers = {**request.headers, **signed.headers, **going_on}
                prepared = self._session.prepare_request(
                    requests.Request(request.method, signed.url, headers=headers, data=request.body)
                )
                left = max(0.001, deadline - time.monotonic())
                with closing(
                    self._session.send(
                        prepared,
                        timeout=(min(CONNECT_TIMEOUT, left), left),
                        allow_redirects=False,
                        **self._surrounding(url),
                    )
                ) as answer:
                    received = _received(answer, deadline, named, request.largest or self._largest)
                    if access.handshake and answer.status_code == UNAUTHORIZED:
                        message = access.handshake.next(answer.headers, server_certificate(answer.raw))
                        if message is not None:
                            for _ in received:
                                """Read to its end, so that the connection is the next one's."""
                            going_on = {"Authorization": message}
                            continue
                    if not answer.is_redirect or request.method != "GET":
                        told: Mapping[str, str] = answer.headers
                        if blank := access.blank:
                            received = blank.pieces(received)
                            told = CaseInsensitiveDict((name, blank.text(value)) for name, value in told.items())
                        return Response(answer.status_code, told, spooled(received), dict(answer.cookies))
                    url, going_on = self.url(joined(url, answer.headers["Location"], named), hosts=request.hosts), {}
                    redirects += 1
        raise Fatal(f"{named}: redirected more than {REDIRECTS} times. Check the URL of {self._connection!r}.")

    def _tls_failure(self, error: requests.exceptions.SSLError, named: str) -> Again | Fatal:
        told = str(error)
        if "EOF" in told:  # by a fault on the way, or by a server that refuses us and does not stay to be asked why
            return Again(
                "the connection was cut off within TLS, as by a server that wants another client certificate than we "
                f"show (auth.mtls; certificate in the extra of the Airflow connection {self._connection!r})"
            )
        if alert := _ALERT.search(told):
            return Fatal(
                f"{named}: the server refused our side of TLS ({alert[0]}). Where it wants a client certificate, say "
                "mtls: true in auth of the system's YAML, and check certificate and private_key in the extra of the "
                f"Airflow connection {self._connection!r}: it must be signed by whom the server trusts."
            )
        return Fatal(
            f"{named}: the TLS certificate of {self._base.hostname} could not be verified. Fix the certificate, or add "
            "its authority to the machine's trust store (REQUESTS_CA_BUNDLE)."
        )

    def _surrounding(self, url: str) -> _Settings:
        """The proxies and the trust store that the environment names for the URL's host.

        Looked up once for a host: done for each request it takes a third of our time for a small one.
        """
        origin = urlsplit(url)[:2]
        if origin not in self._surroundings:
            self._surroundings[origin] = self._session.merge_environment_settings(url, {}, True, True, None)
        return self._surroundings[origin]


class _Session(requests.Session):
    """Looks into no redirect by itself, not even at where one would lead: it fails on an address that is none."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _OnlyOurHeader(requests.auth.AuthBase):
    """Keeps requests from looking for credentials in the user's ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def split(address: str) -> SplitResult | None:
    """The address in parts; None when it is none: a bracket without its other, a port that cannot be."""
    try:
        parts = urlsplit(address)
        return parts if parts.port is None or parts.port else None
    except ValueError:
        return None


def joined(base: str, address: str, named: str) -> str:
    """The address, which may be meant from `base`. Raises Fatal when it is none; `named` is who gave it."""
    try:
        return urljoin(base, address)
    except ValueError:
        raise not_an_address(named) from None


def not_an_address(named: str) -> Fatal:
    """What is raised when `named` gave a malformed address for a next page."""
    return Fatal(
        f"{named}: it pointed us to an address that is malformed. Nothing more can be read this way: report it to "
        "the system's owner, or compare `next` in its YAML with the system's interface."
    )


def _received(answer: requests.Response, deadline: float, named: str, largest: int) -> Iterator[bytes]:
    size = 0
    # read1 gives what is there: read would wait for a whole chunk, and one byte a second would outlast the deadline
    while chunk := answer.raw.read1(CHUNK, decode_content=True):
        yield chunk
        size += len(chunk)
        if time.monotonic() > deadline:
            raise TimeoutError
        if size > largest:
            raise TooLarge(
                f"{named}: the answer is larger than {largest >> 20} MiB (limits.answer_mib). Ask for smaller pages in "
                "the system's YAML (a parameter under request.params, or next.size), or raise the limit there."
            )


def _never_connected(error: Exception) -> bool:
    """Whether there was no connection that a request could have been sent over: nothing was."""
    cause: object = error.args[0] if isinstance(error, requests.RequestException) and error.args else error
    cause = getattr(cause, "reason", None) or cause
    return isinstance(cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or {"http": 80, "https": 443}.get(url.scheme)
