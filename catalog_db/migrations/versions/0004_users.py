"""Users, groups, rights and tokens.

Revision 0004, after 0003. Before, the service was open to everybody.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_accounts()
    _create_rights()
    _create_tokens()
    _create_failed_logins()


def downgrade() -> None:
    op.drop_table("failed_login")
    op.drop_table("token")
    op.drop_table("process_right")
    op.drop_table("membership")
    op.drop_table("account")


def _create_accounts() -> None:
    op.create_table(
        "account",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("is_operator", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("is_disabled", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_account")),
    )
    op.create_table(
        "membership",
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("group", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.name"], name=op.f("fk_membership_account")),
        sa.PrimaryKeyConstraint("account", "group", name=op.f("pk_membership")),
    )


def _create_rights() -> None:
    op.create_table(
        "process_right",
        sa.Column("process", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(5), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.CheckConstraint("kind IN ('user', 'group')", name=op.f("ck_process_right_kind")),
        sa.PrimaryKeyConstraint("process", "kind", "holder", name=op.f("pk_process_right")),
    )
    op.create_index("ix_process_right_holder", "process_right", ["kind", "holder"])


def _create_tokens() -> None:
    op.create_table(
        "token",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("label", sa.String(80), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.name"], name=op.f("fk_token_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_token_digest")),
    )
    op.create_index("ix_token_account", "token", ["account", "created_us"])


def _create_failed_logins() -> None:
    op.create_table(
        "failed_login",
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_failed_login")),
    )
    op.create_index("ix_failed_login_since_us", "failed_login", ["since_us"])
