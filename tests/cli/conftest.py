from tests.jobs.conftest import house, pool_gb

__all__ = ["house", "pool_gb"]
