"""S1_QUICKLOOK: small pictures of Sentinel-1 GRD products in ground range."""
