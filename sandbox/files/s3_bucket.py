"""A folder as a bucket of an S3-compatible store: ListObjectsV2, GetObject and HeadObject, path-style, signed. Where it
may be written to also PutObject, with conditions, and DeleteObject.

Wire: Amazon S3 API Reference (2006-03-01); signatures: "Authenticating Requests (AWS Signature Version 4)".
"""

from __future__ import annotations

import hashlib
import hmac
import os
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, quote
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BUCKET = "onefold"
KEYS = int(os.environ.get("SANDBOX_S3_KEYS", "1000"))


def routes(folder: Path | None, access_key: str, secret_key: str, *, writable: bool = False) -> list[Route]:
    """The routes of the one bucket, /onefold, over the folder."""

    async def answer(request: Request) -> Response:
        if not _signed(request, access_key, secret_key):
            return _error(403, "SignatureDoesNotMatch", "The request signature does not match")
        key = request.path_params.get("key", "")
        if folder is None or request.path_params["bucket"] != BUCKET:
            return _error(404, "NoSuchBucket", "The specified bucket does not exist")
        if request.method == "PUT":
            return _put(request, folder, key, await request.body())
        if request.method == "DELETE":
            (folder / key).unlink(missing_ok=True)
            return Response(status_code=204)
        return _object(request, folder, key) if key else _listing(request, folder)

    changes = ["PUT", "DELETE"] if writable else []
    return [
        Route("/{bucket}", answer, methods=["GET"]),
        Route("/{bucket}/", answer, methods=["GET"]),
        Route("/{bucket}/{key:path}", answer, methods=["GET", "HEAD", *changes]),
    ]


def _object(request: Request, folder: Path, key: str) -> Response:
    path = folder / key
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        return _error(404, "NoSuchKey", "The specified key does not exist.")
    content = path.read_bytes()
    tag = _etag(content)
    if request.headers.get("if-match", tag) != tag:
        return _error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    return Response(content, headers={"ETag": tag}, media_type="binary/octet-stream")


def _put(request: Request, folder: Path, key: str, content: bytes) -> Response:
    path = folder / key
    tag = _etag(path.read_bytes()) if path.is_file() else None
    only = request.headers.get("if-match")
    if only and tag is None:
        return _error(404, "NoSuchKey", "The specified key does not exist.")
    if (only and only != tag) or (request.headers.get("if-none-match") == "*" and tag):
        return _error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    path.parent.mkdir(parents=True, exist_ok=True)
    following = path.with_name(f"{path.name}.next")
    following.write_bytes(content)
    following.replace(path)
    return Response(headers={"ETag": _etag(content)})


def _listing(request: Request, folder: Path) -> Response:
    prefix, after = request.query_params.get("prefix", ""), request.query_params.get("continuation-token", "")
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    names = [name for name in names if name.startswith(prefix) and name > after]
    page = names[:KEYS]
    more = len(names) > len(page)
    contents = "".join(_entry(folder, name) for name in page)
    following = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
    return Response(
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{BUCKET}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount><MaxKeys>{KEYS}</MaxKeys>"
        f"<IsTruncated>{str(more).lower()}</IsTruncated>{contents}{following}</ListBucketResult>",
        media_type="application/xml",
    )


def _entry(folder: Path, name: str) -> str:
    path = folder / name
    stat, content = path.stat(), path.read_bytes()
    modified = datetime.fromtimestamp(stat.st_mtime, UTC)
    return (
        f"<Contents><Key>{escape(name)}</Key><LastModified>{modified:%Y-%m-%dT%H:%M:%S}.000Z</LastModified>"
        f"<ETag>{escape(_etag(content), {chr(34): '&quot;'})}</ETag><Size>{len(content)}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def _error(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, status_code=status, media_type="application/xml")


def _signed(request: Request, access_key: str, secret_key: str) -> bool:
    """Whether the request's signature is the one that this request and our secret give."""
    scheme, _, said = request.headers.get("authorization", "").partition(" ")
    parts = dict(part.strip().split("=", 1) for part in said.split(",") if "=" in part)
    who, _, scope = parts.get("Credential", "").partition("/")
    if scheme != "AWS4-HMAC-SHA256" or who != access_key or scope.count("/") != 3:
        return False
    names = parts.get("SignedHeaders", "").split(";")
    query = parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True)
    canonical = "\n".join(
        (
            request.method,
            request.scope["raw_path"].decode(),
            "&".join(sorted(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query)),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in names),
            "",
            ";".join(names),
            request.headers.get("x-amz-content-sha256", ""),
        )
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(("AWS4-HMAC-SHA256", request.headers.get("x-amz-date", ""), scope, digest))
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(hmac.new(key, to_sign.encode(), "sha256").hexdigest(), parts.get("Signature", ""))
