"""AMALTHEE: products of a search brought to disk and kept there a while."""
