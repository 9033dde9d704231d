"""Opaque files: disk pool, tape backends, recall scheduling, pins."""
