"""Write transactions that exclude each other, subject by subject.

SQLite has one writer at a time: what a write transaction has read is still true when it writes. On
PostgreSQL (READ COMMITTED) that holds within one statement only. Where a decision is taken on rows
that are not themselves written (a count of running jobs, the bytes promised of a pool), the
transaction first holds its subject: an advisory lock, let go when it ends, committed or not. Every
statement that follows sees what the earlier holders have committed. What is a compare-and-set of
one row needs no lock.

A transaction that holds several subjects takes them in the order of `Subject`, so that no two wait
for each other.
"""

from enum import IntEnum

from sqlalchemy import Connection, text

# The first of the two keys of an advisory lock: "PEPS". Others may use theirs in this database.
_PROGRAM = 0x50455053


class Subject(IntEnum):
    """What is decided by one transaction at a time."""

    SCHEMA = 1  # migrations
    JOBS = 2  # claims of jobs, admissions to the queue and to the pool
    ARCHIVE = 3  # requests, recalls and what the pool holds
    CATALOGUE = 4  # products and the cells that hold them
    LOGINS = 5  # passwords tried in vain
    DOWNLOADS = 6  # admissions of downloads


def hold(connection: Connection, subject: Subject) -> None:
    """Make what follows in this write transaction exclude others of the subject until it ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:program, :subject)"),
            {"program": _PROGRAM, "subject": int(subject)},
        )


def wait_without_limit(connection: Connection) -> None:
    """Let this transaction wait for its locks as long as others hold them."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = 0"))
