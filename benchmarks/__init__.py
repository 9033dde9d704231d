"""Measurements behind docs/benchmarks.md; each module runs with `python -m benchmarks.<name>`."""
