"""S1_TIME_SERIES: displacement of the ground at each date of a stack of Sentinel-1 SLC products."""
