"""How the ministry's list of accounts is headed; the section `[accounts.columns]` of config.toml."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class AccountColumns(BaseModel):
    """The headings. A list may lack 单位代码 or 单位名称, 角色 and the account of the old system."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(default="单位代码", min_length=1)
    name: str = Field(default="单位名称", min_length=1)
    role: str = Field(default="角色", min_length=1)
    account: str = Field(default="账号", min_length=1)
    password: str = Field(default="初始密码", min_length=1)
    former: str = Field(default="一期系统账号", min_length=1)

    @model_validator(mode="after")
    def apart(self) -> Self:
        """No two columns under one heading."""
        if len(set(self.model_dump().values())) < len(AccountColumns.model_fields):
            raise ValueError("各列的表头不能相同")
        return self
