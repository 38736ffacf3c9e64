"""Company names as people would write them: legal forms wherever they stand, what follows them, capitals."""

from __future__ import annotations

import random
import re

import psycopg
import pytest

from tests.mapping.asking import transformed

NAMES = [
    ("PRZYKŁAD SPÓŁKA Z OGRANICZONĄ ODPOWIEDZIALNOŚCIĄ W LIKWIDACJI", "Przykład Sp. z o.o. w likwidacji"),
    ("Przykład Spółka z o.o. W LIKWIDACJI", "Przykład Sp. z o.o. w likwidacji"),
    ("BETA SPÓŁKA AKCYJNA W UPADŁOŚCI LIKWIDACYJNEJ", "Beta S.A. w upadłości likwidacyjnej"),
    ("BETA SP. Z O.O. W ORGANIZACJI", "Beta Sp. z o.o. w organizacji"),
    ("BETA SP. Z O.O. W RESTRUKTURYZACJI", "Beta Sp. z o.o. w restrukturyzacji"),
    ("SIEMENS AG ODDZIAŁ W POLSCE", "Siemens AG Oddział w Polsce"),
    ("MÜLLER GMBH SPÓŁKA Z OGRANICZONĄ ODPOWIEDZIALNOŚCIĄ ODDZIAŁ W POLSCE", "Müller GmbH Sp. z o.o. Oddział w Polsce"),
    ("KOWALSKI SPÓŁKA JAWNA JAN NOWAK", "Kowalski Sp. j. Jan Nowak"),
    ("KOWALSKI I WSPÓLNICY SPÓŁKA KOMANDYTOWO-AKCYJNA", "Kowalski i Wspólnicy S.K.A."),
    ("ABC Spółka z o.o. Sp.k.", "ABC Sp. z o.o. Sp. k."),
    ("ABC SPÓŁKA AKCYJNA", "ABC S.A."),
    ("„ТОВ Обрій 2001”", '"ТОВ Обрій 2001"'),
    ('"ALFA SPÓŁKA AKCYJNA"', '"Alfa S.A."'),
    ("MCDONALD'S POLSKA SP. Z O.O.", "McDonald's Polska Sp. z o.o."),
    ("McDonald’s Polska Sp. z o.o.", "McDonald’s Polska Sp. z o.o."),
    ("ING BANK ŚLĄSKI SPÓŁKA AKCYJNA", "ING Bank Śląski S.A."),
    ("ALFA SE", "Alfa SE"),
    ("SE", "SE"),
    ("PKO BP S.A.", "PKO BP S.A."),
    ("E.ON POLSKA S.A.", "E.ON Polska S.A."),
    ("SAP POLSKA SP. Z O.O.", "SAP Polska Sp. z o.o."),
    ("ALFA SP. Z O.O. W LIKWIDACJI W UPADŁOŚCI", "Alfa Sp. z o.o. w likwidacji w upadłości"),
    ("JANEX SPÓŁKA CYWILNA JAN KOWALSKI, ANNA NOWAK", "Janex S.C. Jan Kowalski, Anna Nowak"),
    ("3M POLAND SP. Z O.O.", "3M Poland Sp. z o.o."),
    ("H&M HENNES & MAURITZ SP. Z O.O.", "H&M Hennes & Mauritz Sp. z o.o."),
    ("POL-BUD SP.J.", "Pol-Bud Sp. j."),
    ("P.P.H.U. \"ŻÓŁW\" JAN KOWALSKI", "P.P.H.U. \"Żółw\" Jan Kowalski"),
    ("JANUSZEX sp. z o.o.", "JANUSZEX Sp. z o.o."),
    ("iPhone Serwis sp. z o.o.", "iPhone Serwis Sp. z o.o."),
    ("O'NEILL SP. Z O.O.", "O'Neill Sp. z o.o."),
    ("„Żółw” S. A.", "\"Żółw\" S.A."),
    ("ACME GMBH & CO. KG", "Acme GmbH & Co. KG"),
    ("SCHMIDT GESELLSCHAFT MIT BESCHRÄNKTER HAFTUNG", "Schmidt GmbH"),
    ("DUPONT SARL", "Dupont SARL"),
    ("DUPONT S.A.S.", "Dupont SAS"),
    ("PHILIPS N.V.", "Philips N.V."),
    ("DE VRIES B.V.", "De Vries B.V."),
    ("NOVÁK S.R.O.", "Novák s.r.o."),
    ("NOVÁK, spol. s r.o.", "NOVÁK spol. s r.o."),
    ("ŠKODA AUTO A.S.", "Škoda Auto a.s."),
    ("MAGYAR KFT.", "Magyar Kft."),
    ("UAB LIETUVA", "UAB Lietuva"),
    ("SIA LATVIJA", "SIA Latvija"),
    ("EESTI OÜ", "Eesti OÜ"),
    ("SUOMI OY", "Suomi Oy"),
    ("VOLVO AB", "Volvo AB"),
    ("NOVO NORDISK A/S", "Novo Nordisk A/S"),
    ("JENSEN APS", "Jensen ApS"),
    ("FERRARI S.P.A.", "Ferrari S.p.A."),
    ("ROSSI SRL", "Rossi S.r.l."),
    ("JOHNSON & JOHNSON LIMITED", "Johnson & Johnson Ltd"),
    ("Samsung Electronics Co., Ltd.", "Samsung Electronics Co. Ltd"),
    ("APPLE INC.", "Apple Inc."),
    ("Goldman Sachs & Co. LLC", "Goldman Sachs & Co. LLC"),
    ("ООО РОМАШКА", "ООО Ромашка"),
    ("ТОВ «Ромашка 2020»", "ТОВ \"Ромашка 2020\""),
    ("株式会社トヨタ", "株式会社トヨタ"),
    ("Jak As", "Jak As"),
    ("MÜLLER GMBH + CO. KG", "Müller GmbH & Co. KG"),
    ("Müller GmbH u. Co. KG", "Müller GmbH & Co. KG"),
    ("ALFA S-KA Z O.O.", "Alfa Sp. z o.o."),
    ("ALFA S-KA JAWNA", "Alfa Sp. j."),
    ("KOWALSKI I S-KA S.J.", "Kowalski i S-ka Sp. j."),
    ("AT&T INC.", "AT&T Inc."),
    ("Mcdonald'S Polska sp. z o.o.", "McDonald's Polska Sp. z o.o."),
    ("EOBUWIE.PL S.A.", "Eobuwie.pl S.A."),
    ("\"ALLEGRO.PL\" SP. Z O.O.", "\"allegro.pl\" Sp. z o.o."),
    ("eobuwie.pl S.A.", "eobuwie.pl S.A."),
    ("EESTI ENERGIA AS", "Eesti Energia AS"),
    ("ROSSI S.R.L.S.", "Rossi S.r.l.s."),
    ("SCHMIDT GBR", "Schmidt GbR"),
    ("AS MEBLE", "AS Meble"),
    ("ALFA SPÓŁKA KOMANDYTOWO-AKCYJNA W RESTRUKTURYZACJI", "Alfa S.K.A. w restrukturyzacji"),
    ("START P.S.A.", "Start P.S.A."),
    ("PODRAVKA D.D.", "Podravka d.d."),
    ("mBank S.A.", "mBank S.A."),
    ("ALFA SP. Z O.O. (W LIKWIDACJI)", "Alfa Sp. z o.o. w likwidacji"),
    ("ALFA S.P.A. IN LIQUIDAZIONE", "Alfa S.p.A. in liquidazione"),
    ("NOVÁK S.R.O. V LIKVIDACI", "Novák s.r.o. v likvidaci"),
    ("ALFA S.A. EN LIQUIDATION", "Alfa S.A. en liquidation"),
    ('SPÓŁDZIELNIA PRACY "SE"', 'Spółdzielnia Pracy "SE"'),
    ("NV", "NV"),
    ("ΕΛΛΑΣ Α.Ε.", "Ελλας Α.Ε."),
    ("Grupa S A", "Grupa S A"),
]  # fmt: skip


