"""S2_NDVI: spectral indices of Sentinel-2 products."""
