"""IDocs that SAP drops into a folder: material masters (MATMAS05), as its XML file port writes them.

Shape: one root named after the IDoc type, IDOC elements with BEGIN="1", the control record EDI_DC40 (fields as in
transaction WE60), then the segments with SEGMENT="1". A change sends the whole material again under a new DOCNUM; a
deletion is the flag LVORM in E1MARAM.
"""

from __future__ import annotations

import os
from decimal import Decimal
from xml.sax.saxutils import escape

from sandbox.files.dropped_files import Batch, Dropped, batches, bring_up
from sandbox.stand_in import StandIn
from sandbox.world import Book, Entry, World
from sandbox.world.business import CENT, product, products

IDOCS = int(os.environ.get("SANDBOX_SAP_IDOC_PAGE", "100"))  # IDocs in one file
ADVANCE = 10_000_000  # document numbers that one advance has for itself
UNITS = {"szt": "PCE", "m": "MTR", "kg": "KGM", "opak": "PK"}
MATERIALS = Book(
    "sap_idoc",
    "material",
    size=products,
    key=lambda number: f"JR-{number + 1000:05d}",
    broken=("name_missing", "unit_unknown", "ean_malformed"),
)


def _file(world: World, batch: Batch) -> Dropped:
    def content() -> bytes:
        idocs = "".join(_idoc(world, entry, batch) for entry in batch.touched)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<MATMAS05>\n{idocs}</MATMAS05>\n'.encode()

    return Dropped(f"MATMAS/MATMAS05_{batch.number + 1:05d}{batch.suffix}.xml", batch.modified, content)


def _idoc(world: World, entry: Entry, batch: Batch) -> str:
    state = entry.at(batch.sequence)
    if state is None:
        raise ValueError(f"material {entry.key} is not there yet")
    modified, deleted, revision = state
    goods = product(world.seed, entry.number, revision)
    control = _all(
        TABNAM="EDI_DC40",
        MANDT="100",
        DOCNUM=f"{batch.sequence * ADVANCE + entry.number + 1:016d}",
        DOCREL="756",
        STATUS="30",
        DIRECT="1",
        OUTMOD="2",
        IDOCTYP="MATMAS05",
        MESTYP="MATMAS",
        SNDPOR="SAPS4H",
        SNDPRT="LS",
        SNDPRN="S4HCLNT100",
        RCVPOR="ONEFOLD",
        RCVPRT="LS",
        RCVPRN="ONEFOLD",
        CREDAT=f"{modified:%Y%m%d}",
        CRETIM=f"{modified:%H%M%S}",
        SERIAL=f"{modified:%Y%m%d%H%M%S}",
    )
    basic = _all(
        MSGFN="005",
        MATNR=str(entry.key),
        ERSDA=f"{entry.created:%Y%m%d}",
        LAEDA=f"{modified:%Y%m%d}",
        **({"LVORM": "X"} if deleted else {}),
        MTART="HAWA",
        MBRSH="M",
        MATKL="L001",
        MEINS="???" if entry.broken == "unit_unknown" else UNITS[goods.unit],
        BRGEW="1.000",
        NTGEW="1.000",
        GEWEI="KGM",
        EAN11=f"EAN {goods.ean}" if entry.broken == "ean_malformed" else goods.ean,
        NUMTP="HE",
    )
    name = "" if entry.broken == "name_missing" else goods.name[:40]
    texts = _segment("E1MAKTM", MSGFN="005", SPRAS="L", MAKTX=name, SPRAS_ISO="PL")
    if entry.number % 2:
        texts += _segment("E1MAKTM", MSGFN="005", SPRAS="E", MAKTX=f"{goods.name[:36]} (EN)", SPRAS_ISO="EN")
    price = (goods.net_price * Decimal("0.7")).quantize(CENT)
    value = _segment("E1MBEWM", MSGFN="005", BWKEY="1100", VPRSV="S", VERPR="0", STPRS=str(price), PEINH="1")
    taxed = {Decimal(23): "1", Decimal(8): "2", Decimal(5): "3"}[goods.vat_rate]
    tax = _segment("E1MLANM", MSGFN="005", ALAND="PL", TATY1="MWST", TAXM1=taxed)
    return (
        f'<IDOC BEGIN="1"><EDI_DC40 SEGMENT="1">{control}</EDI_DC40>'
        f'<E1MARAM SEGMENT="1">{basic}{texts}{value}{tax}</E1MARAM></IDOC>\n'
    )


def _segment(name: str, **fields: str) -> str:
    return f'<{name} SEGMENT="1">{_all(**fields)}</{name}>'


def _all(**fields: str) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())


def refresh(world: World) -> None:
    """Bring the drop folder up to the world; a world that is not on disk has none."""
    if world.home:
        files = batches(world, MATERIALS.name, lambda _, place: place // IDOCS)
        bring_up(world.home / "sap_idoc", world, [_file(world, batch) for batch in files])


STAND_IN = StandIn(
    "sap_idoc",
    lambda world: [],
    extra={"settled_seconds": "0"},
    books=(MATERIALS,),
    folder=True,
    refresh=refresh,
)
