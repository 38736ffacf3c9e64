"""Reads back what a bucket has of the checkpoints: of each key the oldest version, which nobody could put there later.

Who may write into the bucket can put newer versions over a checkpoint, or a delete marker; object lock keeps the first.
`ListObjectVersions` and `GetObject` with a version (Amazon S3 API reference), by botocore's client.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from onefold.audit.checkpoint import SignedCheckpoint, read_checkpoint
from onefold.errors import Fatal, Retriable

_SECONDS = 10
_LARGEST = 10_000
"""Bytes; a checkpoint that two keys signed has some 400."""


@dataclass(frozen=True)
class Kept:
    """The oldest version of one key, and what was put over it since (newer versions, delete markers)."""

    key: str
    copy: SignedCheckpoint
    put_over: int


@dataclass(frozen=True)
class _Version:
    key: str
    version: str
    at: datetime
    is_marker: bool


def oldest_versions(name: str, bucket: str, prefix: str, region: str, endpoint: str | None) -> Iterator[Kept]:
    """What each key below the prefix had first, by key. `name` is what messages call the place.

    Raises Fatal when the store refuses it, or what is there is no checkpoint; Retriable when it does not answer.
    """
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError

    settings = Config(
        connect_timeout=_SECONDS,
        read_timeout=_SECONDS,
        retries={"total_max_attempts": 3},
        s3={"addressing_style": "path" if endpoint else "virtual"},
    )
    try:
        client = botocore.session.get_session().create_client(
            "s3", region_name=region, endpoint_url=endpoint, config=settings
        )
        pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=f"{prefix}/".lstrip("/"))
        for key, versions in groupby(_by_key(pages), key=lambda each: each.key):
            ordered = sorted(versions, key=lambda each: each.at)
            first = next((each for each in ordered if not each.is_marker), None)
            if first is None:
                raise Fatal(f"{name}: of {key} there is no version, but a delete marker: it was not locked.")
            found = client.get_object(Bucket=bucket, Key=key, VersionId=first.version)
            yield Kept(key, _read(f"{name}: {key}", found["Body"].read(_LARGEST)), len(ordered) - 1)
    except NoCredentialsError as error:
        raise Fatal(
            f"{name}: there are no credentials for S3. Give this account a role, or a file ~/.aws/credentials."
        ) from error
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500 or status == 429:
            raise Retriable(f"{name} answered {status}.") from error
        raise Fatal(
            f"{name} refused to be read with {status}. This takes s3:ListBucketVersions and s3:GetObjectVersion."
        ) from error
    except HTTPClientError as error:
        raise Retriable(f"{name} did not answer: {type(error).__name__}.") from error
    except BotoCoreError as error:
        raise Fatal(f"{name} cannot be read: {type(error).__name__}.") from error


def _by_key(pages: Iterator[dict[str, list[dict[str, object]]]]) -> Iterator[_Version]:
    """Every version and delete marker, by key: within a page the two are listed apart, and a key may span pages."""
    left: list[_Version] = []
    for page in pages:
        for kind in ("Versions", "DeleteMarkers"):
            for each in page.get(kind, []):
                at = each["LastModified"]
                if isinstance(at, datetime):
                    left.append(_Version(str(each["Key"]), str(each["VersionId"]), at, kind != "Versions"))
        left.sort(key=lambda each: each.key)
        last = left[-1].key if left else ""
        yield from (each for each in left if each.key != last)
        left = [each for each in left if each.key == last]
    yield from left


def _read(where: str, body: bytes) -> SignedCheckpoint:
    try:
        return read_checkpoint(body.decode())
    except (Fatal, UnicodeDecodeError) as error:
        raise Fatal(f"{where} holds no checkpoint: {error} Nothing but checkpoints may be below the prefix.") from error
