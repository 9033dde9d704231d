"""Where the pixels of a Sentinel-1 image lie on the ground, and what their numbers mean."""
