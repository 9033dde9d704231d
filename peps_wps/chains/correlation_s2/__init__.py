"""S2_CORRELATION: displacement of the ground between two Sentinel-2 images."""
