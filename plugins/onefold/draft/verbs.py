"""Whether an operation's name says that it changes something, in English, Polish and German."""

from __future__ import annotations

import re

from onefold.draft.names import words_of


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


_READS = _words("""
    get list find search query read fetch retrieve lookup select show describe report download check pobierz
    wyszukaj szukaj lista daj podaj znajdz odczytaj czytaj pokaz raport wykaz stan sprawdz hole suche lese liste
    finde ermittle abfrage zeige gib lade auflisten
""")
_WRITES = _words("""
    send add create update delete remove put set insert save upsert cancel approve reject submit post upload import
    register unregister book assign unassign lock unlock start stop close open merge move copy rename edit modify
    change write store process execute run notify login logout logon logoff authenticate sign confirm acknowledge
    ack enable disable activate deactivate archive restore publish revoke grant reset clear purge mark attach
    detach replace patch issue void refund pay transfer convert validate calculate generate release finalize
    schedule wyslij dodaj utworz stworz zmien aktualizuj usun zapisz anuluj zatwierdz odrzuc przeslij wstaw edytuj
    modyfikuj zarejestruj rejestruj wyrejestruj zaloguj wyloguj loguj nadaj ustaw potwierdz przypisz wystaw zamknij
    otworz ksieguj zaksieguj zwroc przekaz wycofaj oznacz zaladuj generuj zlec uruchom wykonaj podpisz importuj
    zaplac sende senden erstelle erstellen anlegen lege aendere aendern andere andern loesche loeschen losche
    loschen speichere speichern setze setzen hinzufuegen hinzufugen aktualisiere aktualisieren storniere stornieren
    buche buchen genehmige genehmigen uebermittle ubermittle registriere registrieren einfuegen einfugen entferne
    entfernen hochladen anmelden abmelden bestaetige bestatige schreibe schreiben verschicke ausfuehren ausfuhren
""")
_AT_THE_END = _words("""
    anlegen aendern andern loeschen loschen erstellen senden speichern setzen hinzufuegen hinzufugen aktualisieren
    stornieren buchen genehmigen registrieren einfuegen einfugen entfernen hochladen anmelden abmelden schreiben
    ausfuehren ausfuhren usun dodaj zmien wyslij zapisz create update delete remove insert
""")


def writes(name: str) -> str | None:
    """The word of an operation's name that says that it changes something; None where none does."""
    found = words_of(name)
    if not found or found[0] in _READS:
        return None
    if found[0] in _WRITES:
        return found[0]
    return found[-1] if found[-1] in _AT_THE_END else None
