"""What sellers write that is not the Polish form of it: seats abroad, and telephone numbers with more than a number.

Which records have it follows from their own style, not from the random generator, so that all others stay as they are.
"""

from collections.abc import MutableMapping

from sandbox.world.share import share

ABROAD_SHARE, WORDY_PHONE_SHARE = 0.06, 0.04

# The country as somebody wrote it, postal code, town, street, telephone as it is dialled there.
SEATS = (
    ("Deutschland", "10117", "Berlin", "Unter den Linden 77", "030 1234567"),
    ("Niemcy", "D-80331", "München", "Sendlinger Straße 8", "+49 89 1234567"),
    ("Francja", "75251", "Paris", "5 rue Descartes", "(014) 427-4427"),
    ("United Kingdom", "SW1A 1AA", "London", "10 Downing Street", "020 7946 0958"),
    ("U.K.", "m1 1ae", "Manchester", "1 Piccadilly", "+44 (0)161 496 0000"),
    ("U.S.A.", "94304-1355", "Palo Alto", "1501 Page Mill Road, Suite 200", "(650) 253-0000"),
    ("Singapur", "546080", "Singapore", "80 Robinson Road", "6123 4567"),
    ("Schweiz", "CH-8001", "Zürich", "Bahnhofstrasse 1", "044 668 18 00"),
    ("Österreich", "1010", "Wien", "Stephansplatz 3", "01 5134567"),
    ("Czechy", "11000", "Praha", "Národní 9", "00420 222 123 456"),
    ("The Netherlands", "1012NX", "Amsterdam", "Dam 1", "020-5551234"),
    ("Israel", "9614303", "Jerusalem", "Jaffa Road 12", "02-5312345"),
    ("Mołdawia", "2012", "Chișinău", "Strada Pușkin 22", "+373 22 201 000"),
    ("Україна", "01001", "Київ", "вулиця Хрещатик 1", "+380 44 123 45 67"),
    ("Italia", "00144", "Roma", "Viale Europa 175", "06 12345678"),
    ("ZEA", "00000", "Dubai", "Al Maktoum Road 5", "04 223 4567"),
)
UNREADABLE = ("zapytać w sekretariacie", "nr wkrótce", "jak w umowie", "22 12")
WORDS = ("tel. {}", "{} wew. 12", "{}, 601 234 567", "{} (sekretariat)", "T: {} ext. 5", "{} / 601 234 567")


def write_as_sellers_do(fields: MutableMapping[str, str | float | bool | None], style: str) -> None:
    """Changes the fields of an Account: the seat of some with a tax number is abroad, the telephone of others wordy.

    A tax number is needed because the Polish address is then no help to find whose record it is.
    """
    pick, way = share("abroad", style), share("way abroad", style)
    if pick < ABROAD_SHARE and fields.get("NIP__c"):
        country, postal_code, city, street, phone = SEATS[int(way * len(SEATS))]
        fields |= {
            "BillingCountry": country, "BillingPostalCode": postal_code, "BillingCity": city, "BillingStreet": street,
        }  # fmt: skip
        if fields["Phone"]:
            fields["Phone"] = phone
    elif ABROAD_SHARE <= pick < ABROAD_SHARE + WORDY_PHONE_SHARE and fields["Phone"]:
        fields["Phone"] = WORDS[int(way * len(WORDS))].format(fields["Phone"])
