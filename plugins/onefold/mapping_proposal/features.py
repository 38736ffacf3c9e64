"""How much speaks for one field's being one attribute, each reason by itself, with its words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from onefold.catalog.fields import FieldType, SourceField
from onefold.mapping.sql import transform_types
from onefold.mapping_proposal.catalogue import Alias, Bag, Catalogue, Known
from onefold.mapping_proposal.field_values import FieldValues, single_transforms
from onefold.mapping_proposal.known_values import Overlap
from onefold.mapping_proposal.references import Reference
from onefold.mapping_proposal.words import meanings

WEIGHTS: Mapping[str, float] = {
    "name": 1.0,
    "understood": 0.6,
    "selective": 0.3,
    "overlap": 0.4,
    "agreement": 0.9,
    "class": 0.2,
    "type": 0.5,
    "key": 0.8,
    "reference": 0.9,
}
"""How much each reason counts. Round numbers, chosen once over the whole catalogue; tests move each by a third."""

ENOUGH = 20
"""Matching values, or records on both sides, from which a share counts in full."""
_PERMISSIVE = frozenset({
    "text", "first_of", "joined", "texts", "words", "company_name", "person_name", "city", "street", "transliterated",
    "legal_form_of", "legal_form_name",
})  # fmt: skip
"""Transforms that understand nearly every text: that they do says nothing."""
_FITS: Mapping[FieldType, Collection[str]] = {
    "integer": ("integer", "numeric", "text", "timestamptz", "date"),
    "numeric": ("numeric",),
    "boolean": ("boolean", "text"),
    "date": ("date", "timestamptz"),
    "timestamp": ("timestamptz", "date"),
    "json": ("text",),
}
"""The types of attribute that a field of a type can be; a text can be each."""


@dataclass(frozen=True, slots=True)
class FieldEvidence:
    """All that is known of one field of a stream."""

    name: str
    source: SourceField
    values: FieldValues
    overlaps: Mapping[str, Sequence[Overlap]]
    """By entity.attribute."""
    references: Sequence[Reference]
    in_primary_key: bool
    key_fields: int

    bags: tuple[Bag, ...]
    """The meanings of its name, and of its path."""

    @property
    def words(self) -> Bag:
        return frozenset[str]().union(*self.bags)


@dataclass(frozen=True, slots=True)
class Support:
    """What speaks for (above 0) and against a field's being an attribute, by reason."""

    reasons: Mapping[str, float]
    alias: Alias | None
    overlap: Overlap | None
    transform: str | None
    """The single transform that understands most of the values."""

    @property
    def score(self) -> float:
        return sum(WEIGHTS[reason] * value for reason, value in self.reasons.items())


