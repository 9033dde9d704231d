"""What a caller may do."""

import re

from werkzeug import Request

from catalog_db.engine import Engine
from catalog_db.jobs import Job
from peps_wps.access.caller import ANONYMOUS, Caller
from peps_wps.config import Config

# What is kept of a name that nobody checked: as long as a job's owner may be, and one printed word.
_PLAUSIBLE_NAME = re.compile(r"[\w.@+-]{1,64}")


class Access:
    """What a caller may do; open, everybody may do everything.

    Parameters
    ----------
    config, engine
        Settings and database.
    """

    def __init__(self, config: Config, engine: Engine) -> None:
        self._config = config
        self._engine = engine

    def caller(self, request: Request) -> Caller:
        """Return who asks.

        Raises
        ------
        UnauthorizedError
            When credentials are given and wrong.
        """
        given = request.authorization
        name = (given.username if given is not None and given.type == "basic" else None) or ""
        return Caller(name if _PLAUSIBLE_NAME.fullmatch(name) else ANONYMOUS)

    def may_see_process(self, _caller: Caller, _identifier: str) -> bool:
        """Return whether a process is listed and described to a caller."""
        return True

    def check_order(self, _caller: Caller, _identifier: str) -> None:
        """Refuse an order of a process.

        Raises
        ------
        UnauthorizedError
            When it is not known who asks, and it must be.
        ForbiddenError
            When the caller has no right to the process.
        """

    def check_read(self, _caller: Caller, _job: Job) -> None:
        """Refuse status and results of a job; its address is the right to read them.

        Raises
        ------
        UnauthorizedError, ForbiddenError
            As of `check_order`.
        """

    def check_owner(self, _caller: Caller, _job: Job) -> None:
        """Refuse what only the owner of a job may: dismissal, log, seeing it in a list.

        Raises
        ------
        UnauthorizedError, ForbiddenError
            As of `check_order`.
        """

    def check_download(self, _caller: Caller) -> None:
        """Refuse the download of a product.

        Raises
        ------
        UnauthorizedError
            When it is not known who asks, and it must be.
        """
