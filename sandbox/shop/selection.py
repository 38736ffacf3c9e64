"""What a GraphQL query selects of an object, in the shape that the query asks for, and its price in points."""

from sandbox.shop.content import Nodes, Object
from sandbox.wire.graphql import Selected


class ShopError(Exception):
    """What is answered as errors: the message, its code and more."""

    def __init__(self, message: str, code: str, **more: object) -> None:
        super().__init__(message)
        self.shown = {"message": message, "extensions": {"code": code, **more}}


def value_of(asked: Selected, of: Object, type_: str) -> object:
    """The selected field of this object. Raises ShopError when its type has none of that name."""
    if asked.name == "__typename":
        return type_
    if asked.name not in of:
        raise unknown_field(type_, asked.name)
    found = of[asked.name]
    if callable(found):
        found = found(**asked.arguments)
    if isinstance(found, Nodes):
        first = int(asked.arguments.get("first", 0))
        info = {"hasNextPage": len(found.nodes) > first, "endCursor": None}
        return connection_shown(asked, found.type, found.nodes[:first], info)
    return shown_fields(asked, found, asked.name[:1].upper() + asked.name[1:])


def shown_fields(asked: Selected, found: object, type_: str) -> object:
    """What is selected of a value. Raises ShopError when of an object nothing is selected."""
    if isinstance(found, list):
        return [shown_fields(asked, each, type_) for each in found]
    if not isinstance(found, dict):
        return found
    if not asked.below:
        raise ShopError(f"Field must have selections (field '{asked.name}' returns {type_})", "selectionMismatch")
    return {each.shown: value_of(each, found, type_) for each in asked.below}


def connection_shown(asked: Selected, type_: str, nodes: list[Object], info: Object) -> Object:
    """What is selected of a connection: its page info, nodes or edges. Raises ShopError for anything else."""
    shown: Object = {}
    for each in asked.below:
        match each.name:
            case "pageInfo":
                shown[each.shown] = shown_fields(each, info, "PageInfo")
            case "nodes":
                shown[each.shown] = [shown_fields(each, node, type_) for node in nodes]
            case "edges":
                shown[each.shown] = [shown_fields(each, {"node": node}, f"{type_}Edge") for node in nodes]
            case _:
                raise unknown_field(f"{type_}Connection", each.name)
    return shown


def price_of(asked: Selected) -> float:
    """One for an object, nothing for what is in it by itself; a connection as much as it could hold."""
    if not asked.below:
        return 0
    within = sum(price_of(each) for each in asked.below if each.name != "pageInfo")
    first = asked.arguments.get("first")
    return 2 + first * within if isinstance(first, int) else 1 + within


def unknown_field(type_: str, name: str) -> ShopError:
    """The error for a field that a type does not have."""
    return ShopError(
        f"Field '{name}' doesn't exist on type '{type_}'", "undefinedField", typeName=type_, fieldName=name
    )
