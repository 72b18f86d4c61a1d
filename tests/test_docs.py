"""The documentation is held to the code: commands, settings, forms, events, links."""

from __future__ import annotations

import argparse
import re
import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from workflow.campaign_settings import Campaigns, CampaignSection
from workflow.cli import parser
from workflow.config import Config, load
from workflow.domain.checks import CATALOGUE
from workflow.domain.form import Aggregate, FieldType, Prefill, Severity
from workflow.domain.formulas import FUNCTIONS
from workflow.domain.letters import PRIORITY, LetterKind
from workflow.domain.roster import Role, UnitKind
from workflow.domain.trust import MAY, Act, Trust

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def commands(top: argparse.ArgumentParser, before: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that can be run, by its full name."""
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield from commands(command, f"{before}{name} ")
            return
    yield before.strip(), top


ALL = dict(commands(parser()))


@pytest.mark.parametrize("name", ALL)
def test_every_command_stands_in_the_commands_page(name: str) -> None:
    assert re.search(rf"\| `{name}[ `]", text("docs/commands.md")), name


@pytest.mark.parametrize("name", ALL)
def test_every_option_of_a_command_stands_beside_it(name: str) -> None:
    line = next(line for line in text("docs/commands.md").splitlines() if re.match(rf"\| `{name}[ `]", line))
    for action in ALL[name]._actions:
        for option in action.option_strings:
            assert option in {"-h", "--help"} or option in line, option


def test_the_commands_page_names_no_command_that_is_gone() -> None:
    named = re.findall(r"^\| `([a-z]+(?: [a-z]+)?)", text("docs/commands.md"), re.MULTILINE)
    assert {name for name in named if name not in ALL and name.split()[0] not in ALL} == set()


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_help_in_chinese(name: str) -> None:
    assert re.search(r"[一-鿿]", ALL[name].description or ""), name


def test_every_setting_stands_in_the_settings_page_and_in_the_shipped_file() -> None:
    page = text("docs/config.md")
    shipped = tomllib.loads(text("config.toml"))
    for section, field in Config.model_fields.items():
        assert f"`[{section}]`" in page
        model = field.annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        if model is Campaigns:  # one section a campaign; the shipped file shows it as a comment
            assert "[campaign." in text("config.toml")
            assert [key for key in CampaignSection.model_fields if f"`{key}`" not in page] == []
            continue
        for key in model.model_fields:
            assert f"`{key}`" in page, f"{section}.{key}"
            unshipped = section == "clock" or key == "timeout"
            assert unshipped or key in shipped[section], f"{section}.{key}"


def test_the_shipped_settings_are_the_defaults_where_they_may_be() -> None:
    shipped = load(ROOT / "config.toml")
    fresh = Config(letterhead=shipped.letterhead, imap=shipped.imap, smtp=shipped.smtp)
    assert shipped == fresh


def test_the_forms_page_lists_every_type_rule_word_and_function() -> None:
    page = text("docs/forms.md")
    words = [*FieldType, *Severity, *(a for a in Aggregate if a), *(p for p in Prefill if p), *FUNCTIONS]
    assert [word for word in words if word not in page] == []


def test_the_roster_page_lists_every_kind_and_role() -> None:
    page = text("docs/roster.md")
    assert [word for word in (*UnitKind, *Role) if word not in page] == []


def test_every_letter_has_its_templates_and_its_place_in_the_queue() -> None:
    for kind in LetterKind:
        for part in ("subject", "txt", "html"):
            assert (ROOT / f"templates/letters/{kind}.{part}.j2").is_file()
        assert kind in PRIORITY


def test_every_finding_says_something_in_chinese() -> None:
    assert all(re.search(r"[一-鿿]|\{message\}", words) for words in CATALOGUE.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_named_files_exist(page: Path) -> None:
    words = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", words)
    named = re.findall(r"`((?:tests|docs|workflow|tools|templates|rosters|bench)/[\w./-]+\.\w+)`", words)
    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [name for name in named if not (ROOT / name).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_tests_exist(page: Path) -> None:
    """`tests/…/test_x.py::test_name`, the file by a letter of its own where the page defines one."""
    words = page.read_text(encoding="utf-8")
    short = dict(re.findall(r"`([A-Z])` is `(tests/[\w/.]+\.py)`", words))
    missing = []
    for file, name in re.findall(r"`([\w/.]+)::(test_\w+)`", words):
        path = ROOT / short.get(file, file)
        if not path.exists() or not re.search(rf"def {name}\(", path.read_text(encoding="utf-8")):
            missing.append(f"{file}::{name}")
    assert missing == []


@pytest.mark.parametrize("page", ["docs/returned-workbooks.md", "docs/review.md"])
def test_a_page_of_what_is_held_names_a_test_in_every_row(page: str) -> None:
    rows = [line for line in text(page).splitlines() if line.startswith("| ")]
    assert [row for row in rows if "::test_" not in row and not row.endswith("| test |")] == []


def test_every_fault_names_a_test_that_exists() -> None:
    """A bare name is one of `tests/journeys/test_faults.py`; figures that were measured are no promise."""
    page = text("docs/faults.md")
    promises = page.partition("## Measured")[0] + page.partition("## What this office promises")[2]
    rows = [line for line in promises.splitlines() if line.startswith("| ") and not line.endswith("| test |")]
    assert len(rows) > 70
    assert [row for row in rows if not re.search(r"`(?:[\w/.]+::)?test_\w+`|`tests/[\w/]+\.py`", row)] == []
    bare = set(re.findall(r"`(test_\w+)`", promises))
    there = set(re.findall(r"def (test_\w+)\(", text("tests/journeys/test_faults.py")))
    assert bare - there == set()


def test_the_roster_s_sentences_each_name_a_test() -> None:
    table = text("docs/roster.md").split("## Sentence by sentence")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert len(rows) > 30
    assert [row for row in rows if "::test_" not in row and not row.endswith("| test |")] == []


def test_the_readme_names_the_two_commands_and_the_makefile_has_them() -> None:
    makefile = text("Makefile")
    for target in ("demo", "test"):
        assert f"make {target}" in text("README.md")
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_the_changelog_opens_with_what_is_not_released() -> None:
    assert re.search(r"^## \[Unreleased\]", text("CHANGELOG.md"), re.MULTILINE)


def test_every_decision_has_a_title_and_a_reason() -> None:
    for page in (ROOT / "docs" / "decisions").glob("*.md"):
        lines = page.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("# ")
        assert len("".join(lines[1:])) > 100


def test_the_state_diagrams_are_those_of_the_tables() -> None:
    drawing = runpy.run_path(str(ROOT / "tools" / "draw_states.py"))
    page = text("docs/state-machines.md")
    assert drawing["drawn"](page) == page, "run tools/draw_states.py"


def test_the_table_of_trust_is_the_code_s() -> None:
    rows = {
        cells[0]: cells[2:]
        for line in text("docs/trust.md").splitlines()
        if line.startswith("| ") and len(cells := [cell.strip() for cell in line.strip("|").split("|")]) > 2
    }
    assert rows.pop("level") == [act.value for act in Act]
    assert rows == {trust.value: [MAY[trust][act].value for act in Act] for trust in Trust}


def test_the_house_is_drawn_from_the_code() -> None:
    drawing = runpy.run_path(str(ROOT / "tools" / "draw_house.py"))
    known = drawing["modules"]()
    page = text("docs/architecture.md")
    assert drawing["drawn"](page, known) == page, "run tools/draw_house.py"
    assert text("docs/modules.md") == drawing["index"](known), "run tools/draw_house.py"
