"""Relief as a radar sees it: directions, profiles of the terrain, and their flattening."""
