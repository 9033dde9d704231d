"""What all interferometric chains do with pairs of Sentinel-1 products."""
