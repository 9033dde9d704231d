"""S2_EXTRACT_BANDS: bands of Sentinel-2 products as GeoTIFFs, on their grid or another."""
