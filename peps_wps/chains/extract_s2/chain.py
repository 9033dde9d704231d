"""S2_EXTRACT_BANDS as a chain: bands of each product."""

from collections.abc import Callable, Mapping, Sequence

from peps_wps.chains.contract import TaskInputs, TaskResult
from peps_wps.chains.extract_s2.order import Order, parse
from peps_wps.chains.extract_s2.scene import BandsOfScene
from peps_wps.chains.optical.scene_chain import SceneChain
from peps_wps.readers.sentinel2 import Sentinel2Scene


class ExtractS2(SceneChain[Order]):
    """The chain of S2_EXTRACT_BANDS."""

    name = "S2_EXTRACT_BANDS"
    order_type = Order

    def parse(self, inputs: Mapping[str, Sequence[str]]) -> Order:
        """Turn literal inputs into an order; raise InvalidInputError with its locator."""
        return parse(inputs)

    def bands(self, order: Order) -> tuple[str, ...]:
        """Return the bands that every product must have."""
        return order.bands

    def compute(
        self,
        order: Order,
        scene: Sentinel2Scene,
        inputs: TaskInputs,
        progress: Callable[[float], None],
    ) -> TaskResult:
        """Make the result of one product."""
        work = BandsOfScene(scene, order, inputs.scratch)
        return work.run(inputs.config.processing.threads, progress)
