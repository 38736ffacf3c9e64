"""Stand-in of the Polish register of beneficial owners (CRBR): SOAP 1.2, one operation, three statuses.

Wire: the Ministry of Finance's WSDL ApiPrzegladoweCRBR of 2022-12-01. A company is asked for by KRS or NIP. Sole
traders are not in the register. Shares are xsd:double, written as the real one does ("2.5E+1").
"""

import random
import re
import secrets
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.stand_in import StandIn
from sandbox.wire.soap import SOAP_12, Refused, answered, arguments, called, element, envelope_in, fault
from sandbox.world import Book, Company, Parts, World, identifiers
from sandbox.world.business import person
from sandbox.world.company import make_company
from sandbox.world.legal_form import LEGAL_FORMS
from sandbox.world.share import share

PATH = "/uslugiBiznesowe/uslugiESB/AP/ApiPrzegladoweCRBR/2022/12/01"
OPERATION = "PobierzInformacjeOSpolkachIBeneficjentach"
_SERVICE = f"http://www.mf.gov.pl{PATH}"
_TYPES = "http://www.mf.gov.pl/schematy/AP/ApiPrzegladoweCRBR/2022/12/01"
UNUSUAL_SHARE = 0.10
_FIRST_OWNER = 1_000_000  # persons from here on own companies, those before work for us
_ABROAD = (("DE", "NIEMCY"), ("CZ", "CZECHY"), ("UA", "UKRAINA"), ("FR", "FRANCJA"), ("SK", "SŁOWACJA"))
_POLAND = ("PL", "POLSKA")
_CITIZENSHIPS = (
    *_ABROAD, ("MD", "MOŁDAWIA"), ("IL", "IZRAEL"), ("SG", "SINGAPUR"), ("US", "STANY ZJEDNOCZONE AMERYKI"), _POLAND,
)  # fmt: skip
_OF_GROUP = "InformacjeOUprawnieniachPrzyslugujacychBeneficjentowiGrupowemuTrust"


def reference(company: int) -> str:
    """The number of the notification in which the company named its owners."""
    return f"2021/{company % 12 + 1:02d}/{company:07d}"


NOTIFICATIONS = Book(
    "crbr", "notification", size=lambda companies: companies, key=reference, company=lambda number: number,
    exists=lambda seed, number, companies: make_company(seed, number).form != "jdg", hides_deleted=True,
)  # fmt: skip
OWNERS = Parts(
    "crbr", "beneficiary", of=NOTIFICATIONS, company=lambda number: number,
    count=lambda seed, number, companies: random.Random(f"{seed}:owners:{number}").choice((1, 1, 2, 2, 3)),
    key=lambda number, place: (identifiers.krs(number), reference(number), str(place + 1)),
    broken=("surname_missing", "pesel_short", "share_negative"),
)  # fmt: skip


def routes(world: World) -> list[Route]:
    """The register's one address, below /crbr."""

    async def answer(request: Request) -> Response:
        try:
            call = called(envelope_in(await request.body(), SOAP_12))
            if call.tag != f"{{{_SERVICE}}}{OPERATION}":
                raise Refused("The register has no such operation.")
            asked = arguments(call)
        except Refused as refused:
            return fault(str(refused), SOAP_12)
        return answered(_told(world, asked), SOAP_12)

    return [Route(PATH, answer, methods=["POST"])]


