"""Orders, whatever the protocol: processes, their inputs, jobs, results, and who may have them."""

from peps_wps.ordering.desk import OrderDesk
from peps_wps.ordering.order import Order
from peps_wps.ordering.process import Alias, ChainProcess, DirectProcess, JobViews

__all__ = ["Alias", "ChainProcess", "DirectProcess", "JobViews", "Order", "OrderDesk"]
