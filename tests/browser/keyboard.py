"""A reader without a mouse: Tab, arrows, Space, Enter and letters, in a browser without scripts."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

_MOST_STOPS = 60
_FOCUSED = """() => {
    const it = document.activeElement
    if (!it || it === document.body) return null
    const words = element => element.innerText.replace(/\\s+/g, ' ').trim()
    const style = getComputedStyle(it)
    const box = it.getBoundingClientRect()
    return {
        name: it.labels && it.labels.length ? words(it.labels[0]) : words(it) || it.getAttribute('aria-label') || '',
        outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
        main: it.tagName === 'MAIN',
        tag: it.tagName, type: it.type || '',
    }
}"""


def focused(page: Page) -> dict[str, Any]:
    """What has the focus; it has to be on the screen, and to look as if it had."""
    found = page.evaluate(_FOCUSED)
    assert found, "nothing has the focus"
    assert found["seen"], f"{found['name']} has the focus off the screen"
    assert found["outlined"] or found["main"], f"{found['name']} has the focus and does not show it"
    return dict(found)


def tab_to(page: Page, name: str) -> None:
    """Tab until what begins with `name` has the focus: a link, a button, a field by its label."""
    stops = []
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            continue  # round the end of the page
        stops.append(focused(page)["name"])
        if stops[-1].startswith(name):
            return
    raise AssertionError(f"no Tab leads to {name!r}: {stops}")


def press(page: Page, name: str) -> None:
    """Tab to a link or a button and press it; the next page is there afterwards."""
    tab_to(page, name)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def write(page: Page, name: str, text: str) -> None:
    """Tab to a field, and write into it instead of what it holds."""
    tab_to(page, name)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)


def choose(page: Page, group: str, name: str) -> None:
    """Tab to a group of radio buttons whose chosen one, or first one, begins with `group`; take another by arrows."""
    tab_to(page, group)
    for _ in range(12):
        if focused(page)["name"].startswith(name):
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"no arrow leads from {group!r} to {name!r}")
