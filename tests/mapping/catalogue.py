"""A small catalogue for tests of the generator: one system that feeds one entity from two streams."""

from __future__ import annotations

from onefold.catalog.entity import Entity
from onefold.catalog.system import System

SHOP = System.model_validate(
    {
        "system": "shop",
        "title": "Web shop",
        "protocol": "rest",
        "connection": "shop",
        "schedule": "0 * * * *",
        "streams": {
            "order": {
                "title": "Orders",
                "primary_key": ["id"],
                "fields": {"id": "text", "buyer": {"path": "who.name"}},
            },
            "user": {"title": "Users", "primary_key": ["id"], "fields": {"id": "text", "name": "text", "nip": "text"}},
        },
    }
)


def person(version: int = 1, transform: str = "text", kind: str = "text") -> Entity:
    """An entity that both streams of the shop feed; the name's transform and type can be chosen."""
    name_rule = {"field": "name", "transform": transform, "examples": [{"given": " Jan  Żak ", "then": "Jan Żak"}]}
    buyer_rule = {"field": "buyer", "examples": [{"given": "Ewa", "then": "Ewa"}]}
    return Entity.model_validate(
        {
            "entity": "person",
            "title": "Person",
            "version": version,
            "trust": ["shop"],
            "identity": {"strong": ["tax_id_pl"]},
            "attributes": {
                "name": {
                    "meaning": "The name.",
                    "type": kind,
                    "personal": "identity",
                    "sources": {"shop.user": name_rule, "shop.order": buyer_rule},
                },
                "tax_id_pl": {
                    "meaning": "The tax number.",
                    "sources": {"shop.user": {"field": "nip", "transform": "nip"}},
                },
                "origin": {"meaning": "Where from.", "sources": {"shop.user": {"constant": "it's us"}}},
            },
        }
    )
