"""Radar interferometry of TOPS bursts: from two complex images to displacement on a map.

`model` says what a burst is; `pair` puts the steps together, one burst at a time.
"""
