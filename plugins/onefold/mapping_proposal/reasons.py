"""Why a field is proposed for an attribute, in words: names and shares, never a value."""

from __future__ import annotations

from onefold.mapping_proposal.proposal import FieldProposal


def percent(share: float) -> str:
    """`98 %`; nothing but all is 100 %, nothing but none 0 %."""
    rounded = round(100 * share)
    return f"{rounded if share in (0, 1) else min(max(rounded, 1), 99)} %"


def reasons(proposal: FieldProposal) -> str:
    """The reasons of the first candidate, the strongest kind first."""
    first, field = proposal.first, proposal.field
    said, words = first.support.reasons, list[str]()
    overlap = first.support.overlap
    if overlap and overlap.agreement is not None and overlap.agreement > 0.5:
        words.append(f"agrees with {overlap.system} in {overlap.pairs} records that both have")
    if overlap and overlap.share > 0.1:
        words.append(f"{percent(overlap.share)} of its {overlap.distinct} values are {overlap.system}'s too")
    if said["reference"] > 0:
        referring = max(field.references, key=lambda each: each.share)
        words.append(f"{percent(referring.share)} of its values are keys of {referring.stream}")
    if said["key"] > 0:
        words.append("is the primary key" if field.key_fields == 1 else "is part of the primary key")
    if first.support.alias and said["name"] > 0.3:
        alias = first.support.alias.said_by
        words.append("named like the attribute" if alias == "its name" else f"named alike: {alias}")
    if first.support.transform and field.values.filled:
        share = field.values.accepted.get(first.support.transform, 0.0)
        words.append(f"{first.support.transform} understands {percent(share)} of {field.values.filled} values")
    return ", ".join(words) or "nothing speaks against it"
