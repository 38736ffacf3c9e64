"""A bucket of an S3-compatible store, below a prefix: what a delivery puts there, and what it reads again.

botocore signs, finds credentials as all of Amazon's tools do, and tries again. A conditional PUT (If-Match,
If-None-Match; "Conditional writes", Amazon S3 User Guide) replaces an object only if it is still what was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint

_SECONDS, _ATTEMPTS = 60, 4
PART = 64 << 20
"""Bytes of a file that are sent at once; a longer file is sent in parts of that many."""
_RIGHTS = "s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload in it, and s3:ListBucket"


class Bucket:
    """`name` is what messages call the target. The connection's host is s3://bucket/prefix; its extra has the region,
    and the endpoint_url of a store that is not Amazon's. Without login and password botocore looks for credentials
    where all of Amazon's tools do."""

    def __init__(self, name: str, endpoint: Endpoint) -> None:
        parts = urlsplit(endpoint.url)
        if parts.scheme != "s3" or not parts.netloc:
            raise Fatal(f"{name}: {endpoint.url!r} is no bucket. It has to look like s3://bucket/prefix.")
        self.name, self._bucket = name, parts.netloc
        folder = parts.path.strip("/")
        self._prefix = f"{folder}/" if folder else ""
        self.place = f"s3://{self._bucket}/{self._prefix}".rstrip("/")
        self._endpoint = endpoint
        self._made: Any = None

    def read(self, key: str) -> tuple[bytes, str] | None:
        """An object's content and its ETag; None where there is none."""
        with self._errors():
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            except self._client.exceptions.NoSuchKey:
                return None
            return found["Body"].read(), str(found["ETag"])

    def download(self, key: str, path: Path) -> None:
        """An object into a file."""
        with self._errors(), path.open("wb") as file:
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            for some in found["Body"].iter_chunks(1 << 20):
                file.write(some)

    def upload(self, path: Path, key: str) -> None:
        """A file into an object, which appears whole."""
        with self._errors(), path.open("rb") as file:
            if path.stat().st_size <= PART:
                self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=file.read())
                return
            where = {"Bucket": self._bucket, "Key": self._prefix + key}
            upload = where | {"UploadId": self._client.create_multipart_upload(**where)["UploadId"]}
            try:
                parts: list[dict[str, object]] = []
                while some := file.read(PART):
                    number = len(parts) + 1
                    sent = self._client.upload_part(**upload, PartNumber=number, Body=some)
                    parts.append({"PartNumber": number, "ETag": sent["ETag"]})
                self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
            except BaseException:
                self._client.abort_multipart_upload(**upload)
                raise

    def write(self, key: str, content: bytes) -> None:
        """Replace an object, whatever it is."""
        with self._errors():
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=content)

    def replace(self, key: str, content: bytes, tag: str | None) -> bool:
        """Replace an object if it still has this ETag, or make it if there was none; returns whether it is so now."""
        condition = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}
        with self._errors():
            try:
                self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=content, **condition)
            except self._client.exceptions.ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (404, 409, 412):
                    raise
                found = self.read(key)  # an answer that got lost: it was sent again, and it was ours that it met
                return found is not None and found[0] == content
        return True

    def listed(self) -> Iterator[str]:
        """The key of every object."""
        with self._errors():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
            for page in pages:
                for each in page.get("Contents", []):
                    yield str(each["Key"]).removeprefix(self._prefix)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, where they are there."""
        with self._errors():
            for key in keys:
                self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    @property
    def _client(self) -> Any:
        """The client, made when it is first needed: that takes half a second."""
        if self._made is None:
            import botocore.session
            from botocore.config import Config

            extra = self._endpoint.extra or {}
            at = extra.get("endpoint_url") or None
            self._made = botocore.session.get_session().create_client(
                "s3",
                region_name=extra.get("region", "us-east-1"),
                endpoint_url=at,
                aws_access_key_id=self._endpoint.login or None,
                aws_secret_access_key=self._endpoint.password or None,
                config=Config(
                    connect_timeout=10,
                    read_timeout=_SECONDS,
                    retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
                    s3={"addressing_style": "path" if at else "virtual"},
                ),
            )
        return self._made

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        try:
            yield
        except NoCredentialsError as error:
            raise Fatal(
                f"{self.name}: there are no credentials for {self.place}. Write an access key and its secret into the "
                "Airflow connection, or give this account a role."
            ) from error
        except ClientError as error:
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            code = error.response.get("Error", {}).get("Code", "")
            if status >= 500 or status == 429:
                raise Retriable(
                    f"{self.name}: {self.place} answered {status} {code}; the next attempt begins again."
                ) from error
            raise Fatal(
                f"{self.name}: {self.place} refused with {status} {code}. Readers see the publish before. See that the "
                f"bucket is there, and that who signs in has {_RIGHTS}."
            ) from error
        except BotoCoreError as error:
            raise Retriable(
                f"{self.name}: {self.place} cannot be reached ({type(error).__name__}). Readers see the publish "
                "before. See whether its endpoint_url and region are right; the next attempt begins again."
            ) from error
