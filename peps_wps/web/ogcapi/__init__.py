"""OGC API - Processes, part 1: core 1.0 (OGC 18-062r2) over the order desk."""

from peps_wps.web.ogcapi.routes import rules

__all__ = ["rules"]
