"""An export: asked for, waited for, fetched part by part, decrypted to disk, and read invoice by invoice.

The parts of a package are the pieces of one zip file, each encrypted by itself (AES-256-CBC, PKCS#7) under a key that
is made for this one export and never leaves the process. Nothing of a package is in memory but what is being read:
its list of invoices (at most 10,000) and one invoice.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from onefold.catalog.request import Request
from onefold.connectors.archive import DAMAGED, Overfull, open_archive
from onefold.connectors.lenient_json import raw_elements
from onefold.connectors.window import BEGINNING
from onefold.errors import Fatal, Retriable
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client
from onefold.http.failure import Refused
from onefold.http.spool import Spool, chunks
from onefold.systems.ksef.moment import moment
from onefold.systems.ksef.session import DONE, IN_PROGRESS, Session, Status, until_done

PATIENCE = 30 * 60.0  # seconds
NOTHING_YET = 420  # the span begins after the high-water mark
MOST_INVOICES = 10_000
LARGEST_PACKAGE = 2 * 1024**3
LARGEST_LIST = 64 * 1024**2
LARGEST_INVOICE = 8 * 1024**2
"""More than twice what KSeF takes in (3 MB with an attachment): a larger one is no invoice."""

_LIST = "_metadata.json"
_BLOCK = 128  # bits


class _Part(msgspec.Struct):
    ordinalNumber: int
    url: str
    partHash: str
    encryptedPartHash: str


class _Package(msgspec.Struct):
    size: int
    parts: list[_Part]
    isTruncated: bool
    permanentStorageHwmDate: str | None = None


class _Begun(msgspec.Struct):
    referenceNumber: str


class _Export(msgspec.Struct):
    status: Status
    package: _Package | None = None


class _List(msgspec.Struct):
    invoices: list[msgspec.Raw]


@dataclass(frozen=True, slots=True)
class Exported:
    """One invoice of a package: what KSeF says of it (JSON), and itself as soon as it is asked for.

    `content` raises BadBody when the invoice is not there, damaged, or too large to be one. `odd` is what stands in the
    package's list instead of an object that says what it is.
    """

    metadata: dict[str, msgspec.Raw]
    content: Callable[[], bytes]
    odd: bytes | None = None

    def says(self, name: str) -> str | None:
        """A text of the metadata; None when it is missing or no text."""
        value = msgspec.json.decode(self.metadata[name]) if name in self.metadata else None
        return value if isinstance(value, str) else None

    @property
    def stored(self) -> datetime | None:
        """When it was stored for good; None when that cannot be read."""
        return _stored(self.says("permanentStorageDate"))


@dataclass(frozen=True, slots=True)
class Package:
    """What an export gave, in the order of permanent storage. `is_truncated`: there is more in its span.

    `complete_to` is the high-water mark: what was stored up to then is all there.
    """

    archive: Spool | None
    is_truncated: bool
    complete_to: datetime | None

    def invoices(self, named: str) -> Iterator[Exported]:
        """Every invoice. Raises Retriable when the zip file is not sound, Fatal when it is a trap."""
        if self.archive is None:
            return
        try:
            with open_archive(self.archive, MOST_INVOICES + 1) as archive:
                files = {info.filename: info for info in archive.infolist()}
                listed = files.get(_LIST)
                if listed is None or len(files) > MOST_INVOICES + 1 or listed.file_size > LARGEST_LIST:
                    raise Fatal(
                        f"{named}: a package without {_LIST}, or with far more in it than KSeF packs. It was not "
                        "unpacked. Report it to the ministry; nothing was changed here."
                    )
                for raw in sorted(_entries(archive.read(listed)), key=_order):
                    exported = _listed(raw)
                    content = partial(_content, archive, files.get(f"{exported.says('ksefNumber')}.xml"))
                    yield replace(exported, content=content)
        except Overfull as error:
            raise Fatal(f"{named}: a package that is not unpacked: {error}. Report it to the ministry.") from error
        except (*DAMAGED, ValueError) as error:  # msgspec.DecodeError is one
            raise Retriable(
                f"{named}: a package whose zip file or list of invoices is not sound ({type(error).__name__}). Run it "
                "again: KSeF makes another one. Nothing was changed."
            ) from error


class _Date(msgspec.Struct):
    permanentStorageDate: str | None = None


_date = msgspec.json.Decoder(_Date)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _stored(text: str | None) -> datetime | None:
    try:
        return moment(text or "")
    except ValueError:
        return None


def _order(raw: msgspec.Raw) -> datetime:
    try:
        return _stored(_date.decode(raw).permanentStorageDate) or BEGINNING
    except (msgspec.ValidationError, RecursionError):  # a date that is no text: that invoice's own fault
        return BEGINNING


def _entries(body: bytes) -> list[msgspec.Raw]:
    """What the package's list names. Raises msgspec.DecodeError when it is no list, ValueError when it is cut off."""
    try:
        return msgspec.json.decode(body, type=_List).invoices
    except RecursionError:  # brackets within each other in one entry: the others are cut out of the text
        return [msgspec.Raw(each.encode()) for each in raw_elements(body.decode(), ("invoices",)) or ()]


