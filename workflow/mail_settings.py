"""The sections of `config.toml` about mail servers, and what every section is."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

Port = Annotated[int, Field(ge=1, le=65535, strict=True)]
Security = Literal["none", "starttls", "tls"]


class Section(BaseModel):
    """A section of config.toml: nothing in it that is not known, nothing changed once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Server(Section):
    """A mail server. The password is never in the file: `password_env` names the environment variable that holds it,
    `password_keyring` the service under which the system's keyring holds it for `user`.
    """

    host: str = Field(min_length=1)
    port: Port
    security: Security = "tls"
    user: str = ""
    password_env: str = ""
    password_keyring: str = ""
    timeout: float = Field(default=60, gt=0, le=3600)

    @field_validator("password_keyring")
    @classmethod
    def one_place(cls, service: str, info: ValidationInfo) -> str:
        if service and info.data.get("password_env"):
            raise ValueError("与 password_env 只能填写一个")
        if service and not info.data.get("user"):
            raise ValueError("密码在系统密钥环中按账号存放，请同时填写 user")
        return service


class Inbox(Server):
    """A mailbox, the folder polled, where read mail is moved ('' nowhere), messages a batch, and whether `run` listens for news."""

    folder: str = Field(default="INBOX", min_length=1)
    archive_folder: str = ""
    batch: int = Field(default=200, ge=1, le=1000)
    idle: bool = True


class Imap(Inbox):
    """The mailbox, and further folders or accounts that are polled too: what one of `more` leaves out is as above."""

    more: tuple[Inbox, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def inherited(cls, said: Any) -> Any:
        if not isinstance(said, dict) or not isinstance(said.get("more"), list):
            return said
        common = {key: value for key, value in said.items() if key != "more"}
        more = []
        for one in said["more"]:
            own = one if isinstance(one, dict) else {}
            password = {"password_env", "password_keyring"}
            kept = {
                key: value for key, value in common.items() if not (password & own.keys() and key in password)
            }
            more.append({**kept, **own} if isinstance(one, dict) else one)
        return {**common, "more": more}

    @model_validator(mode="after")
    def each_once(self) -> Self:
        places = [(box.host, box.user, box.folder) for box in self.boxes]
        if len(set(places)) < len(places):
            raise ValueError("同一文件夹列了两次")
        archives = {(box.host, box.user, box.archive_folder) for box in self.boxes}
        if archives & set(places):
            raise ValueError("移入的文件夹不能同时是收取的文件夹")
        return self

    @property
    def boxes(self) -> tuple[Inbox, ...]:
        return (self, *self.more)


class Rates(Section):
    """Letters in any minute, hour and day (the last 24 hours); 0 for no limit."""

    per_minute: int = Field(default=0, ge=0, strict=True)
    per_hour: int = Field(default=0, ge=0, strict=True)
    per_day: int = Field(default=0, ge=0, strict=True)


class Smtp(Server, Rates):
    """The relay and its limits; `answers_per_day` to an address about a unit; where sent letters are filed ('auto', '' nowhere)."""

    per_pass: int = Field(default=500, ge=1)
    per_connection: int = Field(default=0, ge=0)
    answers_per_day: int = Field(default=20, ge=0, strict=True)
    sent_folder: str = "auto"
    domains: dict[str, Rates] = {}

    @field_validator("domains")
    @classmethod
    def in_small_letters(cls, domains: dict[str, Rates]) -> dict[str, Rates]:
        for name in domains:
            if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", name):
                raise ValueError(f'“{name}”不是小写的邮箱域名，应写成 "163.com" = {{ per_day = 500 }} 的样子')
        return domains
