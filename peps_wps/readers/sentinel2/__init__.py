"""Sentinel-2 products: what lies where in a SAFE, how numbers become reflectances, masks, angles.

Source of formats: Sentinel-2 Products Specification Document, S2-PDGS-TAS-DI-PSD, issue 13 for the
products of many granules made until December 2016, issues 14.x for the compact ones.
"""

from peps_wps.readers.sentinel2.bands import BANDS, Band
from peps_wps.readers.sentinel2.scene import Sentinel2Scene, open_scene

__all__ = ["BANDS", "Band", "Sentinel2Scene", "open_scene"]
