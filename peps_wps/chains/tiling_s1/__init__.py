"""S1_TILING: filtered time series of Sentinel-1 on the Sentinel-2 tiles, in the datalake."""
