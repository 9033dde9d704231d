"""Measurements behind docs/benchmarks.md; each module runs with `python -m benchmarks.<name>`."""

from peps_wps import kernel_cache

# Before any module with kernels is imported.
kernel_cache.use_own_folder()
