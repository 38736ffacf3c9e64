"""Stand-in of ePUAP's pull service: the queue of an inbox, SOAP 1.1 with a WS-Security X.509 signature.

Wire: the WSDL "pull" 1.2 and its policy (token before signature, timestamp, body signed, RSA and SHA-256); checked for
real. A document stays until it is confirmed by the SHA-1 of its content; after the last of the queue the first comes
again. SANDBOX_EPUAP_QUEUE=head: the first comes until it is confirmed.
"""

import base64
import hashlib
import os
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.stand_in import StandIn
from sandbox.wire.soap import SOAP_11, Refused, answered, arguments, called, element, envelope_in, fault
from sandbox.wire.ws_security import check_signature
from sandbox.world import Book, Entry, World

PATH = "/pk_external_ws/services/pull"
INBOX = {"podmiot": "jednorodny", "nazwaSkrytki": "domyslna", "adresSkrytki": "/jednorodny/domyslna"}
_OBJECTS = "http://wsdl.epuap.gov.pl/obiekty/"
_KEYS = Path(__file__).parent / "keys"
CERTIFICATE = (_KEYS / "epuap.crt.pem").read_text()
_SUBJECTS = (
    "Wezwanie do uzupełnienia wniosku", "Zawiadomienie o wszczęciu postępowania", "Decyzja w sprawie pozwolenia",
    "Odpowiedź na pismo", "Zaświadczenie o niezaleganiu", "Informacja o terminie kontroli",
)  # fmt: skip


def content(number: int) -> bytes:
    """Document `number`, byte for byte: it never changes."""
    subject = _SUBJECTS[number % len(_SUBJECTS)]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Dokument xmlns="http://crd.gov.pl/wzor/2013/12/12/1410/"><OpisDokumentu><Identyfikator>'
        f"EP-{number:06d}</Identyfikator></OpisDokumentu><TrescDokumentu>{subject}: sprawa nr {number + 1}."
        "</TrescDokumentu></Dokument>"
    ).encode()


def digest(number: int) -> str:
    """What the document is confirmed by."""
    return base64.b64encode(hashlib.sha1(content(number), usedforsecurity=False).digest()).decode()


DOCUMENTS = Book(
    "epuap", "document", size=lambda companies: max(60, companies // 20), key=digest, changes=False, deletes=False,
    broken=("sender_missing", "kind_unknown"),
)  # fmt: skip


class Queue:
    """What waits in the inbox: who has been told of what is forgotten when the world is built anew."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._epoch = world.epoch
        self._confirmed: set[str] = set()
        self._turn = 0

    def waiting(self) -> list[Entry]:
        if self._epoch != self._world.epoch:
            self._epoch, self._confirmed, self._turn = self._world.epoch, set(), 0
        return [entry for entry in self._world.shelf("epuap.document").entries if entry.key not in self._confirmed]

    def next(self) -> Entry | None:
        """The document whose turn it is."""
        waiting = self.waiting()
        if not waiting:
            return None
        if os.environ.get("SANDBOX_EPUAP_QUEUE") == "head":
            return waiting[0]
        following = next((entry for entry in waiting if entry.number >= self._turn), waiting[0])
        self._turn = following.number + 1
        return following

    def confirm(self, key: str) -> bool:
        """Let the document go; False when there is none with this digest, or it has gone already."""
        known = any(entry.key == key for entry in self.waiting())
        self._confirmed.add(key)
        return known


def routes(world: World) -> list[Route]:
    """The service's one address, below /epuap."""
    queue = Queue(world)

    async def answer(request: Request) -> Response:
        try:
            envelope = envelope_in(await request.body(), SOAP_11)
            call = called(envelope)
            asked = arguments(call)
        except Refused as refused:
            return fault(str(refused), SOAP_11)
        try:
            check_signature(envelope, CERTIFICATE)
        except Refused as refused:
            return fault(str(refused), SOAP_11, "wsse:FailedCheck")
        if any(asked.get(name) != value for name, value in INBOX.items()):
            return fault("Brak uprawnień do skrytki.", SOAP_11)
        operation = call.tag.removeprefix(f"{{{_OBJECTS}}}ZapytaniePull")
        match operation:
            case "Oczekujace":
                told = _status(1) + element("oczekujace", len(queue.waiting()))
            case "Pobierz":
                entry = queue.next()
                told = _document(world, entry) if entry else _status(0, "Brak dokumentów")
            case "Potwierdz":
                told = _status(1) if queue.confirm(asked.get("skrot", "")) else _status(0, "Brak dokumentu")
            case _:
                return fault("Nieznana operacja.", SOAP_11)
        return answered(
            f'<o:OdpowiedzPull{operation} xmlns:o="{_OBJECTS}">{told}</o:OdpowiedzPull{operation}>', SOAP_11
        )

    return [Route(PATH, answer, methods=["POST"])]


def _status(code: int, text: str = "OK") -> str:
    return f"<status>{element('kod', code)}{element('komunikat', text)}</status>"


def _document(world: World, entry: Entry) -> str:
    sender = world.companies[entry.number * 7 % world.base_size]
    kind = "X" if entry.broken == "kind_unknown" else "P"
    who = (
        ("identyfikator", "" if entry.broken == "sender_missing" else f"podmiot{sender.id}"), ("typOsoby", kind),
        ("nazwiskoNazwa", sender.name), ("nip", sender.nip), ("regon", sender.regon), ("zgoda", "true"),
    )  # fmt: skip
    file = (
        ("nazwaPliku", f"pismo_{entry.number:06d}.xml"), ("typPliku", "text/xml"),
        ("zawartosc", base64.b64encode(content(entry.number)).decode()),
    )  # fmt: skip
    return (
        _status(1)
        + f"<danePodmiotu>{''.join(element(*each) for each in who)}</danePodmiotu>"
        + f"<daneNadawcy>{element('uzytkownik', f'urzednik{sender.id % 40}')}</daneNadawcy>"
        + element("dataNadania", f"{entry.created:%Y-%m-%dT%H:%M:%S.000Z}")
        + element("nazwaSkrytki", INBOX["nazwaSkrytki"])
        + element("adresSkrytki", INBOX["adresSkrytki"])
        + element("adresOdpowiedzi", f"/podmiot{sender.id}/skrytka")
        + element("czyTestowe", "false")
        + element("daneDodatkowe", base64.b64encode(b"<Dane/>").decode())
        + f"<dokument>{''.join(element(*each) for each in file)}</dokument>"
    )


STAND_IN = StandIn(
    "epuap",
    routes,
    extra={
        "private_key": (_KEYS / "epuap.key.pem").read_text(),
        "certificate": CERTIFICATE,
        "podmiot": INBOX["podmiot"],
        "nazwa_skrytki": INBOX["nazwaSkrytki"],
        "adres_skrytki": INBOX["adresSkrytki"],
    },
    books=(DOCUMENTS,),
)
