"""Where a description is: a file, an address on the web, or what a variable names; and the files beside it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import urljoin, urlsplit

import requests

from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.http.sign_in.fixed import basic

LARGEST = 64 << 20
"""Bytes of one description; the largest public ones have a third of it."""
LONGEST = 120.0
"""Seconds for one of them, from its first byte to its last."""
_CHUNK = 64 * 1024
_REDIRECTS = 5
_FROM_VARIABLE = "env:"
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Origin:
    """A description and what stands beside it. `sign_in` holds request headers, sent to its own host only."""

    location: str
    sign_in: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_web(self) -> bool:
        return urlsplit(self.location).scheme in ("http", "https")

    @property
    def shown(self) -> str:
        """What the draft calls it: without a query, which may hold a key."""
        if not self.is_web:
            return Path(self.location).name
        parts = urlsplit(self.location)
        return f"{parts.scheme}://{parts.hostname}{parts.path}"

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return PurePosixPath(urlsplit(self.location).path).stem if self.is_web else Path(self.location).stem

    def content(self) -> bytes:
        """The description. Raises Fatal when it is not there, is too large or takes too long."""
        return self._fetched(self.location) if self.is_web else _read(Path(self.location), self.location)

    def text(self) -> str:
        """The description as text. Raises Fatal when it is no UTF-8 besides."""
        return _text(self.content(), self.shown)

    def posted(self, body: bytes) -> bytes:
        """What an address of the web answers to a JSON body. Raises Fatal as `content` does."""
        return self._fetched(self.location, body)

    def beside(self, name: str) -> bytes:
        """A file that the description refers to: on the same host, or in its folder or below. Raises Fatal else."""
        if self.is_web:
            address = urljoin(self.location, name)
            if urlsplit(address)[:2] != urlsplit(self.location)[:2]:
                raise Fatal(
                    f"the description refers to {_host(address)}, another host: save both files and name the file"
                )
            return self._fetched(address)
        if "://" in name:
            return self._saved(name)
        folder = Path(self.location).resolve().parent
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            raise Fatal(f"the description refers to {name}, outside of its folder: copy that file beside it")
        return _read(path, f"{name}, which the description refers to; save it beside it")

    def text_beside(self, name: str) -> str:
        """As `beside`, as text."""
        return _text(self.beside(name), name)

    def _saved(self, address: str) -> bytes:
        """The file of an address as it was saved beside the description, by its last name."""
        name = PurePosixPath(urlsplit(address).path).name
        path = Path(self.location).resolve().parent / name
        if not name or not path.is_file():
            raise Fatal(
                f"the description imports {_host(address)}/…/{name}: save that file beside it, as {name or 'x.xsd'}"
            )
        return _read(path, name)

    def _fetched(self, address: str, body: bytes | None = None) -> bytes:
        try:
            with requests.Session() as session:
                session.auth = _OnlyOurs(self.sign_in, urlsplit(self.location).hostname)
                session.max_redirects = _REDIRECTS
                deadline = time.monotonic() + LONGEST
                method, headers = ("POST", _JSON) if body is not None else ("GET", {})
                headers = {"User-Agent": "onefold", **headers}
                with session.request(
                    method, address, data=body, stream=True, timeout=(10, 30), headers=headers
                ) as answer:
                    if answer.status_code != requests.codes.ok:
                        raise Fatal(
                            f"{_host(address)} answered with status {answer.status_code}. Check the address; where it "
                            "wants a sign-in, name an Airflow connection with --connection, or save the file first."
                        )
                    return _body(answer, deadline)
        except requests.RequestException as error:
            raise Fatal(
                f"{_host(address)} cannot be asked ({type(error).__name__}); check the address, or save the file first"
            ) from None


def origin(location: str, endpoint: Endpoint | None = None) -> Origin:
    """The origin at a file's path, a URL, or `env:NAME`, which says that the variable NAME has it.

    `endpoint` is how a URL's host lets us in: basic where it has a login, else its password as a bearer token. Raises
    Fatal when the variable is not set, or the URL itself holds a password.
    """
    location = from_variable(location)
    parts = urlsplit(location)
    if parts.scheme in ("http", "https") and parts.username is not None:
        raise Fatal(
            "LOCATION holds a login, which stays in the shell's history; put it into an Airflow connection and name "
            "that with --connection."
        )
    return Origin(location, _headers(endpoint) if endpoint else {})


def from_variable(location: str) -> str:
    """The location itself, or what the variable holds that `env:NAME` names. Raises Fatal when that is not set."""
    if not location.startswith(_FROM_VARIABLE):
        return location
    name = location.removeprefix(_FROM_VARIABLE)
    value = os.environ.get(name)
    if not value:
        raise Fatal(f"LOCATION is {location}, but the variable {name} is not set; export it first")
    return value


class _OnlyOurs(requests.auth.AuthBase):
    """Signs in at the description's own host, and keeps requests from looking into the user's ~/.netrc."""

    def __init__(self, headers: Mapping[str, str], host: str | None) -> None:
        self._headers, self._host = headers, host

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if urlsplit(request.url or "").hostname == self._host:
            request.headers.update(self._headers)
        return request


def _headers(endpoint: Endpoint) -> dict[str, str]:
    if endpoint.login:
        return {"Authorization": basic(endpoint.login, endpoint.password or "")}
    return {"Authorization": f"Bearer {endpoint.password}"} if endpoint.password else {}


def _body(answer: requests.Response, deadline: float) -> bytes:
    body = bytearray()
    for chunk in answer.iter_content(_CHUNK):
        body += chunk
        if len(body) > LARGEST:
            raise Fatal(f"the description is larger than {LARGEST >> 20} MiB; save the part that is needed to a file")
        if time.monotonic() > deadline:
            raise Fatal(f"the description did not come whole within {LONGEST:g} s; save it to a file first")
    return bytes(body)


def _read(path: Path, named: str) -> bytes:
    if not path.is_file():
        raise Fatal(f"there is no file {named}")
    if path.stat().st_size > LARGEST:
        raise Fatal(f"{path.name} is larger than {LARGEST >> 20} MiB; give a part of it")
    return path.read_bytes()


def _text(content: bytes, named: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Fatal(f"{named} is no text in UTF-8; save it as that first") from None


def _host(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname}"
