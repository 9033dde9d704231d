"""Sentinel-1 TOPS bursts of known truth: interferometric pairs and series as SLC products."""
