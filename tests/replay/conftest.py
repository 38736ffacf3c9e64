from tests.sync.conftest import shop

__all__ = ["shop"]
