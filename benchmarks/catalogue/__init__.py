"""The catalogue at full size: made-up products on true orbits, searches, and their truth.

python -m benchmarks.catalogue --help
"""
