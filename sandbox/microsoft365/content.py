"""What a Microsoft 365 tenant holds: people, their calendars, mail and documents, as Graph shows them.

Two of three people have a mailbox and a drive, and those are never removed from the directory: what is in a mailbox
would go with it. Who owns a thing follows from the thing's number alone, whatever the size of the world.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from zlib import crc32

from sandbox.world import Book
from sandbox.world.book import HALF_A_CHARACTER
from sandbox.world.business import OUR_NAME, Person, people, person
from sandbox.world.company import make_company

Json = dict[str, object]

TOPICS = ("Przegląd oferty", "Status zamówienia", "Reklamacja", "Plan dostaw", "Negocjacje cen", "Szkolenie")
FILES = (("Oferta", "docx"), ("Cennik", "xlsx"), ("Umowa", "pdf"), ("Protokół", "docx"), ("Zestawienie", "xlsx"))
MIME = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
PER_OWNER = {"calendar_event": 6, "message": 9, "document": 6}
"""How many things of a kind there are for each who can own some; the first owners have more."""


def user_id(number: int) -> str:
    return str(uuid.UUID(int=Random(f"microsoft365:user:{number}").getrandbits(128), version=4))


def owner(stream: str, number: int) -> int:
    """The number of the person whose thing `number` is."""
    group = number // PER_OWNER[stream]
    rank = group - (1 << group.bit_length() - 1) if group else 0
    return rank // 2 * 3 + rank % 2


def item_id(stream: str, number: int) -> str:
    """Outlook's ids are long and case matters; a drive's are short and in capitals."""
    digest = hashlib.sha256(f"microsoft365:{stream}:{number}".encode()).digest()
    if stream == "document":
        return f"01{base64.b32encode(digest).decode()[:32]}"
    return f"AAMkAGI2TGu{base64.urlsafe_b64encode(digest * 2).decode()[:84]}="


def drive_id(number: int) -> str:
    digest = hashlib.sha256(f"microsoft365:drive:{number}".encode()).digest()
    return f"b!{base64.urlsafe_b64encode(digest * 2).decode()[:64]}"


def stamp(at: datetime) -> str:
    """As Graph writes a moment: seven fractional digits and Z."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}0Z"


def _size(stream: str, companies: int) -> int:
    return people(companies) * 2 // 3 * PER_OWNER[stream]


def is_series(number: int) -> bool:
    """Whether the event with this number is a series; the three after it, which have the same owner, occur in it."""
    return number % PER_OWNER["calendar_event"] == 0 and crc32(f"series {number}".encode()) % 3 == 0


def comes_in_part(message: str) -> bool:
    """Whether of a message that was marked as read, or as unread, only that is sent."""
    return crc32(message.encode()) % 2 == 1


def _things(
    stream: str,
    broken: tuple[str, ...],
    stays: Callable[[int], bool] = lambda number: False,
    odd: Mapping[str, float] | None = None,
) -> Book:
    return Book(
        "microsoft365",
        stream,
        size=lambda companies: _size(stream, companies),
        key=lambda number: (user_id(owner(stream, number)), item_id(stream, number)),
        broken=broken,
        odd=odd or {},
        hides_deleted=True,
        stays=stays,
    )


BOOKS = (
    Book(
        "microsoft365",
        "user",
        size=people,
        key=user_id,
        broken=("mail_malformed", "display_name_missing"),
        hides_deleted=True,
        stays=lambda number: number % 3 != 2,
    ),
    _things("calendar_event", ("ends_before_it_starts", "organizer_missing"), stays=is_series),
    _things("message", ("received_impossible", "sender_missing"), odd={HALF_A_CHARACTER: 0.01}),
    _things("document", ("size_negative", "name_missing")),
)


def shown(
    stream: str,
    seed: int,
    number: int,
    companies: int,
    created: datetime,
    state: tuple[datetime, int],
    broken: str | None,
) -> Json:
    """The thing as Graph shows it; `state` is when it was last modified, and its revision."""
    modified, revision = state
    if stream == "user":
        return _user(person(seed, number, revision), created, broken)
    rng = Random(f"{seed}:microsoft365.{stream}:{number}")
    whose = person(seed, owner(stream, number))
    head: Json = {"id": item_id(stream, number)}
    if stream == "message" and comes_in_part(str(head["id"])):
        modified = created  # to be read or marked does not change a message
    stamps = {"createdDateTime": stamp(created), "lastModifiedDateTime": stamp(modified)}
    match stream:
        case "calendar_event":
            event = head | stamps | _event(rng, seed, whose, companies, created, revision, broken)
            return event | {"type": "seriesMaster"} if is_series(number) else event
        case "message":
            return head | stamps | _message(rng, seed, whose, companies, created, revision, broken)
        case _:
            return head | stamps | _document(rng, whose, number, revision, broken)


def mail_of(who: Person) -> str | None:
    """Somebody's address. Of those without a mailbox every fifth has no address either."""
    return None if who.number % 15 == 2 else who.email


