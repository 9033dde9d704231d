"""Map tiles of rasters: the grid of web maps, pixels read for a tile, and pictures of them."""
