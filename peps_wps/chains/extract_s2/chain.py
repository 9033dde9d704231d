"""S2_EXTRACT_BANDS as a chain: bands of each product."""

from collections.abc import Mapping, Sequence

from peps_wps.chains.extract_s2.order import Order, parse
from peps_wps.chains.extract_s2.scene import BandsOfScene
from peps_wps.chains.optical.scene_chain import BandsChain


class ExtractS2(BandsChain[Order]):
    """The chain of S2_EXTRACT_BANDS."""

    name = "S2_EXTRACT_BANDS"
    order_type = Order
    work_type = BandsOfScene

    def parse(self, inputs: Mapping[str, Sequence[str]]) -> Order:
        """Turn literal inputs into an order; raise InvalidInputError with its locator."""
        return parse(inputs)
