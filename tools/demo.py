"""`make demo`: this repository's own site, two weeks of it, from Markdown to three readers' outboxes.

Runs the commands that a person would type, with `--now` at two slots a week apart and a state of its own, so that it
says the same each time. Run again, it finds everything done and sends nothing twice. What was not played to its end,
or has lost its state (`build/` was removed), is played anew, with an empty `feeds/`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from pathlib import Path

from newsletter.cli.program import run

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / "build" / "demo" / "var"
READERS = ("ada@readers.example", "grace@readers.example", "linus@readers.example")
WEEKS = ("2022-02-04T08:00:05+01:00", "2022-02-11T08:00:05+01:00")
KEYS = """# Fixed keys, so that the demo's mail is the same bytes every time. A real site's are made at random.
tokens = ["the-demo-has-no-secrets-0123456789abcdef"]
suppression = "the-demo-has-no-secrets-suppression-key"
message_id = "the-demo-has-no-secrets-message-id-key"
bounce = "the-demo-has-no-secrets-bounce-key-1234"
"""


def main() -> int:
    began = time.perf_counter()
    os.chdir(ROOT)
    os.environ["NEWSLETTER_PATHS__STATE"] = str(STATE.relative_to(ROOT))
    anew = not any((STATE / "outbox" / "new").glob(f"{len(WEEKS)}.*.eml"))
    if anew:
        forget()
    fix_keys()
    say("Three readers, added by hand")
    for address in READERS:
        step("reader", "add", address, "--consent", "Agreed to be in the demo.", "--now", "2022-01-28T12:00:00+01:00")
    for number, now in enumerate(WEEKS, 1):
        if number < len(WEEKS) and not anew:
            continue  # what was published in the second week is not taken back for the first
        say(f"Week {number}: {now}")
        step("publish", "--now", now)
        step("prepare", "--now", now)
        step("deliver", "--now", now)
    say("What happened")
    step("issue", "list", "--now", WEEKS[-1])
    step("explain", READERS[0], "2", "--now", WEEKS[-1])
    show_places(time.perf_counter() - began)
    return 0


def forget() -> None:
    """The state of an earlier demo, and what it published: all of that was made from `posts/`."""
    shutil.rmtree(STATE, ignore_errors=True)
    for path in (ROOT / "feeds").glob("*"):
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != ".gitkeep":
            path.unlink()


def fix_keys() -> None:
    STATE.mkdir(parents=True, exist_ok=True)
    keys = STATE / "keys.toml"
    if not keys.exists():
        keys.touch(mode=0o600)
        keys.write_text(KEYS, encoding="utf-8")


def say(title: str) -> None:
    print(f"\n── {title}", flush=True)


def step(*words: str) -> None:
    """One command, shown as typed, timed; a failure ends the demo."""
    print(f"$ newsletter {shlex.join(words)}", flush=True)
    began = time.perf_counter()
    status = run(list(words))
    print(f"  ({(time.perf_counter() - began) * 1000:,.0f} ms)", flush=True)
    if status:
        sys.exit(status)


def show_places(seconds: float) -> None:
    box = STATE / "outbox" / "new"
    say(f"Done in {seconds:.1f} s. Where to look")
    print("Feeds      feeds/rss.xml   feeds/atom.xml   feeds/feed.json")
    print("Web        feeds/index.html")
    print("Issue      feeds/issues/2/index.html")
    for label, kind in (("Mail", "[0-9]*.eml"), ("Notices", "notice.*.eml")):
        print(f"{label:<11}" + f"\n{'':11}".join(str(mail.relative_to(ROOT)) for mail in sorted(box.glob(kind))))
    print("Browse     NEWSLETTER_PATHS__STATE=build/demo/var .venv/bin/newsletter serve")


if __name__ == "__main__":
    sys.exit(main())
