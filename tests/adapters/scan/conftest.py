"""The printed form, once a run, and a reader in its own process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.scans import sheets
from workflow.adapters.scan.worker import ScanReader
from workflow.domain.roster import UnitKind

if TYPE_CHECKING:
    from PIL import Image

    from tests.servers.office import Office


@pytest.fixture(scope="session")
def blank_form(soffice: Office, tmp_path_factory: pytest.TempPathFactory) -> Image.Image:
    """The form of a 省辖市, printed by LibreOffice, without name and code."""
    return sheets.blank(UnitKind.CITY, soffice, tmp_path_factory.mktemp("blank"))


@pytest.fixture(scope="session")
def reader() -> Iterator[ScanReader]:
    """One worker for all tests: its models load once."""
    with ScanReader() as worker:
        yield worker
