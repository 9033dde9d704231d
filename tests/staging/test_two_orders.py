"""Two orders that together exceed the pool by far: both end, and little is recalled twice."""

import os
from collections import Counter

import pytest
from sqlalchemy import select

from catalog_db.tables import recall
from tests.jobs.job_house import opened_house

SIZE = 1000


@pytest.mark.drill
@pytest.mark.one_database
def test_two_orders_on_a_small_pool_end_and_recall_no_product_more_than_twice(tmp_path):
    products, room = (40, 10) if os.environ.get("PEPS_DRILLS") else (8, 4)
    pool_gb = str(room * SIZE / 1e9)
    with opened_house(tmp_path, pool_gb=pool_gb) as house:
        titles = [f"PRODUCT_{n:02}" for n in range(products)]
        for title in titles:
            house.archive(title, size=SIZE)
        job_ids = [house.submit(product=titles), house.submit(product=titles)]
        house.start()
        assert [house.wait(job, limit_s=120).state for job in job_ids] == ["succeeded"] * 2

        with house.engine.connect() as connection:
            files = connection.execute(select(recall.c.file).where(recall.c.state == "done"))
            recalled = Counter(files.scalars())
    assert len(recalled) == products
    assert max(recalled.values()) <= 2
