"""Which store of files a connection leads to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Unpack
from urllib.parse import unquote, urlsplit

from onefold.catalog.system import System
from onefold.connectors.files.store import Folder, Store
from onefold.errors import Fatal
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings


def open_store(
    system: System, endpoint: Endpoint, on_attempt: Callable[[Attempt], None], **settings: Unpack[AttemptSettings]
) -> Store:
    """The store that the connection's host names. Raises Fatal when it names none."""
    parts = urlsplit(endpoint.url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.startswith("/"):
        return Folder(Path(unquote(parts.path)), system.connection)
    if parts.scheme == "s3" and parts.netloc:
        from onefold.connectors.files.bucket import Bucket  # botocore takes a tenth of a second to import

        return Bucket(system, endpoint, on_attempt, **settings)
    if parts.scheme == "sftp" and parts.hostname:
        from onefold.connectors.files.sftp import Sftp

        return Sftp(system, endpoint, on_attempt, **settings)
    if parts.scheme in ("http", "https") and parts.netloc:
        from onefold.connectors.files.webdav import WebDav

        return WebDav(system, endpoint, on_attempt, **settings)
    raise Fatal(
        f"{system.system}: the Airflow connection {system.connection!r} names no place of files. Its host must look "
        "like file:///absolute/folder, s3://bucket/prefix, sftp://server/folder, or https://server/dav/folder (WebDAV)."
    )
