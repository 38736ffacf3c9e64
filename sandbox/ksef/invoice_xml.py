"""An invoice as FA(3) 1-0E writes it, valid against the schema; FA(2) has the same elements but JST and GV."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sandbox.ksef.books import ksef_number, purchase
from sandbox.ksef.facts import Facts
from sandbox.ksef.parties import OUR_ACCOUNT, party
from sandbox.ksef.varieties import shows_states
from sandbox.world import business

NAMESPACE = "http://crd.gov.pl/wzor/2025/06/25/13775/"
OLDER = "http://crd.gov.pl/wzor/2023/06/29/12648/"
TRANSFER = 6
CHARGE, DEDUCTION = Decimal("10.00"), Decimal("5.00")
FACTOR_ACCOUNT = "27114020040000300201355387"
_FIRST_FORM = datetime(2025, 9, 1, tzinfo=UTC)  # FA(3) takes no earlier date of making
_PLACES = {Decimal(23): 1, Decimal(8): 2, Decimal(5): 3}
_BOMB = '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>'
_KINDS = {
    "Vat": "VAT", "Zal": "ZAL", "Roz": "ROZ", "Upr": "UPR", "Kor": "KOR", "KorZal": "KOR_ZAL", "KorRoz": "KOR_ROZ",
}  # fmt: skip


def written(document: Facts) -> str:
    """The whole document."""
    of, order, broken = document.of, document.of.order, document.entry.broken
    seller, buyer = document.parties
    issued = "2025-02-30" if broken == "xml_invalid" else f"{of.issued}"
    made = max(document.entry.modified - timedelta(minutes=1), _FIRST_FORM)
    version = 2 if document.form == "FA (2)" else 3
    units = "<JST>2</JST><GV>2</GV>" if version == 3 else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{_BOMB if broken == "xml_bomb" else ""}'
        f'<Faktura xmlns="{NAMESPACE if version == 3 else OLDER}">'
        f'<Naglowek><KodFormularza kodSystemowy="FA ({version})" wersjaSchemy="1-0E">FA</KodFormularza>'
        f"<WariantFormularza>{version}</WariantFormularza>"
        f"<DataWytworzeniaFa>{made:%Y-%m-%dT%H:%M:%SZ}</DataWytworzeniaFa>"
        f"<SystemInfo>Onefold sandbox</SystemInfo></Naglowek><Podmiot1>{seller.described()}</Podmiot1>"
        f"<Podmiot2>{buyer.described(document.variety)}{units}</Podmiot2>{_third_party(document)}"
        f"<Fa><KodWaluty>{order.currency}</KodWaluty><P_1>{issued}</P_1><P_1M>Warszawa</P_1M>"
        f"<P_2>{of.reference}</P_2><P_6>{order.day}</P_6>{''.join(_totals(document))}<P_15>{document.gross}</P_15>"
        f"{_notes(document)}{_kind(document)}{_rows(document)}{_settlement(document)}{_payment(document)}"
        f"<WarunkiTransakcji><Zamowienia><DataZamowienia>{order.day}</DataZamowienia>"
        f"<NrZamowienia>{order.reference}</NrZamowienia></Zamowienia>{_contract(document)}</WarunkiTransakcji>"
        f"{_ordered(document)}</Fa></Faktura>"
    )


def _third_party(document: Facts) -> str:
    role = {"factored": 1, "third_parties": 2}.get(document.variety or "")
    if role is None:
        return ""
    third = party(document.seed, (document.of.order.company + 1) % document.companies)
    kind, number = third.identifier()
    who = f"<NIP>{number}</NIP>" if kind == "Nip" else "<BrakID>1</BrakID>"
    named = f"<DaneIdentyfikacyjne>{who}<Nazwa>Bank i Faktor S.A.</Nazwa></DaneIdentyfikacyjne>"
    return f"<Podmiot3>{named}<Rola>{role}</Rola></Podmiot3>"


def _totals(document: Facts) -> Iterator[str]:
    """Net and tax by rate, the tax of a foreign currency in zlotys too."""
    order = document.of.order
    if document.variety == "simplified":
        return
    if document.variety == "margin":
        yield f"<P_13_11>{order.gross}</P_13_11>"
        return
    if document.variety == "one_stop_shop":
        yield f"<P_13_5>{order.net}</P_13_5><P_14_5>{order.vat}</P_14_5>"
        return
    for rate, place in _PLACES.items():
        lines = [line for line in order.lines if line.vat_rate == rate]
        if lines:
            net, vat = sum(line.net for line in lines), sum(line.vat for line in lines)
            yield f"<P_13_{place}>{net}</P_13_{place}><P_14_{place}>{vat}</P_14_{place}>"
            if order.currency != "PLN":
                zlotys = sum(document.zlotys(line.vat) for line in lines)
                yield f"<P_14_{place}W>{zlotys}</P_14_{place}W>"


def _notes(document: Facts) -> str:
    margin = "<P_PMarzy>1</P_PMarzy><P_PMarzy_3_1>1</P_PMarzy_3_1>"
    return (
        "<Adnotacje><P_16>2</P_16><P_17>2</P_17><P_18>2</P_18><P_18A>2</P_18A><Zwolnienie><P_19N>1</P_19N></Zwolnienie>"
        "<NoweSrodkiTransportu><P_22N>1</P_22N></NoweSrodkiTransportu><P_23>2</P_23>"
        f"<PMarzy>{margin if document.variety == 'margin' else '<P_PMarzyN>1</P_PMarzyN>'}</PMarzy></Adnotacje>"
    )


def _kind(document: Facts) -> str:
    of, kind = document.of, _KINDS[document.type]
    if of.corrects is None:
        of_advance = (
            f"<FakturaZaliczkowa><NrKSeFZN>1</NrKSeFZN><NrFaZaliczkowej>ZAL/{of.number + 1}</NrFaZaliczkowej>"
            "</FakturaZaliczkowa>"
        )
        return f"<RodzajFaktury>{kind}</RodzajFaktury>" + (of_advance if kind == "ROZ" else "")
    if document.bought:
        original = purchase(document.seed, of.corrects, document.companies)
        number = ksef_number(of.corrects, document.parties[0].nip)
    else:
        original = business.invoice(document.seed, of.corrects, companies=document.companies)
        number = ksef_number(document.corrected)
    return (
        f"<RodzajFaktury>{kind}</RodzajFaktury><PrzyczynaKorekty>Zwrot towaru</PrzyczynaKorekty>"
        f"<TypKorekty>2</TypKorekty><DaneFaKorygowanej><DataWystFaKorygowanej>{original.issued}"
        f"</DataWystFaKorygowanej><NrFaKorygowanej>{original.reference}</NrFaKorygowanej><NrKSeF>1</NrKSeF>"
        f"<NrKSeFFaKorygowanej>{number}</NrKSeFFaKorygowanej></DaneFaKorygowanej>"
    )


def _rows(document: Facts) -> str:
    """The lines. A correction that shows states has each line as it was, and as nothing is left of it."""
    of = document.of
    if document.variety == "advance":
        return ""
    lines = [(line, "") for line in of.order.lines]
    if of.corrects is not None and shows_states(document.key):
        lines = [
            pair
            for line in of.order.lines
            for pair in (
                (
                    business.Line(1, line.product, -line.quantity, line.net_price, line.vat_rate, -line.net, -line.vat),
                    "1",
                ),
                (business.Line(1, line.product, 0, line.net_price, line.vat_rate, Decimal(0), Decimal(0)), ""),
            )
        ]
    return "".join(_row(document, place, line, before) for place, (line, before) in enumerate(lines, start=1))


def _row(document: Facts, place: int, line: business.Line, before: str) -> str:
    product, variety = business.product(document.seed, line.product), document.variety
    gross = line.net + line.vat
    measure = f"<P_8A>{product.unit}</P_8A><P_8B>{line.quantity}</P_8B>"
    rate = f"<P_12>{line.vat_rate}</P_12>"
    if variety == "simplified":
        measure, amounts = "", rate
    elif variety == "margin":
        amounts = f"<P_11A>{gross}</P_11A>"
    elif variety == "gross_prices":
        each = (gross / line.quantity).quantize(business.CENT)
        amounts = f"<P_9B>{each}</P_9B><P_11A>{gross}</P_11A>{rate}"
    else:
        if variety == "one_stop_shop":
            rate = f"<P_12_XII>{line.vat_rate}</P_12_XII>"
        amounts = f"<P_9A>{line.net_price}</P_9A><P_11>{line.net}</P_11>{rate}"
    converted = f"<KursWaluty>{document.rate}</KursWaluty>" if document.of.order.currency != "PLN" else ""
    return (
        f"<FaWiersz><NrWierszaFa>{place}</NrWierszaFa><UU_ID>{document.entry.number}-{place}</UU_ID>"
        f"<P_7>{product.name}</P_7><Indeks>{product.sku}</Indeks><GTIN>{product.ean}</GTIN>"
        f"{measure}{amounts}{converted}{'<StanPrzed>1</StanPrzed>' if before else ''}</FaWiersz>"
    )


def _ordered(document: Facts) -> str:
    if document.variety != "advance":
        return ""
    order = document.of.order
    lines = "".join(
        f"<ZamowienieWiersz><NrWierszaZam>{place}</NrWierszaZam><P_7Z>{product.name}</P_7Z><IndeksZ>{product.sku}</IndeksZ>"
        f"<GTINZ>{product.ean}</GTINZ><P_8AZ>{product.unit}</P_8AZ><P_8BZ>{line.quantity}</P_8BZ><P_9AZ>{line.net_price}</P_9AZ>"
        f"<P_11NettoZ>{line.net}</P_11NettoZ><P_11VatZ>{line.vat}</P_11VatZ><P_12Z>{line.vat_rate}</P_12Z></ZamowienieWiersz>"
        for place, line in enumerate(order.lines, start=1)
        for product in [business.product(document.seed, line.product)]
    )
    return f"<Zamowienie><WartoscZamowienia>{order.gross}</WartoscZamowienia>{lines}</Zamowienie>"


def _settlement(document: Facts) -> str:
    gross = document.of.order.gross
    if document.variety == "charges":
        return (
            f"<Rozliczenie><Obciazenia><Kwota>{CHARGE}</Kwota><Powod>Opakowania zwrotne</Powod></Obciazenia>"
            f"<SumaObciazen>{CHARGE}</SumaObciazen><DoZaplaty>{gross + CHARGE}</DoZaplaty></Rozliczenie>"
        )
    if document.variety == "deductions":
        return (
            f"<Rozliczenie><Odliczenia><Kwota>{DEDUCTION}</Kwota><Powod>Nadpłata</Powod></Odliczenia>"
            f"<SumaOdliczen>{DEDUCTION}</SumaOdliczen><DoZaplaty>{gross - DEDUCTION}</DoZaplaty></Rozliczenie>"
        )
    return ""


def _payment(document: Facts) -> str:
    of, variety = document.of, document.variety
    seller, _ = document.parties
    paid, due = "", f"<TerminPlatnosci><Termin>{of.due}</Termin></TerminPlatnosci>"
    if variety == "paid":
        paid = f"<Zaplacono>1</Zaplacono><DataZaplaty>{of.issued}</DataZaplaty>"
    elif variety == "paid_in_part":
        part = (of.order.gross / 4).quantize(business.CENT)
        paid = (
            f"<ZnacznikZaplatyCzesciowej>1</ZnacznikZaplatyCzesciowej><ZaplataCzesciowa><KwotaZaplatyCzesciowej>{part}"
            f"</KwotaZaplatyCzesciowej><DataZaplatyCzesciowej>{of.issued}</DataZaplatyCzesciowej></ZaplataCzesciowa>"
        )
    elif variety == "instalments":
        later = of.due + timedelta(days=30)
        due = f"<TerminPlatnosci><Termin>{later}</Termin></TerminPlatnosci>{due}"
    factor = f"<RachunekBankowyFaktora><NrRB>{FACTOR_ACCOUNT}</NrRB></RachunekBankowyFaktora>"
    account = seller.account if document.bought else OUR_ACCOUNT
    return (
        f"<Platnosc>{paid}{due}<FormaPlatnosci>{TRANSFER}</FormaPlatnosci>"
        f"<RachunekBankowy><NrRB>{account}</NrRB></RachunekBankowy>{factor if variety == 'factored' else ''}</Platnosc>"
    )


def _contract(document: Facts) -> str:
    if document.variety != "contract_currency":
        return ""
    return "<KursUmowny>1.0850</KursUmowny><WalutaUmowna>USD</WalutaUmowna>"
