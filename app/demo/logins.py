"""Who may sign in to the demo world. Its data is made up, so its password is no secret."""

from __future__ import annotations

from dataclasses import dataclass

from app.accounts.roles import Role

PASSWORD = "wheelhouse demo"  # noqa: S105 - printed by `make run`; works in a demo tenant only


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """A login of the demo; the first of each role is printed and shown on the sign-in page."""

    username: str
    name: str
    role: Role


STAFF = (
    DemoLogin("admin", "管理员 Admin", Role.ADMIN),
    DemoLogin("dispatcher", "周调度", Role.DISPATCHER),
    DemoLogin("agent", "林客服", Role.AGENT),
    DemoLogin("agent2", "何客服", Role.AGENT),
    DemoLogin("finance", "钱会计", Role.FINANCE),
    DemoLogin("finance2", "孙主管", Role.FINANCE),
)
"""Logins without a row of their own behind them; shippers, hubs and couriers are made with theirs."""
