"""WLCG Tape REST v1: other sites' services have files of ours staged (FTS, gfal2, `peps recall`).

References
----------
WLCG Tape REST API (v1) reference document, github.com/wlcg-storage/wlcg-tape-rest-api.
"""

from peps_wps.web.tape_rest.routes import rules

__all__ = ["rules"]
