"""A folder of a WebDAV server (Nextcloud, SharePoint's, Apache's), read with two requests: PROPFIND and GET.

Source: RFC 4918, 9.1 (PROPFIND), 13 (multi-status). Sign-in, retry, rate limit and usage are those of every HTTP
source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Self, Unpack
from urllib.parse import quote, unquote, urlsplit

from lxml import etree

from onefold.catalog.system import System
from onefold.connectors import safe_xml
from onefold.connectors.files.http_take import Taking
from onefold.connectors.files.store import Found, Taken, depth, fitting, fixed_folder, found_as
from onefold.errors import Fatal, Retriable
from onefold.foreign_text import shown_name
from onefold.http.attempt import Attempt, BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings

MULTI_STATUS = 207
_ASKED = (
    b'<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/>'
    b"<getlastmodified/><getetag/></prop></propfind>"
)


class WebDav:
    """One folder of a server: the address that the connection names."""

    def __init__(
        self,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> None:
        self._system = system
        self._base = endpoint.url.rstrip("/")
        self._path = unquote(urlsplit(self._base).path)
        self._http = Client(system, endpoint, on_attempt, **settings)
        self._taking = Taking(self._http, _tag_of, system.limits.answer_mib << 20, shown=self._base)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def found(self, pattern: str) -> Iterator[Found]:
        """Raises Retriable when the folder is not there: a share that is gone must not pass for an empty one."""
        fits, deepest = fitting(pattern), depth(pattern)
        if fixed := fixed_folder(pattern):
            self._listed("")  # the root must be there even where the folder below it need not
        ahead, asked = [fixed], 0
        while ahead:
            folder = ahead.pop()
            asked += 1
            if asked > self._system.limits.pages:
                raise Fatal(
                    f"{self._system.system}: there are more than {self._system.limits.pages} folders (limits.pages). "
                    "Say in request.path how deep the files lie, or raise the limit in the system's YAML."
                )
            for name, entry in self._listed(folder):
                if _is_folder(entry):
                    if deepest is None or name.count("/") < deepest:
                        ahead.append(name)
                elif fits(name):
                    yield _found(name, entry)

    def take(self, file: Found) -> Taken | None:
        conditional = file.tag.startswith('"')  # a weak one (W/"…") is no condition for GET (RFC 9110, 13.1.1)
        return self._taking.take(self._url(file.name), file, {"If-Match": file.tag} if conditional else {})

    def _listed(self, folder: str) -> list[tuple[str, etree._Element]]:
        """Names below the root and properties of what lies in the folder; nothing where it is not there."""
        entries = self._http.send(
            "PROPFIND",
            f"{self._url(folder)}/",
            headers={"Depth": "1", "Content-Type": "application/xml; charset=utf-8"},
            body=_ASKED,
            accept=frozenset({404}),
            parse=_multi_status,
            shown=self._base,
        )
        if entries is None and not folder:
            raise Retriable(
                f"{self._system.system}: the WebDAV server has no such folder as the Airflow connection "
                f"{self._system.connection!r} names. Fix the connection's host; nothing was changed here."
            )
        names = ((self._name(entry.findtext("{DAV:}href", "")), entry) for entry in entries or ())
        return [(name, entry) for name, entry in names if name and name != folder]

    def _name(self, href: str) -> str | None:
        """The name below the root of what an answer names, by its path or its address; None: it lies elsewhere."""
        path = unquote(urlsplit(href).path).rstrip("/")
        return path[len(self._path) + 1 :] if path.startswith(f"{self._path}/") else None

    def _url(self, name: str) -> str:
        return f"{self._base}/{quote(name, safe='/-_.~')}".rstrip("/")


def _multi_status(response: Response) -> list[etree._Element] | None:
    if response.status == 404:
        return None
    answer = safe_xml.tree(response.file)
    if response.status != MULTI_STATUS or answer.tag != "{DAV:}multistatus":
        raise BadBody(f"no list of files but {shown_name(etree.QName(answer).localname)}; is it a WebDAV address?")
    return list(answer.iterfind("{DAV:}response"))


def _property(entry: etree._Element, name: str) -> etree._Element | None:
    """A property that the server has of it: those that it has not stand under another status."""
    for group in entry.iterfind("{DAV:}propstat"):
        if " 200" in group.findtext("{DAV:}status", " 200"):
            found = group.find(f"{{DAV:}}prop/{{DAV:}}{name}")
            if found is not None:
                return found
    return None


def _text(entry: etree._Element, name: str) -> str:
    found = _property(entry, name)
    return (found.text or "").strip() if found is not None else ""


def _is_folder(entry: etree._Element) -> bool:
    kind = _property(entry, "resourcetype")
    return kind is not None and kind.find("{DAV:}collection") is not None


def _found(name: str, entry: etree._Element) -> Found:
    modified, size = _text(entry, "getlastmodified"), _text(entry, "getcontentlength")
    tag, is_text = _tag(_text(entry, "getetag"), modified, size), "\N{REPLACEMENT CHARACTER}" not in name
    try:
        return found_as(name, parsedate_to_datetime(modified).astimezone(UTC), int(size), tag, is_text=is_text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return found_as(name, None, None, tag, is_text=is_text)


def _tag(etag: str, modified: str, size: str) -> str:
    """The ETag, quoted as the header has it (some servers' property is not), or else what there is in its place."""
    if not etag:
        return f"{modified} {size}"
    return etag if etag.startswith(('"', "W/")) else f'"{etag}"'


def _tag_of(response: Response) -> str:
    headers = response.headers
    return _tag(headers.get("ETag", ""), headers.get("Last-Modified", ""), str(response.size))
