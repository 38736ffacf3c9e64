"""Shopify as a connector: GraphQL, with a price for every query, and bulk operations for what is much."""

from __future__ import annotations

from onefold.connectors.graphql.connector import GraphQLConnector
from onefold.connectors.graphql.reader import with_deletions
from onefold.connectors.page import PageReader
from onefold.systems.shopify import records
from onefold.systems.shopify.cost import PricedGraphQL


class ShopifyConnector(GraphQLConnector):
    """Waits for the points that a page costs, and reads by a bulk operation where pages would use them up."""

    def page_reader(self) -> PageReader:
        source = self.source
        graphql = PricedGraphQL(source.named, self.transport)
        read = records.ShopifyRecords(source.named, source.stream, graphql).read
        return with_deletions(source.named, source.stream, graphql, read, size=records.LARGEST_PAGE)


CONNECTOR = ShopifyConnector
