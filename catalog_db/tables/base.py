"""What all tables share: names of constraints, the metadata, the type of a generated key."""

import uuid

from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary, MetaData, String, TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)

# SQLite gives an alias of its rowid only to INTEGER PRIMARY KEY; PostgreSQL needs the 64 bits
# spelled out.
Key = BigInteger().with_variant(Integer(), "sqlite")


def ordered_text(length: int) -> String:
    """Return the type of text that is compared by its code points, as SQLite always does.

    PostgreSQL would follow the language of its database, where "a" < "B" and a range of a prefix
    holds other words.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class Uid(TypeDecorator[str]):
    """A uuid: text in Python, its 16 bytes in the database. Text that is none equals no row."""

    impl = LargeBinary(16)
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> bytes | None:
        """Return what the database compares or stores."""
        try:
            return None if value is None else uuid.UUID(value).bytes
        except ValueError:
            return b""

    def process_result_value(self, value: bytes | None, _dialect: Dialect) -> str | None:
        """Return the usual form with hyphens."""
        return None if value is None else str(uuid.UUID(bytes=bytes(value)))


class Digest(TypeDecorator[str]):
    """A checksum: hexadecimal text in Python, half as many bytes in the database."""

    impl = LargeBinary(64)
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> bytes | None:
        """Return what the database compares or stores; raise ValueError for other text."""
        return None if value is None else bytes.fromhex(value)

    def process_result_value(self, value: bytes | None, _dialect: Dialect) -> str | None:
        """Return lower-case hexadecimal digits."""
        return None if value is None else bytes(value).hex()
