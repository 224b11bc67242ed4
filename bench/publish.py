"""How long a publish takes, beside the peers: cold, nothing changed, one post edited; wall seconds and peak memory.

Every program builds the same texts (`bench.corpus`) on this machine, the runs of all of them taking turns, so that a
busy machine is busy for all. Medians of three. Hugo, Pelican and Eleventy are measured where they can be had: Hugo as
the Debian package, Pelican and Eleventy installed into `build/bench`. Newsletter builds its feeds, archived feeds,
topic pages and search index as well; the peers build a page per post, a list, tag pages and one feed.

    python -m bench.publish [--posts 1000,10000] [--runs 3] [--limit SECONDS]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path

from bench import corpus
from bench.corpus import Text

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "build" / "bench"
STATES = ("cold", "unchanged", "one edit")


@dataclass(frozen=True, slots=True)
class Run:
    seconds: float
    processor: float  # seconds of all processors; says more than the clock on a machine that others use as well
    megabytes: float  # of the largest process


@dataclass(slots=True)
class Program:
    """One way to build a site: how to lay it out, what to call, what to throw away before a cold build."""

    name: str
    command: list[str]
    lay_out: Callable[[Path, Sequence[Text]], None]
    built: tuple[str, ...]
    content: str
    runs: dict[str, list[Run]] = field(default_factory=lambda: {state: [] for state in STATES})

    def median(self, state: str) -> Run | None:
        runs = self.runs[state]
        if not runs:
            return None
        return Run(*(statistics.median(getattr(run, f.name) for run in runs) for f in fields(Run)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", default="1000,10000", help="sizes, joined by commas")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--limit", type=float, default=600.0, help="seconds that one run may take")
    parser.add_argument("--only", default="", help="programs, joined by commas")
    given = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    colds: dict[int, float] = {}
    for count in map(int, given.posts.split(",")):
        programs = [p for p in _programs() if not given.only or p.name.lower() in given.only.lower().split(",")]
        _measure(programs, count, given.runs, given.limit)
        _tell(programs, count)
        own = programs[0].median("cold")
        if own:
            colds[count] = own.seconds
    if len(colds) > 1:
        small, large = min(colds), max(colds)
        print(f"\n{large:,} posts take {colds[large] / colds[small]:.1f} × as long as {small:,}")


def _programs() -> Iterator[Program]:
    own = [str(Path(sys.executable).with_name("newsletter")), "publish", "-q", "--site", "."]
    yield Program("Newsletter", own, _newsletter, ("feeds", "var"), "posts")
    hugo = shutil.which("hugo")
    if hugo:
        yield Program("Hugo", [hugo, "--quiet"], _hugo, ("public", "resources"), "content/posts")
    else:
        print("Hugo is left out: apt-get install hugo")
    if pelican := _pelican():
        yield Program("Pelican", [*pelican, "content", "-q"], _pelican_site, ("output",), "content")
    if eleventy := _eleventy():
        yield Program("Eleventy", [*eleventy, "--quiet"], _eleventy_site, ("_site",), "posts")


def _pelican() -> list[str] | None:
    place = HOME / "pelican"
    if not (place / "bin" / "pelican").exists():
        venv = [sys.executable, "-m", "venv", str(place)]
        install = [str(place / "bin" / "pip"), "install", "-q", "pelican[markdown]==4.12.0"]
        if not all(_did(step, "Pelican") for step in (venv, install)):
            return None
    return [str(place / "bin" / "pelican")]


def _eleventy() -> list[str] | None:
    npm, place = shutil.which("npm"), HOME / "eleventy"
    if not npm:
        print("Eleventy is left out: there is no npm")
        return None
    program = place / "node_modules" / ".bin" / "eleventy"
    if not program.exists():
        place.mkdir(parents=True, exist_ok=True)
        install = [npm, "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(place)]
        if not _did([*install, "@11ty/eleventy@3"], "Eleventy"):
            return None
    return [str(program)]


def _did(command: list[str], name: str) -> bool:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"{name} is left out: {command[0]} failed ({type(error).__name__})")
        return False
    return True


def _measure(programs: Sequence[Program], count: int, runs: int, limit: float) -> None:
    texts = list(corpus.texts(count))
    sites = {program.name: HOME / f"{program.name.lower()}-{count}" for program in programs}
    for program in programs:
        shutil.rmtree(sites[program.name], ignore_errors=True)
        sites[program.name].mkdir(parents=True)
        program.lay_out(sites[program.name], texts)
    time.sleep(3)  # files that were written just now are not taken for settled
    for number in range(runs):
        for program in programs:
            with suppress(subprocess.TimeoutExpired):
                _round(program, sites[program.name], number, limit)
    for site in sites.values():
        shutil.rmtree(site)


def _round(program: Program, site: Path, number: int, limit: float) -> None:
    for name in program.built:
        shutil.rmtree(site / name, ignore_errors=True)
    program.runs["cold"].append(_timed(program.command, site, limit))
    if program.name == "Newsletter":
        _timed(program.command, site, limit)  # notes that all is settled, as the second run of any day does
    program.runs["unchanged"].append(_timed(program.command, site, limit))
    posts = sorted((site / program.content).glob("*post-*.md"))
    with posts[len(posts) // 2].open("a", encoding="utf-8") as post:
        post.write(f"\nOne more sentence, number {number}.\n")
    program.runs["one edit"].append(_timed(program.command, site, limit))


def _timed(command: list[str], site: Path, limit: float) -> Run:
    """One run in a process of its own, whose largest child counts for the memory."""
    report = site / ".peak"
    script = [sys.executable, "-m", "bench.publish", "--child", str(report), *command]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(script, cwd=site, env=environment, check=True, timeout=limit, stdout=subprocess.DEVNULL)
    seconds, processor, kilobytes = map(float, report.read_text().split())
    report.unlink()
    return Run(seconds, processor, kilobytes / 1024)


def _child(report: str, *command: str) -> None:
    began = time.perf_counter()
    done = subprocess.run(command, check=False)
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    Path(report).write_text(f"{seconds} {used.ru_utime + used.ru_stime} {used.ru_maxrss}")
    sys.exit(done.returncode)


def _tell(programs: Sequence[Program], count: int) -> None:
    machine = f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    print(f"\n{count:,} posts of {corpus.WORDS} words; medians; {machine}")
    wall, busy = ("".join(f"{f'{state}{what}':>16}" for state in STATES) for what in ("", ", CPU"))
    print(f"{'':<12}{wall}{busy}{'memory':>12}")
    for program in programs:
        medians = [program.median(state) for state in STATES]
        clock = "".join(f"{run.seconds:14.2f} s" if run else f"{'–':>16}" for run in medians)
        processor = "".join(f"{run.processor:14.2f} s" if run else f"{'–':>16}" for run in medians)
        peak = max((run.megabytes for run in medians if run), default=0.0)
        print(f"{program.name:<12}{clock}{processor}{peak:9.0f} MB")
    own = programs[0]
    for peer in programs[1:]:
        ratios = [_ratio(own.median(state), peer.median("cold")) for state in STATES]
        print(f"of {peer.name}'s full build: " + ", ".join(f"{s} {r}" for s, r in zip(STATES, ratios, strict=True)))


def _ratio(own: Run | None, peer: Run | None) -> str:
    return f"{own.seconds / peer.seconds:.2f}" if own and peer else "–"


# --- how each program wants its posts


def _newsletter(site: Path, texts: Sequence[Text]) -> None:
    corpus.settings(site)
    for text in texts:
        (site / "posts" / text.name).write_text(corpus.post(text), encoding="utf-8")


def _hugo(site: Path, texts: Sequence[Text]) -> None:
    (site / "content" / "posts").mkdir(parents=True)
    (site / "layouts" / "_default").mkdir(parents=True)
    settings = ['baseURL = "https://bench.example/"', 'title = "Bench"', "[permalinks]", 'posts = "/posts/:slug/"']
    (site / "config.toml").write_text("\n".join(settings), encoding="utf-8")
    (site / "layouts" / "_default" / "single.html").write_text(
        _frame(
            "{{ .Title }}",
            "<h1>{{ .Title }}</h1>{{ .Content }}"
            '{{ range .Params.tags }}<a href="/tags/{{ . | urlize }}/">{{ . }}</a>{{ end }}'
            '{{ with .PrevInSection }}<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}'
            '{{ with .NextInSection }}<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}',
        )
    )
    (site / "layouts" / "_default" / "list.html").write_text(
        _frame(
            "{{ .Title }}",
            '<ul>{{ range .Pages }}<li><a href="{{ .RelPermalink }}">{{ .Title }}</a></li>{{ end }}</ul>',
        )
    )
    for text in texts:
        head = f"title: {text.title}\nslug: {text.slug}\ndate: {text.day}\ntags: [{', '.join(text.tags)}]"
        (site / "content" / "posts" / text.name).write_text(f"---\n{head}\n---\n\n{text.body}", encoding="utf-8")


def _pelican_site(site: Path, texts: Sequence[Text]) -> None:
    (site / "content").mkdir()
    settings = [
        "SITENAME = 'Bench'",
        "SITEURL = 'https://bench.example'",
        "TIMEZONE = 'Europe/Madrid'",
        "ARTICLE_URL = 'posts/{slug}/'",
        "ARTICLE_SAVE_AS = 'posts/{slug}/index.html'",
        "FEED_ALL_ATOM = 'atom.xml'",
        "FEED_MAX_ITEMS = 50",
        "DEFAULT_PAGINATION = 50",
    ]
    (site / "pelicanconf.py").write_text("\n".join(settings) + "\n", encoding="utf-8")
    for text in texts:
        head = f"Title: {text.title}\nSlug: {text.slug}\nDate: {text.day}\nTags: {', '.join(text.tags)}"
        (site / "content" / text.name).write_text(f"{head}\n\n{text.body}", encoding="utf-8")


def _eleventy_site(site: Path, texts: Sequence[Text]) -> None:
    (site / "posts").mkdir()
    (site / "_includes").mkdir()
    page = _frame("{{ title }}", "<h1>{{ title }}</h1>{{ content }}{% for tag in tags %}<i>{{ tag }}</i>{% endfor %}")
    (site / "_includes" / "post.liquid").write_text(page, encoding="utf-8")
    links = (
        '<ul>{% for post in collections.all %}<li><a href="{{ post.url }}">{{ post.data.title }}</a></li>{% endfor %}'
    )
    (site / "index.liquid").write_text(_frame("Bench", f"{links}</ul>"), encoding="utf-8")
    (site / "posts" / "posts.json").write_text('{"layout": "post.liquid", "permalink": "/posts/{{ slug }}/"}')
    for text in texts:
        head = f"title: {text.title}\nslug: {text.slug}\ndate: {text.day}\ntags: [{', '.join(text.tags)}]"
        (site / "posts" / text.name).write_text(f"---\n{head}\n---\n\n{text.body}", encoding="utf-8")


def _frame(title: str, body: str) -> str:
    head = f'<head><meta charset="utf-8"><title>{title}</title></head>'
    return f'<!doctype html><html lang="en">{head}<body>{body}</body></html>'


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(*sys.argv[2:])
    else:
        main()
