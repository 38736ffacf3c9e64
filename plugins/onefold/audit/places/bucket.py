"""A bucket with object lock of an S3-compatible store: nobody can delete a checkpoint before its time.

botocore signs, finds credentials as all of Amazon's tools do (a role, a file), and sends. Object lock in compliance
mode binds the bucket's owner too ("Locking objects with Object Lock", Amazon S3 User Guide).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from onefold.audit.anchor import Anchor
from onefold.audit.checkpoint import read_checkpoint
from onefold.audit.places.bucket_versions import Kept, oldest_versions
from onefold.errors import Fatal, Retriable

_SECONDS = 10
_THERE_ALREADY = 412
_CODE = re.compile(rb"<Code>(\w{1,60})</Code>", re.ASCII)


@dataclass(frozen=True)
class LockedBucket:
    """One bucket below a prefix; its objects are locked for `days`."""

    name: str
    bucket: str
    prefix: str
    days: int
    region: str
    endpoint: str | None
    seconds_between: int = 900

    def send(self, newest: Anchor, path: Path) -> None:
        """Put the newest checkpoint. Raises Fatal when the store refuses it, Retriable when it does not answer."""
        import botocore.session  # takes a tenth of a second to import
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import HTTPClientError
        from botocore.httpsession import URLLib3Session

        credentials = botocore.session.get_session().get_credentials()
        if credentials is None:
            raise Fatal(
                f"{self.name}: there are no credentials for S3. Give this account a role, or a file ~/.aws/credentials."
            )
        body = newest.checkpoint.encode()
        until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=self.days)
        request = AWSRequest(
            "PUT",
            self._url(newest),
            headers={
                "Content-Type": "text/plain; charset=utf-8",
                "If-None-Match": "*",
                "x-amz-sdk-checksum-algorithm": "SHA256",
                "x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
                "x-amz-object-lock-mode": "COMPLIANCE",
                "x-amz-object-lock-retain-until-date": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
            data=body,
        )
        S3SigV4Auth(credentials, "s3", self.region).add_auth(request)
        try:
            answer = URLLib3Session(timeout=_SECONDS).send(request.prepare())
        except HTTPClientError as error:
            raise Retriable(f"{self.name} did not answer: {type(error).__name__}.") from error
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Retriable(f"{self.name} answered {answer.status_code}.")
        if not 200 <= answer.status_code < 300 and answer.status_code != _THERE_ALREADY:
            code = _CODE.search(answer.content)
            why = f"{answer.status_code} {code[1].decode() if code else ''}".strip()
            raise Fatal(
                f"{self.name} refused a checkpoint with {why}. The bucket must have object lock, and "
                "this account s3:PutObject and s3:PutObjectRetention in it."
            )

    def read(self) -> Iterator[Kept]:
        """The oldest version of each checkpoint that is there. Raises as oldest_versions()."""
        return oldest_versions(self.name, self.bucket, self.prefix, self.region, self.endpoint)

    def _url(self, newest: Anchor) -> str:
        base = f"{self.endpoint.rstrip('/')}/{self.bucket}" if self.endpoint else _amazon(self.bucket, self.region)
        checkpoint = read_checkpoint(newest.checkpoint).checkpoint
        key = f"{self.prefix}/{checkpoint.origin}/{checkpoint.size:012}.checkpoint".lstrip("/")
        return f"{base}/{quote(key, safe='/-_.~')}"


def _amazon(bucket: str, region: str) -> str:
    return f"https://{bucket}.s3.{region}.amazonaws.com"
