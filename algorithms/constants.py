"""Physical constants and the ellipsoid, each with its source."""

SPEED_OF_LIGHT = 299_792_458.0  # m/s, exact (SI)
WGS84_SEMI_MAJOR = 6_378_137.0  # m, EPSG:7030
WGS84_FLATTENING = 1 / 298.257_223_563  # EPSG:7030
