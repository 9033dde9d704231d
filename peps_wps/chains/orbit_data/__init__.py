"""ORBIT_DATA: state vectors, footprints and times of products."""
