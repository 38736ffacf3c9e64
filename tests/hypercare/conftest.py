from tests.retention.conftest import shop, suites, warehouse, world

__all__ = ["shop", "suites", "warehouse", "world"]
