"""Searches in the words of resto: their parameters, and what these mean to the catalogue."""
