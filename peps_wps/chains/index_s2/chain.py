"""S2_NDVI as a chain: the index of each product on its own grid."""

from collections.abc import Callable, Mapping, Sequence

from peps_wps.chains.contract import TaskInputs, TaskResult
from peps_wps.chains.index_s2.order import Order, parse
from peps_wps.chains.index_s2.scene import IndexOfScene
from peps_wps.chains.optical.scene_chain import SceneChain
from peps_wps.readers.sentinel2 import Sentinel2Scene


class IndexS2(SceneChain[Order]):
    """The chain of S2_NDVI."""

    name = "S2_NDVI"
    order_type = Order

    def parse(self, inputs: Mapping[str, Sequence[str]]) -> Order:
        """Turn literal inputs into an order; raise InvalidInputError with its locator."""
        return parse(inputs)

    def bands(self, order: Order) -> tuple[str, ...]:
        """Return the bands that every product must have."""
        return order.spectral_index.bands

    def compute(
        self,
        order: Order,
        scene: Sentinel2Scene,
        inputs: TaskInputs,
        progress: Callable[[float], None],
    ) -> TaskResult:
        """Make the result of one product."""
        work = IndexOfScene(scene, order, inputs.scratch)
        return work.run(inputs.config.processing.threads, progress)
