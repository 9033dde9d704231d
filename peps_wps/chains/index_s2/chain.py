"""S2_NDVI as a chain: the index of each product on its own grid."""

from collections.abc import Mapping, Sequence

from peps_wps.chains.index_s2.order import Order, parse
from peps_wps.chains.index_s2.scene import IndexOfScene
from peps_wps.chains.optical.scene_chain import BandsChain


class IndexS2(BandsChain[Order]):
    """The chain of S2_NDVI."""

    name = "S2_NDVI"
    order_type = Order
    work_type = IndexOfScene

    def parse(self, inputs: Mapping[str, Sequence[str]]) -> Order:
        """Turn literal inputs into an order; raise InvalidInputError with its locator."""
        return parse(inputs)
