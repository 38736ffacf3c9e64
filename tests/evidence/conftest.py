"""An installation of which somebody wants evidence: tests/audit's, with incidents and an approval."""

from tests.audit.conftest import here

__all__ = ["here"]
