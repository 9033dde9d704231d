"""S2_COLOR_COMPOSITION: pictures of three bands of Sentinel-2 products."""
