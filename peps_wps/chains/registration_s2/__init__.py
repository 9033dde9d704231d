"""S2_REGISTRATION: Sentinel-2 images moved onto a reference by a fraction of a pixel."""
