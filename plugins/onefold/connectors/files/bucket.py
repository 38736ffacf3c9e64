"""A bucket of an S3-compatible store, read with two requests: ListObjectsV2 and GetObject.

botocore signs (AWS Signature 4) and finds credentials; sending is http.Client's, so that retry, rate limit, breaker and
usage are those of every other source. (boto3's own client would go around them.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self, Unpack
from urllib.parse import quote, urlsplit

import botocore.session
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from lxml import etree

from onefold.catalog.system import System
from onefold.connectors import safe_xml
from onefold.connectors.files.http_take import Taking
from onefold.connectors.files.store import Found, Taken, fitting, fixed_folder, found_as
from onefold.errors import Fatal
from onefold.foreign_text import shown_name
from onefold.http.attempt import Attempt, BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings


class Bucket:
    """One bucket below a prefix.

    The connection's extra: endpoint_url of a store that is not Amazon's (asked as endpoint/bucket/key), region. Without
    login and password botocore looks for credentials where all of Amazon's tools do (a role, the environment).
    """

    def __init__(
        self,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> None:
        parts, extra = urlsplit(endpoint.url), endpoint.extra or {}
        region = extra.get("region", "us-east-1")
        given = extra.get("endpoint_url", "").rstrip("/")
        self._base = f"{given}/{parts.netloc}" if given else f"https://{parts.netloc}.s3.{region}.amazonaws.com"
        folder = parts.path.strip("/")
        self._prefix = f"{folder}/" if folder else ""
        self._signer = _signer(endpoint, region)
        self._named, self._most_pages = system.system, system.limits.pages
        self._http = Client(system, replace(endpoint, url=self._base), on_attempt, **settings)
        self._taking = Taking(self._http, _tag_of, system.limits.answer_mib << 20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def found(self, pattern: str) -> Iterator[Found]:
        folder, fits = fixed_folder(pattern), fitting(pattern)
        params = {"list-type": "2", "prefix": f"{self._prefix}{folder}/" if folder else self._prefix}
        for _ in range(self._most_pages):
            url = f"{self._base}/"
            listing = self._http.send("GET", url, params=params, headers=self._signed(url, params), parse=_listing)
            for entry in listing.iterfind("{*}Contents"):
                key = entry.findtext("{*}Key", "")
                name = key.removeprefix(self._prefix)
                if key.startswith(self._prefix) and fits(name):
                    yield _found(name, entry)
            following = listing.findtext("{*}NextContinuationToken")
            if listing.findtext("{*}IsTruncated") != "true" or not following:
                return
            params = {**params, "continuation-token": following}
        raise Fatal(
            f"{self._named}: the bucket's listing has more than {self._most_pages} pages (limits.pages) and goes on. "
            "Begin request.path with a folder that has fewer files, or raise the limit in the system's YAML."
        )

    def take(self, file: Found) -> Taken | None:
        url = f"{self._base}/{quote(self._prefix + file.name, safe='/-_.~')}"
        return self._taking.take(url, file, self._signed(url, {}, {"If-Match": file.tag}))

    def _signed(self, url: str, params: dict[str, str], more: dict[str, str] | None = None) -> dict[str, str]:
        """The headers of a request, its signature among them; that is good for 15 minutes, and so for its retries."""
        if self._signer is None:
            return dict(more or {})
        request = AWSRequest("GET", url, headers=more, params=params)
        self._signer.add_auth(request)
        return {name: str(value) for name, value in request.headers.items()}


def _signer(endpoint: Endpoint, region: str) -> S3SigV4Auth | None:
    if endpoint.login and endpoint.password:
        held = Credentials(endpoint.login, endpoint.password)
    else:
        held = botocore.session.get_session().get_credentials()
    return S3SigV4Auth(held, "s3", region) if held else None


def _tag_of(response: Response) -> str:
    if "ETag" not in response.headers:
        raise BadBody("an answer without an ETag, so no object")
    return response.headers["ETag"]


def _found(name: str, entry: etree._Element) -> Found:
    tag = entry.findtext("{*}ETag", "")
    try:
        modified = datetime.fromisoformat(entry.findtext("{*}LastModified", "")).astimezone(UTC)
        return found_as(name, modified, int(entry.findtext("{*}Size", "0")), tag)
    except (ValueError, OverflowError):
        return found_as(name, None, None, tag)


def _listing(response: Response) -> etree._Element:
    listing = safe_xml.tree(response.file)
    if etree.QName(listing).localname != "ListBucketResult":
        raise BadBody(f"XML that is no list of objects but {shown_name(etree.QName(listing).localname)}")
    return listing
