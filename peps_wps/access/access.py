"""What a caller may do.

``[auth] mode = open`` lets everybody do everything. Otherwise: searches and descriptions are for
all, downloads and orders for users, restricted processes for those who hold them, a job for whoever
knows its address (or for its owner: ``[auth] links``), and what changes it for its owner.
"""

import logging
import re
from dataclasses import replace

from werkzeug import Request

from catalog_db import times
from catalog_db.access import tokens, users
from catalog_db.access.users import User
from catalog_db.engine import Engine
from catalog_db.processing.jobs import Job
from peps_wps.access import throttle
from peps_wps.access.caller import ANONYMOUS, Caller
from peps_wps.access.credentials import Password, TokenText, credentials_of
from peps_wps.access.origin import comes_from_elsewhere
from peps_wps.access.passwords import BusyError, PasswordCheck
from peps_wps.access.tokens import digest_of
from peps_wps.config import Config
from peps_wps.config.web_sections import EVERY_PROCESS
from peps_wps.errors import ForbiddenError, TooManyAttemptsError, UnauthorizedError

logger = logging.getLogger(__name__)

# What is kept of a name that nobody checked: as long as a job's owner may be, and one printed word.
_PLAUSIBLE_NAME = re.compile(r"[\w.@+-]{1,64}")


class Access:
    """What a caller may do.

    Parameters
    ----------
    config, engine
        Settings and database.
    """

    def __init__(self, config: Config, engine: Engine) -> None:
        self._is_open = config.auth.mode == "open"
        self._links_are_public = config.auth.links == "public"
        self._restricted = config.auth.restricted_processes
        self._proxies = config.server.proxies
        self._allowed_origin = config.server.allowed_origin
        self._engine = engine
        self._passwords = PasswordCheck()

    def caller(self, request: Request) -> Caller:
        """Return who asks; anonymous where the request does not say.

        Raises
        ------
        UnauthorizedError
            When credentials are given and wrong, or their user is disabled.
        TooManyAttemptsError
            When too many wrong passwords came before.
        """
        is_page = comes_from_elsewhere(request, self._allowed_origin)
        if self._is_open:
            return replace(_believed(request), is_operator=not is_page, is_page=is_page)
        match credentials_of(request):
            case None:
                return Caller(is_page=is_page)
            case Password() as given:
                known = self._known(self._user_of_password(given, request))
            case TokenText() as given:
                known = self._known(self._user_of_token(given))
                # No browser adds one by itself: the page was given it.
                is_page = is_page and given.name is not None
        return replace(known, is_page=is_page)

    def may_see_process(self, caller: Caller, identifier: str) -> bool:
        """Return whether a process is listed and described to a caller."""
        return (
            self._is_open
            or caller.is_operator
            or not self._is_restricted(identifier)
            or identifier in caller.processes
        )

    def check_order(self, caller: Caller, identifier: str) -> None:
        """Refuse an order of a process.

        Raises
        ------
        UnauthorizedError
            When it is not known who asks, and it must be.
        ForbiddenError
            When the caller has no right to the process, or a page of another site asks.
        """
        self._refuse_page(caller)
        self._require_user(caller)
        if not self.may_see_process(caller, identifier):
            raise ForbiddenError(identifier, f"{caller.name} has no right to {identifier}")

    @property
    def links_are_public(self) -> bool:
        """Whether results are for whoever knows their address."""
        return self._is_open or self._links_are_public

    def check_read(self, caller: Caller, job: Job) -> None:
        """Refuse status and results of a job; its address is the right to read them.

        Raises
        ------
        UnauthorizedError, ForbiddenError
            With ``[auth] links = owner``, as of `check_owner`.
        """
        if not self._links_are_public:
            self.check_owner(caller, job)

    def check_owner(self, caller: Caller, job: Job) -> None:
        """Refuse what only the owner of a job may: dismissal, log, seeing it in a list.

        Raises
        ------
        UnauthorizedError
            When it is not known who asks, and it must be.
        ForbiddenError
            When the job is another's and the caller no operator, or a page of another site asks.
        """
        self._refuse_page(caller)
        self._require_user(caller)
        if not self.owns(caller, job):
            raise ForbiddenError(job.id, f"job {job.id} is not yours")

    def owns(self, caller: Caller, job: Job) -> bool:
        """Return whether a job is the caller's, or as good as theirs."""
        if caller.is_page:
            return False
        return self._is_open or caller.is_operator or caller.name == job.owner

    def check_staging(self, caller: Caller) -> None:
        """Refuse requests that have files brought to disk, and sight of them.

        Raises
        ------
        UnauthorizedError
            When it is not known who asks, and it must be.
        ForbiddenError
            When a page of another site asks.
        """
        self._refuse_page(caller)
        self._require_user(caller)

    def check_download(self, caller: Caller) -> None:
        """Refuse the download of a product.

        Raises
        ------
        UnauthorizedError
            When it is not known who asks, and it must be.
        """
        self._require_user(caller)

    def _is_restricted(self, identifier: str) -> bool:
        return identifier in self._restricted or EVERY_PROCESS in self._restricted

    def _refuse_page(self, caller: Caller) -> None:
        if caller.is_page:
            raise ForbiddenError(
                "Origin",
                "a page of another site asks: it needs a token, or its origin in "
                "[server] allowed_origin",
            )

    def _require_user(self, caller: Caller) -> None:
        if caller.is_anonymous and not self._is_open:
            raise UnauthorizedError

    def _user_of_password(self, given: Password, request: Request) -> User:
        with self._engine.connect() as connection:
            user = users.get(connection, given.name)
        stored = None if user is None or user.is_disabled else user.password_hash
        if user is not None and stored and self._passwords.remembers(given.password, stored):
            return user
        place = throttle.place_of(request, self._proxies)
        attempt = throttle.Attempt(given.name.lower(), place)
        throttle.begin(self._engine, attempt)
        try:
            is_right = self._passwords.is_right(given.password, stored)
        except BusyError as error:
            raise TooManyAttemptsError(1.0) from error
        if user is None or not is_right:
            logger.warning("login of %r from %s refused", given.name[:64], place)
            raise UnauthorizedError
        throttle.succeed(self._engine, attempt)
        return user

    def _user_of_token(self, given: TokenText) -> User:
        with self._engine.connect() as connection:
            name = tokens.owner(connection, digest_of(given.text), times.now())
            user = users.get(connection, name) if name is not None else None
        if user is None or user.is_disabled:
            raise UnauthorizedError
        if given.name and given.name.lower() != user.name:
            raise UnauthorizedError
        return user

    def _known(self, user: User) -> Caller:
        """Return a user with their rights, which matter only where something is restricted."""
        held: frozenset[str] = frozenset()
        if self._restricted:
            with self._engine.connect() as connection:
                held = users.processes_of(connection, user.name, user.groups)
        return Caller(user.name, user.groups, user.is_operator, held)


def _believed(request: Request) -> Caller:
    """Return who asks where nobody checks: the name goes to the jobs."""
    try:
        given = credentials_of(request)
    except UnauthorizedError:
        given = None
    name = getattr(given, "name", None) or ""
    return Caller(name if _PLAUSIBLE_NAME.fullmatch(name) else ANONYMOUS)
