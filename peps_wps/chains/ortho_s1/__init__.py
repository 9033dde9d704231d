"""S1_ORTHO: Sentinel-1 GRD products, calibrated, on the Sentinel-2 MGRS tiles."""
