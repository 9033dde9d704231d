"""COG, STAC items, quicklooks, archives and reports."""
