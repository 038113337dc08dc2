"""Commands: serve, migrate, scheduler, demo, user, ledger (`python -m app.cli --help`)."""

from __future__ import annotations

import sys

import click

from app.accounts import queries as account_queries
from app.accounts import service as accounts
from app.accounts.roles import Role
from app.clock import utcnow
from app.config import Settings
from app.db import migrate as migrations
from app.db.session import Database
from app.ledger import queries as ledger_queries


@click.group()
def main() -> None:
    """Wheelhouse runs a courier company or a city-distribution platform."""


@main.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
def serve(port: int) -> None:
    """Start everything: database where none is named, migrations, demo world, web workers, scheduler."""
    from app import serve as supervisor

    sys.exit(supervisor.run(port))


@main.command()
def migrate() -> None:
    """Bring the database to the head of the migrations."""
    migrations.upgrade(_settings().database_url)
    click.echo(f"The database is at {migrations.head()}.")


@main.command()
def scheduler() -> None:
    """Run the scheduler process: relay, plan worker, and the jobs while it leads."""
    from app import logs
    from app import scheduler as scheduling

    settings = _settings()
    logs.configure(settings.log_level)
    scheduling.main(settings)


@main.group()
def demo() -> None:
    """The demo world."""


@demo.command()
@click.option("--seed", default=42, show_default=True)
@click.option("--parcels", default=5000, show_default=True, type=click.IntRange(1))
@click.option("--days", default=14, show_default=True, type=click.IntRange(2, 60))
@click.option("--if-empty", is_flag=True, help="Do nothing where a tenant exists, instead of refusing.")
def load(seed: int, parcels: int, days: int, if_empty: bool) -> None:
    """Build the demo world through the services and the API; refused where there is other data."""
    from app.demo import world

    sys.exit(world.load(_settings(), seed=seed, parcels=parcels, days=days, if_empty=if_empty))


@demo.command()
def logins() -> None:
    """Print one login for each role of the demo world."""
    from app.demo.logins import PASSWORD

    database = Database(_settings().database_url, pool_size=1)
    with database.unit_of_work(None) as session:
        for user in account_queries.demo_logins(session):
            click.echo(f"{user.role:<12}{user.username:<24}{PASSWORD}")


@main.command()
@click.option("--tenant", "tenant_code", required=True, help="The tenant's code; made when it is new.")
@click.option("--tenant-name", default=None, help="Its name, when it is new.")
@click.option("--username", required=True)
@click.option("--name", required=True)
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), default=Role.ADMIN.value, show_default=True
)
@click.password_option()
def user(
    tenant_code: str, tenant_name: str | None, username: str, name: str, role: str, password: str
) -> None:
    """Make a login, and its tenant when that is new: the first step of a real installation."""
    database = Database(_settings().database_url, pool_size=1)
    now = utcnow()
    with database.unit_of_work(None) as session:
        found = {tenant.code: tenant for tenant in account_queries.tenants(session)}
        tenant = found.get(tenant_code) or accounts.create_tenant(
            session, code=tenant_code, name=tenant_name or tenant_code, now=now
        )
        session.info["tenant_id"] = tenant.id
        accounts.create_user(
            session, username=username, name=name, role=Role(role), password=password, now=now
        )
    click.echo(f"{username} may sign in to {tenant_code} as {role}.")


@main.group()
def ledger() -> None:
    """The ledger."""


@ledger.command()
def verify() -> None:
    """Check that every entry sums to zero, every balance is the sum of its lines, and the chain holds."""
    database = Database(_settings().database_url, pool_size=1)
    with database.unit_of_work(None) as session:
        health = ledger_queries.health(session)
        broken = ledger_queries.broken_chain(session)
    click.echo(
        f"{health.entries} entries, {health.unbalanced_entries} unbalanced, "
        f"{health.wrong_balances} wrong balances, {len(broken)} breaks in the chain"
    )
    sys.exit(1 if health.unbalanced_entries or health.wrong_balances or broken else 0)


def _settings() -> Settings:
    return Settings()  # type: ignore[call-arg]  # filled from the environment


if __name__ == "__main__":
    main()
