"""Who comes late to the renewal of leases hears it once."""

from datetime import UTC, datetime, timedelta

from storage.lateness import Lateness

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def test_lateness_is_told_once_and_again_after_a_look_in_time() -> None:
    lateness = Lateness(30.0)
    seconds = [0, 29, 60, 100, 129, 1000, 970]
    told = [lateness.begins(BEGIN + timedelta(seconds=one)) for one in seconds]
    assert told == [False, False, True, False, False, True, False]
