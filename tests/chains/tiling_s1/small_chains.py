"""The chains of the service on small tiles, for workers: ``[processing] chains`` names this."""

from algorithms import mgrs
from peps_wps.chains.registry import CHAINS
from tests.chains.tiling_s1.small_tile import small_tile

__all__ = ["CHAINS"]

# For good: a worker has nothing else to do.
mgrs.tile = small_tile
