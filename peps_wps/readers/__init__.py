"""Sentinel-1 SAFE, orbit files, DEM and geoid, as arrays and dataclasses."""
