"""`newsletter templates`, as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from newsletter.cli.program import run
from tests.acceptance.harness import SiteFolder

TAKE = "email/blocks/take.html"
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    site = SiteFolder(tmp_path).configure()

    def call(*words: str) -> tuple[int, str, str]:
        status = run(["--site", str(site.root), "templates", *words])
        told = capsys.readouterr()
        return status, told.out, told.err

    return call


def answered(typed: Typed, *words: str) -> Any:
    status, out, err = typed(*words, "--json")
    assert status == 0, err
    return json.loads(out)


def test_a_block_is_copied_changed_and_compared(typed: Typed, tmp_path: Path) -> None:
    assert answered(typed, "copy", TAKE, "--dry-run") == {"path": f"templates/{TAKE}", "dry_run": True}
    assert typed("copy", TAKE, "--dry-run")[1].startswith(f"Would write templates/{TAKE}.")
    assert typed("copy", TAKE)[1].startswith(f"Wrote templates/{TAKE}.")
    assert typed("copy", TAKE)[0] == 3
    assert f"{TAKE} says what the built-in one says." in typed("diff")[1]
    own = tmp_path / "templates" / TAKE
    own.write_text(own.read_text().replace("take tint", "ours tint"))
    assert '+<div class="take-space">' in typed("diff", TAKE)[1]
    assert [one["name"] for one in answered(typed, "list") if one["standing"] == "own"] == [TAKE]


def test_what_is_not_there_is_told_with_a_way_on(typed: Typed) -> None:
    assert typed("diff")[1].startswith("No template of this site's own")
    assert typed("diff", "web/home.html")[1].startswith("web/home.html is the built-in one")
    status, _, err = typed("copy", "take")
    assert (status, f"Did you mean {TAKE}?" in err) == (2, True)
