"""Where the ports of the suite lie beside those that the kernel hands out."""

import pytest

from tests import ports


@pytest.mark.parametrize(
    ("end", "first"), [(32_768, 20_000), (20_500, 18_900), (9_000, 7_400), (1_024, 20_000)]
)
def test_four_processes_have_ports_that_the_kernel_leaves_where_it_leaves_any(
    end: int, first: int
) -> None:
    assert ports.first_of_all(4, end) == first
