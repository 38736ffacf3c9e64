from tests.load.conftest import shop

__all__ = ["shop"]
