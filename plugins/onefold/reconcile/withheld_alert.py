"""The alert when too large a share of a stream's records lacks the value of an attribute. It blocks nothing."""

from __future__ import annotations

import psycopg

from onefold.catalog.stream import Stream
from onefold.load.withheld_rates import withheld_rates
from onefold.notify import alert
from onefold.quality.contract import FEW


def check_withheld(connection: psycopg.Connection, actor: str, system: str, name: str, stream: Stream) -> bool:
    """Open or resolve the stream's alert of kind withheld; returns whether none is open afterwards."""
    subject = f"{system}.{name}"
    rates = withheld_rates(connection, system=system, stream=name)
    many = [each for each in rates if each.values > FEW and each.rate > stream.gate.max_withheld_share]
    if not many:
        alert.resolve_alert(connection, actor, "withheld", subject)
        return True
    said = "; ".join(f"{each.attribute} of {each.values:,} of {each.records:,} records" for each in many)
    alert.open_alert(
        *(connection, actor, "withheld", subject),
        f"Values are withheld: {said}. bin/onefold quarantine {subject} --values says why; fix "
        f"the mapping or the suite, then: "
        f"bin/onefold replay --system {system} --stream {name}",
    )
    return False
