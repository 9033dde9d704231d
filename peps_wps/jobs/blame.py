"""Which input of an order a failure is about: its locator in the reports of every protocol."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from catalog_db.catalogue import products
from catalog_db.engine import Connection
from catalog_db.processing.jobs import Job
from peps_wps.errors import InvalidInputError
from storage.errors import ProductWithdrawnError


class Blame(NamedTuple):
    """The exception code of a failure, and the input that it is about, if any."""

    code: str = "NoApplicableCode"
    locator: str | None = None


NO_BLAME = Blame()


def blame_of(error: Exception, inputs: Mapping[str, Sequence[str]]) -> Blame:
    """Return what an error says of the inputs of its job."""
    if isinstance(error, InvalidInputError):
        return Blame("InvalidParameterValue", error.locator)
    if isinstance(error, ProductWithdrawnError):
        return _blame_input(inputs, {error.title})
    return NO_BLAME


def blame_products(connection: Connection, job: Job, uids: Iterable[str]) -> Blame:
    """Return which input of a job named one of these products, by identifier or by title."""
    found = (products.get(connection, uid) for uid in uids)
    names = {name for one in found if one is not None for name in (one.uid, one.title)}
    return _blame_input(job.inputs, names)


def _blame_input(inputs: Mapping[str, Sequence[str]], names: set[str]) -> Blame:
    for identifier, values in inputs.items():
        if names.intersection(values):
            return Blame("InvalidParameterValue", identifier)
    return NO_BLAME
