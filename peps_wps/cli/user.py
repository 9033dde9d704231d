"""`peps user`: who may order and download, with what rights and tokens.

A password is never an argument: arguments stand in the list of processes and in histories.
"""

import argparse
import getpass
import secrets
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from difflib import SequenceMatcher
from pathlib import Path

from catalog_db import times
from catalog_db.access import tokens, users
from catalog_db.access.tokens import Token
from catalog_db.access.users import Holder, Right, User
from catalog_db.engine import Engine
from catalog_db.errors import CatalogError
from peps_wps import logs
from peps_wps.access import tokens as token_texts
from peps_wps.access.passwords import PasswordError, hash_password
from peps_wps.cli.terminal import JOB_FAILED, OK, USAGE, answer, answer_json, say
from peps_wps.config import Config
from peps_wps.services import open_catalogue

TOKEN_DAYS = 90
_GENERATED_BYTES = 15  # 20 letters, 120 bits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = _action(actions, "add", "add a user")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--group", action="append", default=[], help="repeat for several")
    add.add_argument("--operator", action="store_true", help="sees and dismisses every job")
    password = _action(actions, "password", "set the password of a user; fetched tokens end")
    password.add_argument("name", metavar="NAME")
    for command in (add, password):
        _add_password(command)
    _action(actions, "list", "list users, their groups and rights")
    for name, text in (("disable", "shut users out, at once"), ("enable", "let them in again")):
        command = _action(actions, name, text)
        command.add_argument("names", nargs="+", metavar="NAME")
    for name, text in (("join", "put a user into groups"), ("leave", "take a user out of groups")):
        command = _action(actions, name, text)
        command.add_argument("name", metavar="NAME")
        command.add_argument("groups", nargs="+", metavar="GROUP")
    for name, text in (
        ("grant", "give the right to restricted processes"),
        ("revoke", "take the right to restricted processes away"),
    ):
        command = _action(actions, name, text)
        command.add_argument("holder", metavar="NAME")
        command.add_argument("processes", nargs="+", metavar="PROCESS")
        command.add_argument("--group", action="store_true", help="NAME is that of a group")
    token = _action(actions, "token", "make a token, list or revoke those of a user")
    token.add_argument("name", metavar="NAME")
    token.add_argument("--label", default="", help="what the token is for")
    token.add_argument("--days", type=float, default=TOKEN_DAYS, help="default: %(default)s")
    what = token.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="list the tokens of the user")
    what.add_argument("--revoke", metavar="ID", help="end a token")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked; return the exit code."""
    config = Config.load(var=arguments.var)
    logs.configure(config.logging)
    engine = open_catalogue(config)
    try:
        return _ACTIONS[arguments.action](arguments, engine)
    except (CatalogError, PasswordError) as error:
        say(f"peps: {error}")
        return JOB_FAILED
    finally:
        engine.dispose()


def _add(arguments: argparse.Namespace, engine: Engine) -> int:
    name = users.canonical_name(arguments.name)
    password, is_generated = _new_password(arguments)
    user = User(
        name=name,
        created=times.now(),
        password_hash=None if password is None else hash_password(password),
        is_operator=arguments.operator,
        groups=frozenset(arguments.group),
    )
    with engine.begin() as connection:
        users.add(connection, user)
    _tell_password(arguments, name, password if is_generated else None)
    return OK


def _password(arguments: argparse.Namespace, engine: Engine) -> int:
    with engine.connect() as connection:
        user = users.require(connection, arguments.name)
    password, is_generated = _new_password(arguments)
    stored = None if password is None else hash_password(password)
    with engine.begin() as connection:
        users.set_password(connection, user.name, stored)
        # Who knew the old one may have fetched some.
        tokens.revoke_labelled(connection, user.name, token_texts.FETCHED)
    _tell_password(arguments, user.name, password if is_generated else None)
    return OK


def _list(arguments: argparse.Namespace, engine: Engine) -> int:
    with engine.connect() as connection:
        found = users.list_users(connection)
        rights = users.list_rights(connection)
    if arguments.json:
        answer_json({"users": [_fields(user) for user in found], "rights": _held(rights)})
        return OK
    for user in found:
        marks = [*sorted(user.groups)]
        marks += ["(operator)"] if user.is_operator else []
        marks += ["(no password)"] if user.password_hash is None else []
        marks += ["(disabled)"] if user.is_disabled else []
        answer("  ".join([user.name, *marks]))
    for right in rights:
        kind = "group " if right.holder.kind == "group" else ""
        answer(f"{right.process}: {kind}{right.holder.name}")
    return OK


def _set_disabled(arguments: argparse.Namespace, engine: Engine) -> int:
    """Disable or enable users: all that are named, or none."""
    with engine.begin() as connection:
        for name in arguments.names:
            users.set_disabled(connection, name, is_disabled=arguments.action == "disable")
    return _done(arguments, {"names": arguments.names})


def _set_groups(arguments: argparse.Namespace, engine: Engine) -> int:
    change = users.join if arguments.action == "join" else users.leave
    with engine.begin() as connection:
        change(connection, arguments.name, arguments.groups)
        groups = sorted(users.require(connection, arguments.name).groups)
    return _done(arguments, {"name": arguments.name, "groups": groups})


def _grant(arguments: argparse.Namespace, engine: Engine) -> int:
    from processes import PROCESSES

    offered = [one.identifier for one in PROCESSES]
    for name in arguments.processes:
        if name not in offered:
            say(f"peps: there is no process {name}: {', '.join(_nearest_first(name, offered))}")
            return USAGE
    with engine.begin() as connection:
        for right in _rights(arguments):
            users.grant(connection, right)
    return _done(arguments, {"rights": _held(_rights(arguments))})


def _nearest_first(name: str, offered: Iterable[str]) -> list[str]:
    """Return names in the order of their likeness to one, whatever its case."""

    def likeness(one: str) -> float:
        return SequenceMatcher(None, name.upper(), one.upper()).ratio()

    return sorted(offered, key=likeness, reverse=True)


def _revoke(arguments: argparse.Namespace, engine: Engine) -> int:
    """Take rights away; one that was not held does not stop the others."""
    code = OK
    with engine.begin() as connection:
        for right in _rights(arguments):
            if not users.revoke(connection, right):
                say(f"peps: {right.holder.name} had no right to {right.process}")
                code = JOB_FAILED
    return code


def _token(arguments: argparse.Namespace, engine: Engine) -> int:
    with engine.connect() as connection:
        user = users.require(connection, arguments.name)
    if arguments.list:
        return _list_tokens(arguments, engine, user)
    if arguments.revoke:
        with engine.begin() as connection:
            if tokens.revoke(connection, user.name, arguments.revoke):
                return OK
        say(f"peps: {user.name} has no token {arguments.revoke}")
        return JOB_FAILED
    if not 0 < arguments.days <= 3660:
        say(f"peps: --days {arguments.days}: expected above 0 and up to 3660")
        return USAGE
    text, issued = token_texts.issue(
        engine, user.name, label=arguments.label, lasts=timedelta(days=arguments.days)
    )
    if arguments.json:
        answer_json({**_token_fields(issued), "token": text})
    else:
        answer(text)
        say(f"Token {issued.id} of {user.name}, until {issued.expires:%Y-%m-%d}; not shown again.")
    return OK


def _list_tokens(arguments: argparse.Namespace, engine: Engine, user: User) -> int:
    with engine.connect() as connection:
        found = tokens.list_tokens(connection, user.name)
    if arguments.json:
        answer_json([_token_fields(one) for one in found])
    for one in () if arguments.json else found:
        answer(f"{one.id}  until {one.expires:%Y-%m-%d %H:%M}  {one.label}")
    return OK


_ACTIONS: dict[str, Callable[[argparse.Namespace, Engine], int]] = {
    "add": _add,
    "password": _password,
    "list": _list,
    "disable": _set_disabled,
    "enable": _set_disabled,
    "join": _set_groups,
    "leave": _set_groups,
    "grant": _grant,
    "revoke": _revoke,
    "token": _token,
}


def _action(
    actions: "_Actions[argparse.ArgumentParser]", name: str, text: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = actions.add_parser(name, help=text)
    command.add_argument("--json", action="store_true", help="answer in JSON")
    command.add_argument(
        "--var",
        type=Path,
        metavar="DIR",
        help="folder of all state (default: PEPS_VAR, else ./var)",
    )
    return command


_Actions = argparse._SubParsersAction  # argparse has no public name for it


def _add_password(command: argparse.ArgumentParser) -> None:
    how = command.add_mutually_exclusive_group()
    how.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input"
    )
    how.add_argument("--generate", action="store_true", help="make a password and show it")
    how.add_argument("--no-password", action="store_true", help="tokens only")


def _new_password(arguments: argparse.Namespace) -> tuple[str | None, bool]:
    """Return the password to set and whether it was made here: without a terminal, one is."""
    if arguments.no_password:
        return None, False
    if arguments.password_stdin:
        return sys.stdin.readline().removesuffix("\n").removesuffix("\r"), False
    if arguments.generate or not sys.stdin.isatty():
        return secrets.token_urlsafe(_GENERATED_BYTES), True
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise PasswordError("the two differ")
    return first, False


def _tell_password(arguments: argparse.Namespace, name: str, password: str | None) -> None:
    if arguments.json:
        answer_json({"name": name, **({} if password is None else {"password": password})})
    elif password is not None:
        answer(password)
        say(f"The password of {name}; not shown again.")


def _rights(arguments: argparse.Namespace) -> list[Right]:
    holder = Holder("group" if arguments.group else "user", arguments.holder)
    return [Right(process, holder) for process in arguments.processes]


def _held(rights: list[Right]) -> list[dict[str, str]]:
    return [{"process": one.process, one.holder.kind: one.holder.name} for one in rights]


def _fields(user: User) -> dict[str, object]:
    """Return what a machine is told of a user: no hash."""
    return {
        "name": user.name,
        "groups": sorted(user.groups),
        "is_operator": user.is_operator,
        "is_disabled": user.is_disabled,
        "has_password": user.password_hash is not None,
        "created": user.created.isoformat(),
    }


def _token_fields(token: Token) -> dict[str, object]:
    return {
        "id": token.id,
        "user": token.user,
        "label": token.label,
        "created": token.created.isoformat(),
        "expires": token.expires.isoformat(),
    }


def _done(arguments: argparse.Namespace, told: dict[str, object]) -> int:
    if arguments.json:
        answer_json(told)
    return OK
