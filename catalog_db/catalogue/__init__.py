"""Products: their rows, where and when they lie, counts of them, and searches."""
