"""S2_EXTRACT_BANDS as a chain: bands of each product."""

from peps_wps.chains.extract_s2.order import Order
from peps_wps.chains.extract_s2.scene import BandsOfScene
from peps_wps.chains.optical.scene_chain import BandsChain


class ExtractS2(BandsChain[Order]):
    """The chain of S2_EXTRACT_BANDS."""

    name = "S2_EXTRACT_BANDS"
    order_type = Order
    work_type = BandsOfScene
