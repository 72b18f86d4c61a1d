"""How the sender of the quarterly baseline 基准数据 lays out his table; the section `[baseline]` of config.toml."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from workflow.domain.roster import UnitKind


class BaselineColumns(BaseModel):
    """How the sender heads his columns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(default="单位代码", min_length=1)
    name: str = Field(default="单位名称", min_length=1)
    kind: str = Field(default="单位类型", min_length=1)
    superior: str = Field(default="上级单位代码", min_length=1)

    @model_validator(mode="after")
    def apart(self) -> Self:
        """No two columns under one heading."""
        if len({self.code, self.name, self.kind, self.superior}) < len(BaselineColumns.model_fields):
            raise ValueError("四列的表头不能相同")
        return self


class BaselineTable(BaseModel):
    """The columns, and by the sender's word for a kind of unit our own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: BaselineColumns = BaselineColumns()
    kinds: dict[str, UnitKind] = {}