def _told(world: World, asked: dict[str, str]) -> str:
    (name, value), *others = [*asked.items(), ("", "")]
    known = {"KRS": world.by_krs, "NIP": world.by_nip}.get(name)
    entry = ""
    if known is None or others[1:] or not re.fullmatch(r"\d{10}", value):
        status = "BladFormalny"
    else:
        company = known.get(value)
        entry = _entry(world, company) if company else ""
        status = "IstniejaInformacje" if entry else "BrakInformacji"
    now = datetime.now().astimezone().isoformat(timespec="milliseconds")
    found = f"<t:ListaInformacjiOSpolkachIBeneficjentach>{entry}</t:ListaInformacjiOSpolkachIBeneficjentach>"
    data = (
        element("t:IdentyfikatorWniosku", secrets.token_hex(8))
        + element("t:DataICzasZlozeniaWniosku", now)
        + element("t:DataICzasUdostepnieniaWniosku", now)
        + (found if entry else "")
        + f"<t:SzczegolyWniosku>{element(f't:{name}', value) if known else ''}</t:SzczegolyWniosku>"
        + element("t:Status", status)
        + element("t:CelZapytania", "BeneficjenciISpolki")
    )
    return (
        f'<s:{OPERATION}Odpowiedz xmlns:s="{_SERVICE}" xmlns:t="{_TYPES}">'
        f"<{OPERATION}OdpowiedzDane>{data}</{OPERATION}OdpowiedzDane></s:{OPERATION}Odpowiedz>"
    )


def _entry(world: World, company: Company) -> str:
    """The company with its owners; "" when it has named none."""
    shelf = world.shelf("crbr.beneficiary")
    owners = ""
    for part in shelf.of_number.get(company.id, ()):
        _, deleted, revision = part.at(world.sequence)
        if not deleted:
            owners += _owner(world.seed, company.id, part.place, revision, part.broken)
    if not owners:
        return ""
    # The first of each: a change of the company itself reaches this register only with its next notification.
    filed = make_company(world.seed, company.id)
    fields = (
        ("Nazwa", filed.name.upper()), ("NIP", filed.nip), ("KRS", filed.krs), ("KodFormyOrganizacyjnej", "117"),
        ("OpisFormyOrganizacyjnej", LEGAL_FORMS[filed.form].full), ("KodPocztowy", filed.postal_code),
        ("Miejscowosc", filed.city.upper()), ("Ulica", filed.street), ("NrDomu", filed.house_no),
        ("NrLokalu", filed.flat_no),
    )  # fmt: skip
    reporter = person(world.seed, _FIRST_OWNER + company.id * 4 + 3)
    return (
        "<t:SpolkaIBeneficjenci>"
        + "".join(element(f"t:{name}", value) for name, value in fields)
        + f"<t:ListaBeneficjentowRzeczywistych>{owners}</t:ListaBeneficjentowRzeczywistych>"
        + f"<t:ListaZglaszajacych><t:Zglaszajacy>{_names(reporter.first_name, reporter.last_name)}"
        + f"{element('t:PESEL', reporter.pesel)}{_country('Obywatelstwo', _POLAND)}"
        + f"{_country('KrajZamieszkania', _POLAND)}</t:Zglaszajacy></t:ListaZglaszajacych>"
        + element("t:DataPoczatkuPrezentacjiZgloszenia", "2021-10-31")
        + element("t:NumerReferencyjny", reference(company.id))
        + "</t:SpolkaIBeneficjenci>"
    )


def _owner(seed: int, company: int, place: int, revision: int, broken: str | None) -> str:
    rng = random.Random(f"{seed}:owner:{company}:{place}")
    kind = "person" if broken else rng.choices(("person", "foreigner", "group"), (84, 11, 5))[0]
    if kind == "group":
        name = element("t:NazwaBeneficjentaGrupowego", f"Akcjonariusze serii {chr(65 + company % 26)}")
        if share("crbr group", f"{company}:{place}") < 0.5:
            name += element(f"t:{_OF_GROUP}", "prawo do dywidendy")
        return f"<t:BeneficjentRzeczywisty>{name}</t:BeneficjentRzeczywisty>"
    who = person(seed, _FIRST_OWNER + company * 4 + place)
    second = who.first_name if rng.random() < 0.3 else None
    percent = 10 + rng.randrange(80) + revision
    text = f"{percent / 10:.1f}E+1" if broken != "share_negative" else "-1.0E+1"
    countries = rng.sample(_ABROAD, rng.randrange(1, 4)) if kind == "foreigner" else [_POLAND]
    if kind == "foreigner" and share("crbr citizenships", f"{company}:{place}") < 0.1:
        countries = list(_CITIZENSHIPS)
    pesel = who.pesel[:-1] if broken == "pesel_short" else who.pesel
    rights = _rights(rng, text)
    if not broken:
        rights = _unusual_rights(f"{company}:{place}", text) or rights
    told = (
        _names(who.first_name, "" if broken == "surname_missing" else who.last_name, second)
        + (element("t:PESEL", pesel) if kind == "person" else element("t:DataUrodzenia", who.born))
        + "".join(_country("Obywatelstwo", country) for country in countries)
        + _country("KrajZamieszkania", countries[0])
        + f"<t:ListaInformacjiOUdzialach>{rights}</t:ListaInformacjiOUdzialach>"
    )
    return f"<t:BeneficjentRzeczywisty>{told}</t:BeneficjentRzeczywisty>"


