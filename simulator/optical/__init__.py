"""Sentinel-2 images with known truth: ground, displacement between dates, products."""
