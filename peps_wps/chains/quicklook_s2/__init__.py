"""S2_QUICKLOOK: small true colour pictures of Sentinel-2 products."""