def _rights(rng: random.Random, share: str) -> str:
    """What the owner owns; some are named for their office as well."""
    none = _coded("RodzajUprzywilejowania", "00", "brak")
    direct = (
        _coded("UprawnieniaWlascicielskie", "01", "udziały")
        + _coded("JednostkaMiary", "02", "procent")
        + element("t:Ilosc", share)
        + f"<t:InformacjaOUprzywilejowaniu>{none}</t:InformacjaOUprzywilejowaniu>"
    )
    rights = f"<t:UprawnieniaWlascicielskieBezposrednie>{direct}</t:UprawnieniaWlascicielskieBezposrednie>"
    if rng.random() < 0.2:
        rights += element("t:UprawnieniaWlascicielskiePosrednie", "przez spółkę zależną")
    if rng.random() < 0.2:
        office = _coded("RodzajInnychUprawnien", "03", "prezes zarządu")
        rights += f"<t:InneUprawnienia>{office}</t:InneUprawnienia>"
    return f"<t:InformacjaOUdzialach>{rights}</t:InformacjaOUdzialach>"


def has_unusual_rights(company: int, place: int) -> bool:
    """Whether the owner, where its row is sound, has rights that few have."""
    return _rights_place(f"{company}:{place}") < UNUSUAL_SHARE


def _rights_place(key: str) -> float:
    return share("crbr rights", key)


def _unusual_rights(key: str, held: str) -> str:
    """Of a few owners: an office alone (nobody else can be told), rights through others alone, or several entries."""
    which = _rights_place(key)
    office = _coded("RodzajInnychUprawnien", "05", "wyższe stanowisko kierownicze")
    through = element("t:UprawnieniaWlascicielskiePosrednie", "przez Beispiel Holding GmbH")
    if which < 0.04:
        told = f"<t:InneUprawnienia>{office}{element('t:OpisInnychUprawnien', 'prezes zarządu')}</t:InneUprawnienia>"
        return f"<t:InformacjaOUdzialach>{told}</t:InformacjaOUdzialach>"
    if which < 0.08:
        return f"<t:InformacjaOUdzialach>{through}</t:InformacjaOUdzialach>"
    if which < UNUSUAL_SHARE:
        indirect = f"<t:InformacjaOUdzialach>{through}</t:InformacjaOUdzialach>"
        return _rights(random.Random(key), "1E+0") + indirect + indirect
    return ""


def _names(first: str, last: str, second: str | None = None) -> str:
    return element("t:PierwszeImie", first) + element("t:KolejneImiona", second) + element("t:Nazwisko", last)


def _coded(name: str, code: str, text: str) -> str:
    return f"<t:{name}>{element('t:Kod', code)}{element('t:Opis', text)}</t:{name}>"


def _country(name: str, country: tuple[str, str]) -> str:
    return f"<t:{name}>{element('t:Kod', country[0])}{element('t:Nazwa', country[1])}</t:{name}>"


STAND_IN = StandIn("crbr", routes, books=(NOTIFICATIONS, OWNERS))
