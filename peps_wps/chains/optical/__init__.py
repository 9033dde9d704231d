"""What the chains over Sentinel-2 images share: orders, regions, reading and writing by blocks."""
