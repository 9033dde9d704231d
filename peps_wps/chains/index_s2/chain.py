"""S2_NDVI as a chain: the index of each product on its own grid."""

from peps_wps.chains.index_s2.order import Order
from peps_wps.chains.index_s2.scene import IndexOfScene
from peps_wps.chains.optical.scene_chain import BandsChain


class IndexS2(BandsChain[Order]):
    """The chain of S2_NDVI."""

    name = "S2_NDVI"
    order_type = Order
    work_type = IndexOfScene
