"""S2_COLOR_COMPOSITION as a chain: a picture of each product."""

from peps_wps.chains.colour_s2.order import Order
from peps_wps.chains.colour_s2.scene import ColourOfScene
from peps_wps.chains.optical.scene_chain import BandsChain


class ColourS2(BandsChain[Order]):
    """The chain of S2_COLOR_COMPOSITION."""

    name = "S2_COLOR_COMPOSITION"
    order_type = Order
    work_type = ColourOfScene
