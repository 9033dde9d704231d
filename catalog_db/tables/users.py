"""Users, their groups, rights and tokens, and the passwords that were tried in vain."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
)

from catalog_db.tables.base import metadata

# Not "user", which PostgreSQL keeps for itself.
account = Table(
    "account",
    metadata,
    # In lower case; as long as the owner of a job.
    Column("name", String(64), primary_key=True),
    # Argon2id in its PHC text; none: the user has tokens only.
    Column("password_hash", Text),
    # Sees and dismisses every job.
    Column("is_operator", Boolean, nullable=False, server_default=false()),
    Column("is_disabled", Boolean, nullable=False, server_default=false()),
    Column("created_us", BigInteger, nullable=False),
)

membership = Table(
    "membership",
    metadata,
    Column("account", String(64), ForeignKey("account.name"), primary_key=True),
    Column("group", String(64), primary_key=True),
)

process_right = Table(
    "process_right",
    metadata,
    # A restricted process, and who may order it: a user, or a group.
    Column("process", String(80), primary_key=True),
    Column("kind", String(5), primary_key=True),
    Column("holder", String(64), primary_key=True),
    CheckConstraint("kind IN ('user', 'group')", name="kind"),
    Index("ix_process_right_holder", "kind", "holder"),
)

token = Table(
    "token",
    metadata,
    # What it is called in lists; the token itself is not kept, only its SHA-256.
    Column("id", String(16), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("account", String(64), ForeignKey("account.name"), nullable=False),
    Column("label", String(80), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Index("ix_token_account", "account", "created_us"),
)

failed_login = Table(
    "failed_login",
    metadata,
    # SHA-256 of what failures are counted for: a user, an address, both.
    Column("subject", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Index("ix_failed_login_since_us", "since_us"),
)
