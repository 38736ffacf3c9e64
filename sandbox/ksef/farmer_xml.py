"""An invoice as FA_RR (1-1E) writes it: what a farmer who charges no VAT sold us; the buyer issues it.

Elements as in the form's schema (crd.gov.pl/wzor/2026/03/06/14189); the lump-sum refund stands for the tax.
"""

from __future__ import annotations

from sandbox.ksef.facts import Facts
from sandbox.world import business

NAMESPACE = "http://crd.gov.pl/wzor/2026/03/06/14189/"


def written(document: Facts) -> str:
    """The whole document."""
    of, order = document.of, document.of.order
    seller, buyer = document.parties
    lines = "".join(
        f"<FakturaRRWiersz><NrWierszaFa>{place}</NrWierszaFa>"
        f"<P_5>{business.product(document.seed, line.product).name}</P_5><P_6A>kg</P_6A><P_6B>{line.quantity}</P_6B>"
        f"<P_6C>I</P_6C><P_7>{line.net_price}</P_7><P_8>{line.net}</P_8><P_9>7</P_9><P_10>{line.vat}</P_10>"
        f"<P_11>{line.net + line.vat}</P_11></FakturaRRWiersz>"
        for place, line in enumerate(order.lines, start=1)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Faktura xmlns="{NAMESPACE}">'
        '<Naglowek><KodFormularza kodSystemowy="FA_RR (1)" wersjaSchemy="1-1E">FA_RR</KodFormularza>'
        "<WariantFormularza>1</WariantFormularza><DataWytworzeniaFa>2026-04-02T08:00:00Z</DataWytworzeniaFa></Naglowek>"
        f"<Podmiot1>{seller.described()}</Podmiot1><Podmiot2>{buyer.described()}</Podmiot2>"
        f"<FakturaRR><KodWaluty>{order.currency}</KodWaluty><P_1M>Warszawa</P_1M><P_4A>{order.day}</P_4A>"
        f"<P_4B>{of.issued}</P_4B><P_4C>{of.reference}</P_4C><P_11_1>{order.net}</P_11_1><P_11_2>{order.vat}</P_11_2>"
        f"<P_12_1>{order.gross}</P_12_1><P_12_2>słownie</P_12_2><RodzajFaktury>VAT_RR</RodzajFaktury>{lines}"
        f"<Platnosc><FormaPlatnosci>1</FormaPlatnosci><RachunekBankowy1><NrRB>{seller.account}</NrRB></RachunekBankowy1>"
        "</Platnosc></FakturaRR></Faktura>"
    )