def _user(who: Person, created: datetime, broken: str | None) -> Json:
    """Properties that were never set are left out, as a delta query does; businessPhones may be null."""
    name = f"{who.first_name} {who.last_name}"
    user: Json = {
        "id": user_id(who.number),
        "displayName": "" if broken == "display_name_missing" else name,
        "givenName": who.first_name,
        "surname": who.last_name,
        "mail": who.email.replace("@", " ") if broken == "mail_malformed" else mail_of(who),
        "userPrincipalName": who.email,
        "accountEnabled": who.left is None,
        "userType": "Member",
        "jobTitle": who.job,
        "department": who.department,
        "companyName": OUR_NAME,
        "mobilePhone": who.phone,
        "businessPhones": None if who.number % 5 == 4 else [] if who.number % 5 == 3 else [f"+4822555{who.number:04d}"],
        "createdDateTime": f"{created:%Y-%m-%dT%H:%M:%SZ}",
    }
    if who.number % 4:
        user["officeLocation"] = f"Warszawa, piętro {who.number % 7}"
    return user


def _address(name: str, address: str) -> Json:
    return {"emailAddress": {"name": name, "address": address}}


def _colleague(rng: Random, seed: int, companies: int) -> Json:
    other = person(seed, rng.randrange(people(companies)))
    return _address(f"{other.first_name} {other.last_name}", other.email)


def _customer(rng: Random, seed: int, companies: int) -> tuple[Json, str]:
    company = make_company(seed, rng.randrange(companies))
    return _address(company.name, company.email), company.name


def _event(
    rng: Random, seed: int, whose: Person, companies: int, created: datetime, revision: int, broken: str | None
) -> Json:
    customer, name = _customer(rng, seed, companies)
    starts = created.replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(
        days=rng.randrange(1, 40), hours=(rng.randrange(8) + revision) % 9
    )
    ends = starts + timedelta(minutes=rng.choice((30, 60, 90)))
    if broken == "ends_before_it_starts":
        ends = starts - timedelta(hours=1)
    moments = [{"dateTime": f"{at:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"} for at in (starts, ends)]
    attendees = [customer, _colleague(rng, seed, companies)]
    return {
        "iCalUId": f"040000008200E00074C5B7101A82E008{rng.getrandbits(64):016X}",
        "subject": f"{rng.choice(TOPICS)}: {name}",
        "importance": "normal",
        "sensitivity": "normal",
        "type": "singleInstance",
        "showAs": "busy",
        "isAllDay": False,
        "isCancelled": False,
        "isOnlineMeeting": rng.random() < 0.6,
        "hasAttachments": False,
        "start": moments[0],
        "end": moments[1],
        "location": {"displayName": rng.choice(("Sala 1", "Sala 2", "Teams"))},
        "organizer": None
        if broken == "organizer_missing"
        else _address(f"{whose.first_name} {whose.last_name}", whose.email),
        "attendees": [{**each, "type": "required", "status": {"response": "none"}} for each in attendees],
    }


def _message(
    rng: Random, seed: int, whose: Person, companies: int, created: datetime, revision: int, broken: str | None
) -> Json:
    customer, name = _customer(rng, seed, companies)
    sender = customer if rng.random() < 0.7 else _colleague(rng, seed, companies)
    cut = " \ud83d" if broken == HALF_A_CHARACTER else ""  # the client cut an emoji in two
    received = "2026-13-45T99:00:00Z" if broken == "received_impossible" else f"{created:%Y-%m-%dT%H:%M:%SZ}"
    return {
        "receivedDateTime": received,
        "sentDateTime": f"{created - timedelta(seconds=3):%Y-%m-%dT%H:%M:%SZ}",
        "hasAttachments": rng.random() < 0.2,
        "internetMessageId": f"<{rng.getrandbits(64):016x}@mail.example.pl>",
        "subject": f"{rng.choice(TOPICS)}: {name}{cut}",
        "importance": rng.choice(("normal", "normal", "high")),
        "conversationId": base64.urlsafe_b64encode(rng.randbytes(24)).decode(),
        "parentFolderId": base64.urlsafe_b64encode(f"inbox {whose.number}".encode()).decode(),
        "isRead": revision % 2 == 0,
        "isDraft": False,
        "from": None if broken == "sender_missing" else sender,
        "sender": None if broken == "sender_missing" else sender,
        "toRecipients": [_address(f"{whose.first_name} {whose.last_name}", whose.email)],
        "ccRecipients": [_colleague(rng, seed, companies)] if rng.random() < 0.3 else [],
    }


def _document(rng: Random, whose: Person, number: int, revision: int, broken: str | None) -> Json:
    title, ending = rng.choice(FILES)
    name = f"{title} {number + 1}.{ending}"
    by = {
        "user": {
            "id": user_id(whose.number),
            "email": whose.email,
            "displayName": f"{whose.first_name} {whose.last_name}",
        }
    }
    return {
        "name": "" if broken == "name_missing" else name,
        "size": -1 if broken == "size_negative" else rng.randrange(2_000, 4_000_000) + revision,
        "webUrl": f"https://jednorodny-my.sharepoint.example.pl/personal/{whose.login}/Documents/{number}.{ending}",
        "createdBy": by,
        "lastModifiedBy": by,
        "parentReference": {"driveId": drive_id(whose.number), "driveType": "business", "path": "/drive/root:"},
        "file": {"mimeType": MIME[ending], "hashes": {"quickXorHash": base64.b64encode(rng.randbytes(20)).decode()}},
    }
