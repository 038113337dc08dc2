"""What happened stays as it was written: append-only tables, enforced by the database.

Revision: 0002
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Purposes of the platform's own book (see settlement.ledger); all others are of the custody book.
OWN_BOOK = ("platform_claim", "own_bank", "platform_revenue", "compensation_expense", "party_debt")

APPEND_ONLY = (
    "journal_entry",
    "journal_line",
    "journal_evidence",
    "scan",
    "container_scan",
    "packing_event",
    "case_event",
    "audit_entry",
    "epcis_event",
    "stop_event",
)


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
                USING ERRCODE = 'restrict_violation';
        END
        $$
        """
    )
    # 244 random bits of the server's own strong source.
    op.execute(
        """
        INSERT INTO installation (id, waybill_key)
        VALUES (1, substring(decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex') FOR 32))
        """
    )
    _partition_scans()
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    # The service inserts all lines of an entry in one statement, so each statement must balance.
    own_book = ", ".join(f"'{purpose}'" for purpose in OWN_BOOK)
    op.execute(
        f"""
        CREATE FUNCTION refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM added
                JOIN ledger_account AS account ON account.id = added.account_id
                GROUP BY added.entry_id, account.currency, account.purpose IN ({own_book})
                HAVING sum(added.amount_minor) <> 0
            ) THEN
                RAISE EXCEPTION 'journal lines that do not sum to zero' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER journal_line_balanced AFTER INSERT ON journal_line "
        "REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced()"
    )


def _partition_scans() -> None:
    """A partition for each month in which shipments are booked; a job makes those to come."""
    op.execute(
        """
        CREATE FUNCTION make_scan_partitions(first_month date, months integer) RETURNS integer
        LANGUAGE plpgsql AS $$
        DECLARE
            month date;
            made integer := 0;
        BEGIN
            FOR step IN 0 .. months - 1 LOOP
                month := date_trunc('month', first_month) + make_interval(months => step);
                IF to_regclass('scan_' || to_char(month, 'YYYY_MM')) IS NULL THEN
                    EXECUTE format(
                        'CREATE TABLE %I PARTITION OF scan FOR VALUES FROM (%L) TO (%L)',
                        'scan_' || to_char(month, 'YYYY_MM'), month, (month + interval '1 month')::date
                    );
                    EXECUTE format(
                        'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                        'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                        'scan_' || to_char(month, 'YYYY_MM')
                    );
                    made := made + 1;
                END IF;
            END LOOP;
            RETURN made;
        END
        $$
        """
    )
    op.execute(
        "SELECT make_scan_partitions((now() AT TIME ZONE 'UTC')::date - 400, 17)"  # 13 months back, 3 ahead
    )
    # For clocks beyond them: nothing is lost, and what is there is found.
    op.execute("CREATE TABLE scan_other PARTITION OF scan DEFAULT")


def downgrade() -> None:
    op.execute("DROP FUNCTION make_scan_partitions")
    op.execute("DROP TRIGGER journal_line_balanced ON journal_line")
    op.execute("DROP FUNCTION refuse_unbalanced()")
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
    op.execute("DROP FUNCTION refuse_change()")
