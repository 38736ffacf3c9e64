"""The central mapping catalogue: one YAML per entity says what each attribute means and where it comes from."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt, model_validator

from onefold.catalog.fields import PersonalClass
from onefold.catalog.model import IDENTIFIER_BYTES, Model, Name

AttributeType = Literal["text", "integer", "numeric", "boolean", "date", "timestamptz"]
Scalar = str | int | float | bool | None


class Example(Model):
    """What the source gives (one value, or one per field) and what the attribute then is: one dbt unit test each."""

    given: Scalar | dict[str, Scalar]
    then: Scalar


class Rule(Model):
    """One source of one attribute: the field (or fields, in the transform's order) and the named transform."""

    field: str | list[str] | None = None
    constant: str | None = None
    country: str | list[str] = Field(
        [],
        description="the field with the record's country, by whose forms the transform reads the value; of several "
        "fields the first that says one",
    )
    abroad: bool | str = Field(
        False,
        description="of a number of our own country: what the transform does not understand is no mistake where it is "
        "another country's: it begins with that one's letters (true), or the field named here says another country",
    )
    transform: Name = "text"
    codes: dict[str, str] | None = Field(None, description="transform code: the source's codes and what they mean")
    null_values: list[str] = Field([], description="what the source writes for nothing, as '---'")
    unless: dict[str, list[str]] = Field(
        {},
        description="fields of the same record, each with the values at which it says nothing of the attribute, as "
        "statusNip: [UCHYLONY]; capitals do not matter",
    )
    record: str | None = Field(
        None,
        pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$",
        description="of an attribute with references: the system.stream whose primary key the field holds",
    )
    examples: list[Example] = Field([])

    @property
    def fields(self) -> list[str]:
        return [] if self.field is None else [self.field] if isinstance(self.field, str) else self.field

    @property
    def inputs(self) -> list[str]:
        """The fields that make the value, those that say whether it counts, and the one by whose country it is read."""
        return [*self.fields, *self.unless, *self.countries, *([self.abroad] if isinstance(self.abroad, str) else [])]

    @property
    def countries(self) -> list[str]:
        """The fields that may say the record's country, the first that counts first."""
        return [self.country] if isinstance(self.country, str) else self.country

    @model_validator(mode="after")
    def _field_or_constant(self) -> Rule:
        if (self.field is None) == (self.constant is None):
            raise ValueError("say either field or constant")
        if (self.transform == "code") != (self.codes is not None):
            raise ValueError("transform code and codes belong together")
        return self


class Attribute(Model):
    """One attribute of the entity."""

    type: AttributeType = "text"
    meaning: str
    personal: PersonalClass = "none"
    essential: bool = Field(
        False,
        description="without it the record is worth nothing: a record whose value nobody understands waits in "
        "quarantine whole. Of any other attribute, identifiers of the identity excepted, only the value is withheld",
    )
    withheld_with: list[Name] = Field(
        [],
        description="attributes without which this one says nothing (an amount's currency): withheld with any of them; "
        "they survive from the record that gives this one",
    )
    trust: list[Name] | None = Field(None, description="systems, the most trusted first; default: the entity's trust")
    survivorship: Literal["most_trusted", "latest", "total"] = Field(
        "most_trusted",
        description="latest: the greatest value, whoever says it; total: the sum over all records of the most trusted "
        "system that has a value, for an amount that is split over them",
    )
    references: Name | None = Field(
        None,
        description="the entity one of whose records is named; the attribute's name ends with _record, and the "
        "published view has the golden record's id beside it",
    )
    renamed_from: Name | None = Field(
        None,
        description="the attribute's earlier name: bin/onefold generate then writes a migration that keeps its values",
    )
    sources: dict[str, Rule] = Field(description="by system.stream")

    @model_validator(mode="after")
    def _references_are_records(self) -> Attribute:
        for source, rule in self.sources.items():
            if (rule.record is None) == (self.references is not None):
                raise ValueError(f"{source}: references (of the attribute) and record (of each source) belong together")
        if self.survivorship == "total" and self.type != "numeric":
            raise ValueError("survivorship total adds numbers: give the attribute type numeric")
        if self.references and self.type != "text":
            raise ValueError("an attribute with references has type text: it names a record")
        return self


class Probabilistic(Model):
    """Attributes that together may identify, when no strong identifier contradicts."""

    name: str
    address: list[str]


SYSTEM = "_system"
"""What a composite identifier calls the system that a record is from: its own numbers mean something there only."""


class Identity(Model):
    """By what records are joined: strong identifiers, in the order of their rank, and a probabilistic match."""

    strong: Annotated[list[str | Annotated[list[str], Field(min_length=2)]], Field(min_length=1)] = Field(
        description="attributes; a list is one identifier of several, which a record has when it has all of them; "
        "_system in such a list is the system that the record is from"
    )
    probabilistic: Probabilistic | None = None

    @property
    def identifiers(self) -> list[list[str]]:
        """The strong identifiers in their order, each with the attributes that it is made of."""
        return [[each] if isinstance(each, str) else each for each in self.strong]

    @property
    def composites(self) -> dict[str, list[str]]:
        """The columns that hold an identifier of several attributes, each with these."""
        return {_column(each): each for each in self.strong if not isinstance(each, str)}

    @property
    def columns(self) -> list[str]:
        """The columns that hold the strong identifiers, in their order."""
        return [_column(each) for each in self.strong]

    @property
    def attributes(self) -> list[str]:
        """The attributes of which the strong identifiers are made, each once."""
        parts = dict.fromkeys(part for each in self.identifiers for part in each)
        return [part for part in parts if part != SYSTEM]

    renamed: ClassVar[dict[str, str]] = {"cautious": "probabilistic"}


def _column(identifier: str | list[str]) -> str:
    return identifier if isinstance(identifier, str) else "__".join(part.strip("_") for part in identifier)


class EntityGate(Model):
    """How many of its changed golden records may fail the suite before the entity itself is refused."""

    max_held_back_share: float = Field(
        0.1, ge=0, le=1, description="of the golden records that a publish changes; more refuse the entity"
    )
    few: int = Field(20, ge=0, description="so many golden records may fail in one publish whatever their share")


class Living(Model):
    """Which records are of something that has ended. Of the records of one system, those come last."""

    attribute: Name
    ended: Annotated[list[str], Field(min_length=1, description="the attribute's values of what has ended")]


class Person(Model):
    """By which attributes a person is found of whom a record is: see onefold/privacy."""

    identifiers: Annotated[list[Name], Field(min_length=1)] = Field(
        description="attributes with an e-mail address, PESEL or phone number of the person"
    )
    names: list[Name] = Field([], description="attributes that together make the full name")
    unless: list[Name] = Field(
        [], description="attributes of an organisation: a record that has one of them is not one of a person"
    )


class Party(Model):
    """Whom some attributes are about: a company, or a natural person who is one (a sole trader, a partner of a civil
    partnership). Which of the two it is, each record says: see repeatable/14_people.sql."""

    name: Name = Field(description="the attribute with the company's name, whose legal form tells")
    court_number: Name | None = Field(None, description="the attribute with its number in the court register (KRS)")
    attributes: Annotated[list[Name], Field(min_length=1)] = Field(
        description="what is personal data where the company is a natural person: onefold_pii alone reads it then"
    )
    address: list[Name] = Field([], description="the same of where it is, which says of no other company that it is it")

    @property
    def hidden(self) -> tuple[str, ...]:
        """What is not shown of a company that is a natural person."""
        return (*self.attributes, *self.address)


class Entity(Model):
    """A conformed entity."""

    entity: Name
    title: str
    version: PositiveInt = Field(description="raise it when a mapping's meaning changes")
    trust: list[Name]
    identity: Identity
    living: Living | None = Field(
        None, description="within one system, the values of living records come before those of ended ones"
    )
    person: Person | None = Field(None, description="where a record of the entity is of one natural person")
    parties: list[Party] = Field(
        [], description="whom attributes of an organisation are about, where it may be a person"
    )
    attributes: dict[Name, Attribute]
    gate: EntityGate = EntityGate()

    @property
    def essential(self) -> frozenset[str]:
        """The attributes without which a record waits in quarantine: strong identifiers, and those marked essential."""
        marked = (name for name, attribute in self.attributes.items() if attribute.essential)
        return frozenset((*self.identity.attributes, *marked))

    @property
    def streams(self) -> list[str]:
        """The system.stream names that feed this entity, sorted."""
        return sorted({source for attribute in self.attributes.values() for source in attribute.sources})

    @property
    def systems(self) -> list[str]:
        """The systems that feed this entity, sorted: one mapped model each."""
        return sorted({stream.partition(".")[0] for stream in self.streams})

    def streams_of(self, system: str) -> list[str]:
        """The names of the system's streams that feed this entity, sorted."""
        return [stream for owner, _, stream in (each.partition(".") for each in self.streams) if owner == system]

    @model_validator(mode="after")
    def _names_exist(self) -> Entity:
        named = self.identity.attributes
        if self.identity.probabilistic:
            named += [self.identity.probabilistic.name, *self.identity.probabilistic.address]
        for name in named:
            if name not in self.attributes:
                raise ValueError(f"identity names {name!r}, which is not under attributes")
        if self.person:
            for name in (*self.person.identifiers, *self.person.names, *self.person.unless):
                if name not in self.attributes:
                    raise ValueError(f"person names {name!r}, which is not under attributes")
        if self.living and self.living.attribute not in self.attributes:
            raise ValueError(f"living names {self.living.attribute!r}, which is not under attributes")
        indexes = [f"{self.entity}__identifier_by_{column}"[:IDENTIFIER_BYTES] for column in self.identity.columns]
        if len(set(indexes)) < len(indexes) or max(map(len, self.identity.columns)) > IDENTIFIER_BYTES:
            raise ValueError(
                f"identity: the column of an identifier is named as its attributes, and {IDENTIFIER_BYTES} "
                "letters must tell it and its index apart; shorten the attributes' names"
            )
        for name, attribute in self.attributes.items():
            for other in attribute.withheld_with:
                if other not in self.attributes or other in self.essential:
                    raise ValueError(f"{name!r}: withheld_with names {other!r}, which is no attribute that is withheld")
            if (attribute.references is not None) != name.endswith("_record"):
                raise ValueError(f"{name!r}: _record ends the name of an attribute with references, and of no other")
        return self

    @model_validator(mode="after")
    def _parties_exist(self) -> Entity:
        for party in self.parties:
            for name in (party.name, *filter(None, (party.court_number,)), *party.hidden):
                if name not in self.attributes:
                    raise ValueError(f"parties names {name!r}, which is not under attributes")
        return self

    @property
    def own_party(self) -> Party | None:
        """The party that a record of the entity is itself, where its name is one of the party's own attributes."""
        return next((party for party in self.parties if party.name in party.attributes), None)

    @property
    def party_of(self) -> dict[str, Party]:
        """The party that each attribute of one is about."""
        return {name: party for party in self.parties for name in party.hidden}

    @property
    def referenced(self) -> dict[str, str]:
        """The entity that each attribute with references points to."""
        return {name: each.references for name, each in self.attributes.items() if each.references}