def _listed(raw: msgspec.Raw) -> Exported:
    try:
        return Exported(_object.decode(raw), bytes)
    except (msgspec.DecodeError, RecursionError):
        return Exported({}, bytes, bytes(raw))


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo | None) -> bytes:
    if info is None:
        raise BadBody("not in the package")
    if info.file_size > LARGEST_INVOICE:
        raise BadBody(f"larger than {LARGEST_INVOICE >> 20} MiB, so no invoice: not unpacked")
    try:
        return archive.read(info)
    except DAMAGED:
        raise BadBody("damaged in the package") from None


@contextmanager
def exported(
    named: str, request: Request, since: datetime, until: datetime, session: Session, http: Client
) -> Iterator[Package]:
    """The package of what was stored from `since` on, up to `until` and to the high-water mark.

    `request.params` are the filters. Raises Retriable when KSeF does not get it ready, Fatal when it cannot.
    """
    key, vector = os.urandom(32), os.urandom(16)
    wrapped = session.encrypted(key, "SymmetricKeyEncryption")
    span = {
        "dateType": "PermanentStorage",
        "from": since.isoformat(),
        "to": until.isoformat(),
        "restrictToPermanentStorageHwmDate": True,
    }
    body = {
        "encryption": {
            "encryptedSymmetricKey": wrapped.pop("encrypted"),
            "initializationVector": b64encode(vector).decode(),
            **wrapped,
        },
        "filters": {**request.params, "dateRange": span},
    }
    number = session.send(request.method, request.path, _Begun, body).referenceNumber
    made = _made(named, f"{request.path}/{number}", session, http)
    if made is None:
        yield Package(None, is_truncated=False, complete_to=since)
        return
    with Spool() as archive:
        for part in sorted(made.parts, key=lambda part: part.ordinalNumber):
            start = archive.tell()
            parse = partial(_decrypted, into=archive, start=start, part=part, key=key, vector=vector)
            try:
                http.send("GET", part.url, parse=parse)
            except Refused as error:
                raise Retriable(
                    f"{named}: part {part.ordinalNumber} of the package {number} cannot be fetched (status "
                    f"{error.status}); its link is good for a short time only. Run it again. Nothing was changed."
                ) from error
        mark = made.permanentStorageHwmDate
        yield Package(archive.rewound() if made.parts else None, made.isTruncated, moment(mark) if mark else None)


def _made(named: str, path: str, session: Session, http: Client) -> _Package | None:
    """The package, when it is ready; None when the span begins after the high-water mark."""

    def ready() -> _Export | None:
        export = session.send("GET", path, _Export)
        return None if export.status.code == IN_PROGRESS else export

    export = until_done(ready, http, PATIENCE)
    if export is not None and export.status.code == NOTHING_YET:
        return None
    if export is None or export.status.code != DONE or export.package is None:
        said = "is still in the making" if export is None else f"ended with status {export.status.code}"
        raise Retriable(f"{named}: the export {path.rpartition('/')[2]} {said}. Run it later; nothing was changed.")
    if export.package.size > LARGEST_PACKAGE:
        raise Fatal(
            f"{named}: a package of {export.package.size >> 20} MiB, where KSeF packs 1 GiB at most. It was not "
            "fetched. Report it to the ministry."
        )
    return export.package


def _decrypted(response: Response, *, into: Spool, start: int, part: _Part, key: bytes, vector: bytes) -> None:
    """Append a part to the zip file. Raises BadBody, and appends nothing, when it is not what was announced."""
    response.file.seek(0)
    received = hashlib.sha256()
    for chunk in chunks(response.file):
        received.update(chunk)
    if received.digest() != b64decode(part.encryptedPartHash):
        raise BadBody("a part of a package with another hash than announced")
    response.file.seek(0)
    into.seek(start)
    into.truncate()
    opened = hashlib.sha256()
    decryptor, unpadder = Cipher(AES256(key), CBC(vector)).decryptor(), PKCS7(_BLOCK).unpadder()
    try:
        for chunk in chunks(response.file):
            content = unpadder.update(decryptor.update(chunk))
            opened.update(content)
            into.write(content)
        content = unpadder.update(decryptor.finalize()) + unpadder.finalize()
    except ValueError as error:
        raise BadBody("a part of a package that our key does not open") from error
    opened.update(content)
    into.write(content)
    if opened.digest() != b64decode(part.partHash):
        raise BadBody("a part of a package that is not what was encrypted")