def test_names_are_spelled_as_people_would_with_legal_forms_anywhere(
    server: psycopg.Connection,
) -> None:
    got = transformed(server, "company_name", [[given, None] for given, _ in NAMES])
    assert dict(zip((given for given, _ in NAMES), got, strict=True)) == dict(NAMES)


def test_a_spelled_name_stays_as_it_is(server: psycopg.Connection) -> None:
    spelled = [then for _, then in NAMES]
    assert transformed(server, "company_name", [[then, None] for then in spelled]) == spelled


@pytest.mark.parametrize("written", ["{}", " {} ", "{},"])
def test_no_word_of_a_name_is_lost(written: str, server: psycopg.Connection) -> None:
    rng = random.Random("words of names")
    words = re.findall(r"\S+", "ALFA Beta gamma W Z I S A SPÓŁKA z o.o. S.A. GMBH & CO. KG SP. 3M D.O.O. B. V. IN")
    names = [" ".join(rng.choices(words, k=rng.randrange(1, 9))) for _ in range(4_000)]
    got = transformed(server, "company_name", [[written.format(name), None] for name in names])

    def plain(name: object) -> str:
        text = str(name).upper().translate(str.maketrans("ÓŁ", "OL", " .,"))
        return text.replace("SPOLKAZOO", "SPZOO").replace("&", "")

    assert [(name, then) for name, then in zip(names, got, strict=True) if plain(name) != plain(then)] == []
