"""``/stats.json``: the numbers that PEPS shows of itself, from counts kept by day.

What the archive holds, and how much it is used. What one user does is in none of them.
"""

from collections import defaultdict
from typing import Any

from werkzeug import Request, Response
from werkzeug.routing import Rule

from catalog_db import times, usage
from catalog_db.catalogue.statistics import Volume, archive_volume, monthly_volume
from catalog_db.usage import MonthUse, Usage, Users
from peps_wps.services import Services
from peps_wps.web.json_answer import json_answer
from peps_wps.web.resto_feature import format_time

Json = dict[str, Any]

_BYTES_PER_TB = 10**12
_GIGABITS_PER_BYTE = 8e-9
_SECONDS_A_DAY = 86_400
_KEPT_S = 300


def rules() -> list[Rule]:
    """Return the addresses of this module."""
    return [Rule("/stats.json", endpoint=statistics, methods=["GET"])]


def statistics(_request: Request, services: Services) -> Response:
    """Answer with products, volume, daily acquisition, and both by mission and month."""
    now = times.now()
    with services.engine.connect() as connection:
        archive = archive_volume(connection, now)
        months = monthly_volume(connection)
        used = usage.usage(connection, now)
        users = usage.users(connection, now, days=used.days)
    missions: dict[str, list[Volume]] = defaultdict(list)
    for platform, volume in archive.platforms.items():
        missions[platform[:2]].append(volume)
    document = {
        "computed": format_time(now),
        **_shown(archive.total),
        "daily": {"days": archive.days, **_shown(archive.daily)},
        "missions": {name: _shown(_total(parts)) for name, parts in missions.items()},
        "platforms": {name: _shown(volume) for name, volume in archive.platforms.items()},
        "months": [
            {"month": f"{one.month:%Y-%m}", "platform": one.platform, **_shown(one.volume)}
            for one in months
        ],
        "lastDays": [
            {"day": day.isoformat(), **_shown(volume)} for day, volume in archive.last_days.items()
        ],
        "use": _use(used, users, archive.daily),
    }
    answer = json_answer(document)
    answer.headers["Cache-Control"] = f"public, max-age={_KEPT_S}"
    return answer


def in_terabytes(size_bytes: int) -> float:
    """Return a size in terabytes, as PEPS tells it."""
    return round(size_bytes / _BYTES_PER_TB, 3)


def _shown(volume: Volume) -> Json:
    return {
        "products": volume.products,
        "bytes": volume.size_bytes,
        "terabytes": in_terabytes(volume.size_bytes),
    }


def _total(parts: list[Volume]) -> Volume:
    return Volume(sum(one.products for one in parts), sum(one.size_bytes for one in parts))


def _use(used: Usage, users: Users, published: Volume) -> Json:
    """Return how much the service is used; `published` is what comes in on a day."""
    return {
        "users": {"registered": users.registered, "active": users.active, "days": used.days},
        "bandwidth": {
            "days": used.days,
            "downGbps": _gigabits_per_second(used.recent_bytes / used.days),
            "upGbps": _gigabits_per_second(published.size_bytes),
        },
        "distributed": [
            {
                "year": year,
                "platform": platform,
                "bytes": size_bytes,
                "terabytes": in_terabytes(size_bytes),
            }
            for (year, platform), size_bytes in used.distributed.items()
        ],
        "months": [_month(one) for one in used.months],
    }


def _month(one: MonthUse) -> Json:
    """Return what was done in a month; answers are what came from tape for who asked for it."""
    return {
        "month": f"{one.month:%Y-%m}",
        "downloads": one.downloads,
        "bytes": one.download_bytes,
        "terabytes": in_terabytes(one.download_bytes),
        "staged": one.staged,
        "meanAnswerSeconds": None if one.mean_wait_s is None else round(one.mean_wait_s, 1),
        "jobs": one.jobs,
    }


def _gigabits_per_second(bytes_a_day: float) -> float:
    return round(bytes_a_day * _GIGABITS_PER_BYTE / _SECONDS_A_DAY, 3)
