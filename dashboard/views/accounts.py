"""Accounts: who can log in, with which role; the only page of the administrator, who sees no register."""

from __future__ import annotations

import pandas as pd

from dashboard import panels
from dashboard.panels import Visitor
from data import accounts
from data.accounts import Permission


def draw(visitor: Visitor) -> None:
    """Draw the page."""
    accounts.require(visitor.identity, Permission.MANAGE_USERS)
    t = visitor.t
    panels.open_page(t("账号"), t("新增、停用账号和重置密码用命令 gridpatrol user"))
    with visitor.wiring.store.reading() as session:
        users = accounts.list_users(session)
        rows = [
            {
                t("用户名"): user.username,
                t("姓名"): user.display_name,
                t("岗位"): user.role.label(visitor.language),
                t("状态"): t("启用") if user.active else t("停用"),
            }
            for user in users
        ]
    panels.draw_table(pd.DataFrame(rows), key="users")