@cache
def usable_transforms(kind: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    """The transforms of one value that may give the attribute: those that other systems use; of an attribute that is
    no text, all of its type."""
    if kind != "text":
        return tuple(name for name in single_transforms() if transform_types()[name] == kind)
    return tuple(name for name in usual if name in single_transforms())


def with_references(known: Known, field: FieldEvidence, found: Support, entity_of: Mapping[str, str]) -> Support:
    """The same, where `entity_of` names the entity of each stream of the system, to which the field may refer."""
    return replace(found, reasons={**found.reasons, "reference": _reference(known, field, entity_of)})


def support(catalogue: Catalogue, known: Known, field: FieldEvidence, stream_words: Bag) -> Support:
    """What speaks for the field's being the attribute, before it is known which entities the other streams are of."""
    likeness, alias = _name(catalogue, known, field, stream_words)
    understood, selective, transform = _values(known, field)
    overlap, agreement, best = _known_values(catalogue, known, field)
    reasons = {
        "name": likeness,
        "understood": understood,
        "selective": selective,
        "overlap": overlap,
        "agreement": agreement,
        "class": 0.0 if (known.attribute.personal == "none") == (field.source.personal == "none") else -1.0,
        "type": _type(catalogue, known, field),
        "key": _key(known, field),
        "reference": _reference(known, field, {}),
    }
    return Support(reasons, alias, best, transform)


def _name(catalogue: Catalogue, known: Known, field: FieldEvidence, stream_words: Bag) -> tuple[float, Alias | None]:
    """The best likeness to a name of the attribute, and a little for the others; the words that stream and entity are
    called by count less (`order_number` of an order is its `number`)."""
    entity_words = frozenset(meanings(known.entity))
    likenesses: list[float] = []
    best: tuple[float, Alias | None] = (0.0, None)
    for alias in known.aliases:
        short = alias.words - entity_words
        likeness = 0.0
        for bag in field.bags:
            likeness = max(likeness, catalogue.similarity(bag, alias.words))
            bare = bag - stream_words
            if short and (bare != bag or short != alias.words):
                pairs = ((bare, short), (bare, alias.words), (bag, short))
                likeness = max(likeness, 0.93 * max(catalogue.similarity(one, other) for one, other in pairs))
        likeness *= 0.85 if alias.place else 1.0
        likenesses.append(likeness)
        if likeness > best[0]:
            best = likeness, alias
    mean = sum(likenesses) / len(likenesses) if likenesses else 0.0
    return best[0] + 0.15 * (mean - best[0] / 2), best[1]


def _values(known: Known, field: FieldEvidence) -> tuple[float, float, str | None]:
    """What it costs that the transforms understand too little; what it says that a choosy one understands most."""
    usable, values = usable_transforms(known.attribute.type, known.transforms), field.values
    if not values.filled or known.attribute.references:
        return 0.0, 0.0, usable[0] if usable else None
    if not usable:
        many = "code" in known.transforms and values.distinct > 30
        return (-1.0 if many else 0.0), 0.0, None
    best = max(usable, key=lambda name: (values.accepted.get(name, 0.0), name in known.transforms))
    share = values.accepted.get(best, 0.0)
    choosy = max((values.accepted.get(name, 0.0) for name in usable if name not in _PERMISSIVE), default=0.0)
    both_text = known.attribute.type == "text"
    says = 0.0 if choosy <= 0.9 or field.source.type != "text" else 1.0 if both_text else 0.3
    return -2 * max(0.0, 0.8 - share), says, best


def _known_values(catalogue: Catalogue, known: Known, field: FieldEvidence) -> tuple[float, float, Overlap | None]:
    usable = usable_transforms(known.attribute.type, known.transforms) or ("text",)
    own = [each for each in field.overlaps.get(known.full_name, ()) if each.transform in usable]
    overlap = max((each.share * min(1.0, each.matches / ENOUGH) for each in own), default=0.0)
    paired = [each for each in own if each.agreement is not None]
    agreement = max((_agreement(each) for each in paired), default=0.0)
    many = [_agreement(each) for each in paired if each.pairs >= ENOUGH]
    if many and max(many) < 0.1 and known.attribute.survivorship != "latest":
        agreement = -0.3  # the same records, and they say something else
    if known.attribute.references is None and known.attribute.type == "text":
        for namesake in catalogue.namesakes[known.name]:  # a payment's invoice number is one of an invoice
            if namesake != known.full_name:
                for each in field.overlaps.get(namesake, ()):
                    if each.transform in usable:
                        overlap = max(overlap, 0.7 * each.share * min(1.0, each.matches / ENOUGH))
                        agreement = max(agreement, 0.7 * _agreement(each))
    return overlap, agreement, max(own, key=lambda each: (_agreement(each), each.matches), default=None)


def _agreement(overlap: Overlap) -> float:
    return (overlap.agreement or 0.0) * min(1.0, overlap.pairs / ENOUGH)


def _type(catalogue: Catalogue, known: Known, field: FieldEvidence) -> float:
    kind, given = known.attribute.type, field.source.type
    if given != "text" and kind not in _FITS[given]:
        return -1.0
    if kind == "text" and given == "boolean" and "code" not in known.transforms:
        return -1.0
    if kind == "text" and given == "integer" and known.name not in catalogue.entities[known.entity].identity.attributes:
        return -0.3
    return 0.0


def _key(known: Known, field: FieldEvidence) -> float:
    if not known.is_record_key:
        return 0.0
    if field.in_primary_key:
        return 1.0 / field.key_fields
    return -0.7 if known.name.endswith("_key") else 0.0


def _reference(known: Known, field: FieldEvidence, entity_of: Mapping[str, str]) -> float:
    if known.attribute.references is None:
        return 0.0 if known.is_record_key else -0.3 * max((each.share for each in field.references), default=0.0)
    if field.source.type not in ("text", "integer"):
        return -2.0
    shares = [each.share for each in field.references if entity_of.get(each.stream) == known.attribute.references]
    return max(shares, default=-1.0)
