"""S1_COHERENCE: coherence of pairs of single look products on the tiles of Sentinel-2."""
