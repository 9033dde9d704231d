"""What all tables share: names of constraints, the metadata, the type of a generated key."""

from sqlalchemy import BigInteger, Integer, MetaData, String

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
