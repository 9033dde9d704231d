"""Who asks, and what they may do: users, groups, rights per process, links of jobs."""

from peps_wps.access.access import Access
from peps_wps.access.caller import ANONYMOUS, Caller

__all__ = ["ANONYMOUS", "Access", "Caller"]
