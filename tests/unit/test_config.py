"""`newsletter.toml` and the environment: what is read, what wins, and each refusal with its line."""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from newsletter import config
from newsletter.config import Config
from newsletter.errors import ConfigError, Problem

SITE = '[site]\ntitle = "Auto Trendy"\nurl = "https://autotrendy.example/"\n'


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.upper().startswith("NEWSLETTER_"):
            monkeypatch.delenv(name)


def load(root: Path, more: str = "", *, first: str = "", site: str = SITE) -> Config:
    write(root, f"{first}{site}{more}")
    return config.load(root)


def write(root: Path, text: str) -> None:
    (root / "newsletter.toml").write_text(text, encoding="utf-8")


def problems(root: Path, text: str) -> list[Problem]:
    write(root, text)
    with pytest.raises(ConfigError) as refused:
        config.load(root)
    return list(refused.value.problems)


def told(root: Path, text: str) -> list[tuple[str, int, str]]:
    return [(p.code, p.line, p.message) for p in problems(root, text)]


# --- what is read


def test_title_and_address_are_enough(tmp_path: Path) -> None:
    read = load(tmp_path)
    assert (read.site.url, read.site.web_url) == ("https://autotrendy.example", "https://autotrendy.example")
    assert (read.site.authority, read.site.sender.list_id) == ("autotrendy.example", "weekly.autotrendy.example")
    assert (read.site.sender.name, read.site.take_label) == ("Auto Trendy", "Auto Trendy's take")
    assert (read.cadence.weekday, read.cadence.at, read.cadence.late_limit) == (4, time(8), timedelta(hours=2))
    assert (read.mail.sandbox, read.site.review) == (True, True)
    assert read.database == f"sqlite:///{tmp_path / 'var' / 'newsletter.sqlite3'}"


def test_every_section_reaches_its_place(tmp_path: Path) -> None:
    read = load(
        tmp_path,
        '[people.news-desk]\nname = "News desk"\nrole = "editor"\n'
        '[cadence]\nweekday = "monday"\ntime = "17:30"\ntimezone = "Asia/Tokyo"\nlate_limit = "90m"\n'
        "first_slot = 2026-11-30\n"
        '[web]\nurl = "https://web.autotrendy.example"\n[paths]\nstate = "state"\noutput = "public"\n',
        first='review = "off"\nkeys_file = "secret/keys.toml"\n',
    )
    assert read.site.people["news-desk"].role == "editor"
    assert (read.cadence.weekday, read.cadence.at, str(read.cadence.zone)) == (0, time(17, 30), "Asia/Tokyo")
    assert (read.cadence.late_limit, read.cadence.first_slot) == (timedelta(minutes=90), date(2026, 11, 30))
    assert (read.site.web_url, read.site.review) == ("https://web.autotrendy.example", False)
    assert (read.state, read.output) == (tmp_path / "state", tmp_path / "public")
    assert read.keys_file == tmp_path / "secret" / "keys.toml"


def test_proxies_are_trusted_by_address_and_by_network(tmp_path: Path) -> None:
    assert load(tmp_path).trusted_proxies == ("127.0.0.1", "::1")
    read = load(tmp_path, '[web]\ntrusted_proxies = ["10.0.0.7", "2001:db8::/32"]\n')
    assert read.trusted_proxies == ("10.0.0.7", "2001:db8::/32")


@pytest.mark.parametrize("proxy", ["*", "localhost", "10.0.0.7/8", "10.0.0.0/33", ""])
def test_what_is_no_address_and_no_network_is_no_proxy(tmp_path: Path, proxy: str) -> None:
    (found,) = told(tmp_path, f'{SITE}[web]\ntrusted_proxies = ["{proxy}"]\n')
    assert found[:2] == ("C107", 5)
    assert "is not an address or a network such as 127.0.0.1 or 10.0.0.0/8" in found[2]


def test_a_time_may_be_written_as_toml_writes_times(tmp_path: Path) -> None:
    assert load(tmp_path, "[cadence]\ntime = 09:15:00\n").cadence.at == time(9, 15)


def test_the_weekly_edition_is_always_there_and_others_are_switched_on(tmp_path: Path) -> None:
    assert load(tmp_path).editions == ("weekly",)
    both = load(tmp_path, '[editions]\nmonthly = "Last  Sunday 23:30"\neach_post = true\neach_post_delay = "5m"\n')
    assert both.editions == ("weekly", "monthly", "each-post")
    monthly, each = both.cadence_of("monthly"), both.cadence_of("each-post")
    assert (monthly.nth, monthly.weekday, monthly.at) == (-1, 6, time(23, 30))
    assert (each.singly, each.delay, each.preview) == (True, timedelta(minutes=5), timedelta(0))
    assert load(tmp_path, '[editions]\nmonthly = ""\n').editions == ("weekly",)


@pytest.mark.parametrize("day", ['"fridays"', '"fifth friday 08:00"', '"first friday"', "5", "true", '["x"]'])
def test_what_is_no_day_of_each_month_is_told(tmp_path: Path, day: str) -> None:
    [problem] = problems(tmp_path, f"{SITE}[editions]\nmonthly = {day}\n")
    assert problem.code == "C107"
    assert "such as" in problem.message


@pytest.mark.parametrize("written", ["\ufeff{}", "{}\n\n# a comment\n"])
def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path, written: str) -> None:
    text = written.format(SITE).replace("\n", "\r\n")
    (tmp_path / "newsletter.toml").write_bytes(text.encode())
    assert config.load(tmp_path).site.title == "Auto Trendy"


def test_a_site_is_found_from_a_folder_below_it(tmp_path: Path) -> None:
    write(tmp_path, SITE)
    (tmp_path / "posts" / "deep").mkdir(parents=True)
    assert config.find_root(tmp_path / "posts" / "deep") == tmp_path


def _png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + width.to_bytes(4) + height.to_bytes(4) + bytes(9)


def test_the_pictures_of_a_site_lie_beside_its_settings(tmp_path: Path) -> None:
    (tmp_path / "mark.png").write_bytes(_png(512, 512))
    (tmp_path / "wide.png").write_bytes(_png(800, 400))
    read = load(tmp_path, 'rights = "© 2026 Auto Trendy"\nicon = "mark.png"\nlogo = "wide.png"\n').site

    assert read.rights == "© 2026 Auto Trendy"
    assert [(mark.name, len(mark.content)) for mark in (read.icon, read.logo) if mark] == [
        ("icon.png", 33),
        ("logo.png", 33),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('icon = "small.png"', "site.icon must be square, of 512 pixels or more, and is 64 × 64"),
        ('logo = "small.png"', "site.logo must be twice as wide as high, and is 64 × 64"),
        ('icon = "none.png"', "site.icon cannot be read: No such file or directory"),
        ('logo = "text.png"', "site.logo is not a PNG"),
        ('icon = "../mark.png"', "site.icon must be the name of a PNG file beside newsletter.toml, such as icon.png"),
        ('icon = "https://else.example/icon.png"', "site.icon must be the name of a PNG file beside newsletter.toml"),
    ],
)
def test_a_picture_that_is_none_or_of_another_shape_is_told_with_its_line(
    tmp_path: Path, line: str, message: str
) -> None:
    (tmp_path / "small.png").write_bytes(_png(64, 64))
    (tmp_path / "text.png").write_text("no picture, but long enough to be one if it began so")
    ((code, where, words),) = told(tmp_path, f"{SITE}{line}\n")

    assert (code, where) == ("C107", 4)
    assert words.startswith(message)


# --- the environment


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_MAIL__HOST", "mx.autotrendy.example")
    monkeypatch.setenv("NEWSLETTER_SITE__TITLE", "Another")
    monkeypatch.setenv("NEWSLETTER_REVIEW", "off")
    read = load(tmp_path, '[mail]\nhost = "file.example"\nport = 2525\n')
    assert (read.mail.host, read.mail.port, read.mail.tls) == ("mx.autotrendy.example", 2525, "starttls")
    assert (read.site.title, read.site.review) == ("Another", False)


def test_a_wrong_value_in_the_environment_is_told_by_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_MAIL__PORT", "many")
    (problem,) = problems(tmp_path, SITE)
    assert (problem.code, problem.file, problem.line) == ("C107", "NEWSLETTER_MAIL__PORT", 0)
    assert problem.message == "mail.port must be a whole number"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("NEWSLETTER_MIAL__HOST", "NEWSLETTER_MAIL__HOST"),
        ("newsletter_mial__host", "NEWSLETTER_MAIL__HOST"),
        ("NEWSLETTER_SITE__TITEL", "site.title"),
        ("NEWSLETTER_PERSON", None),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, meant: str | None
) -> None:
    monkeypatch.setenv(name, "x")
    (problem,) = problems(tmp_path, SITE)
    assert problem.code == "C105"
    if meant:
        assert problem.fixes == (f"Did you mean {meant}?",)


@pytest.mark.parametrize("name", ["NEWSLETTER_SITE", "NEWSLETTER_PEOPLE", "NEWSLETTER_PEOPLE__DESK", "newsletter_mail"])
@pytest.mark.parametrize("value", ["x", "[", '{"port": 25}'])
def test_a_variable_that_names_a_whole_section_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    (problem,) = problems(tmp_path, SITE)
    assert problem.code == "C109"
    assert name in problem.message


def test_who_one_is_does_not_count_as_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_AS", "news-desk")
    assert load(tmp_path).site.title == "Auto Trendy"


# --- the password


def test_bounces_come_back_to_the_sender_unless_another_address_is_named(tmp_path: Path) -> None:
    sender = '[sender]\naddress = "editor@autotrendy.example"\n'
    assert load(tmp_path, sender).site.sender.envelope == "editor@autotrendy.example"
    named = load(tmp_path, f'{sender}[mail]\nbounce_address = "b@bounces.example"\nenvelope = "verp"\n')
    assert (named.site.sender.envelope, named.mail.verp) == ("b@bounces.example", True)


@pytest.mark.parametrize("domain", ["my_host.example", "exa(mple.example", "bounces..example", "a'b.example"])
def test_bounces_cannot_come_back_to_what_is_no_domain(tmp_path: Path, domain: str) -> None:
    (one,) = told(tmp_path, f'{SITE}[mail]\nbounce_address = "b@{domain}"\n')
    assert one[0] == "C107"
    assert "no such domain can be" in one[2]
    assert load(tmp_path, '[mail]\nbounce_address = "b@bücher-1.example"\n').site.sender.bounces


@pytest.mark.parametrize("address", ["", f"{'b' * 35}@bounces.example"])
def test_readers_own_envelopes_need_an_address_with_room_for_them(tmp_path: Path, address: str) -> None:
    (one,) = told(tmp_path, f'{SITE}[mail]\nbounce_address = "{address}"\nenvelope = "verp"\n')
    assert one[:2] == ("C113", 6)
    assert "at most 34 letters" in one[2]


def test_the_password_comes_from_its_file_without_the_line_end(tmp_path: Path) -> None:
    (tmp_path / "smtp.password").write_bytes("pass wörd \r\n".encode())
    read = load(tmp_path, '[mail]\npassword_file = "smtp.password"\n')
    assert read.mail.password == "pass wörd "
    assert "wörd" not in repr(read)


def test_the_password_of_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_MAIL__PASSWORD", "from outside")
    assert load(tmp_path, '[mail]\npassword_file = "not there"\n').mail.password == "from outside"


def test_a_password_in_the_file_is_refused_and_never_shown(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f'{SITE}[mail]\npassword = "hunter2"\n')
    assert (problem.code, problem.line) == ("C104", 5)
    assert "hunter2" not in f"{problem}"


@pytest.mark.parametrize("content", [None, b"\xff\xfe", "a folder"])
def test_a_password_file_that_cannot_be_read_is_told_with_the_rest(tmp_path: Path, content: bytes | str | None) -> None:
    place = tmp_path / "smtp.password"
    if isinstance(content, bytes):
        place.write_bytes(content)
    elif content:
        place.mkdir()
    text = f'{SITE}tagine = "x"\n[mail]\npassword_file = "smtp.password"\n'
    assert [p.code for p in problems(tmp_path, text)] == ["C105", "C108"]


# --- refusals


def test_no_site_here_or_above_is_told_with_both_ways_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        config.find_root(tmp_path)
    (problem,) = refused.value.problems
    assert problem.code == "C101"
    assert len(problem.fixes) == 2


def test_a_file_of_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "newsletter.toml").write_bytes(SITE.encode("utf-16"))
    with pytest.raises(ConfigError) as refused:
        config.load(tmp_path)
    assert [p.code for p in refused.value.problems] == ["C102"]


def test_what_is_not_toml_is_told_with_line_and_column(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f"{SITE}tagline = A weekly\n")
    assert (problem.code, problem.line, problem.column, problem.excerpt) == ("C103", 4, 11, "tagline = A weekly")


def test_an_unknown_key_is_refused_with_the_nearest_match_and_the_line(tmp_path: Path) -> None:
    found = problems(tmp_path, f'reviev = "on"\n{SITE}taglin = "x"\n[people.desk]\nnam = "Desk"\nname = "Desk"\n')
    assert [(p.code, p.line, p.fixes) for p in found] == [
        ("C105", 1, ("Did you mean review?",)),
        ("C105", 5, ("Did you mean site.tagline?",)),
        ("C105", 7, ("Did you mean people.desk.name?",)),
    ]


def test_missing_keys_are_told_with_the_table_they_belong_in(tmp_path: Path) -> None:
    assert told(tmp_path, "") == [("C106", 0, "The key site is missing")]
    assert told(tmp_path, '[site]\ntitle = "x"\n') == [("C106", 1, "The key site.url is missing")]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("title = 5", 2, "site.title must be text in quotes"),
        ('title = ""', 2, "site.title must not be empty"),
        ('title = "a\\nb"', 2, "site.title must be one line without control characters"),
        ('url = "autotrendy.example"', 2, "site.url is not an absolute http or https address"),
        ('url = "https://a.example/?x"', 2, "site.url must not have a ? or # part"),
        ('timezone = "Europe/Madird"', 2, "site.timezone is not a time zone"),
        ('timezone = "../etc/passwd"', 2, "site.timezone is not a time zone"),
        ('authority = "A b"', 2, "site.authority is not a tagging authority"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_words(tmp_path: Path, text: str, line: int, message: str) -> None:
    rest = "".join(row + "\n" for row in SITE.splitlines()[1:] if row.split()[0] != text.split()[0])
    (found,) = told(tmp_path, f"[site]\n{text}\n{rest}")
    assert found[:2] == ("C107", line)
    assert found[2].startswith(message)


@pytest.mark.parametrize(
    ("section", "text", "message"),
    [
        ("cadence", 'time = "8"', "cadence.time is not a time of day"),
        ("cadence", 'time = "24:00"', "cadence.time is not a time of day"),
        ("cadence", 'late_limit = "soon"', "cadence.late_limit is not a length of time"),
        ("cadence", 'weekday = "freitag"', "cadence.weekday is refused: input should be 'monday'"),
        ("mail", 'port = "smtp"', "mail.port must be a whole number"),
        ("mail", "port = 99999", "mail.port is refused: input should be less than or equal to 65535"),
        ("sender", 'list_id = "weekly list"', "sender.list_id is not a list id"),
    ],
)
def test_a_value_of_another_section_is_refused_with_its_line(
    tmp_path: Path, section: str, text: str, message: str
) -> None:
    (found,) = told(tmp_path, f"{SITE}[{section}]\n{text}\n")
    assert found[:2] == ("C107", 5)
    assert found[2].startswith(message)


@pytest.mark.parametrize(
    "text", ["site = 5", 'site = [1]\npeople = "x"\nsender = 3', "people = [1]", "[people]\na = 5"]
)
def test_something_else_where_a_table_belongs_is_refused_in_words(tmp_path: Path, text: str) -> None:
    messages = [message for _, _, message in told(tmp_path, f"{text}\n")]
    assert any(message.endswith("must be a table with keys of its own") for message in messages)


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = '[mail]\nport = 0\npassword = "x"\n[site]\nurl = "x"\ntitle = "x"\nlanguage = "%"\n[cadence]\ntime = 8\n'
    assert [(p.code, p.line) for p in problems(tmp_path, text)] == [
        ("C107", 2),
        ("C104", 3),
        ("C107", 5),
        ("C107", 7),
        ("C107", 9),
    ]


def test_a_check_goes_on_with_what_is_sound(tmp_path: Path) -> None:
    write(tmp_path, f'{SITE}tagine = "x"\n[people.desk]\nname = "Desk"\nrole = "boss"\n')
    read, found = config.read(tmp_path)
    assert [p.code for p in found] == ["C105", "C107"]
    assert (read.site.title, read.site.people["desk"].role) == ("Auto Trendy", "writer")


def test_a_language_that_is_none_is_refused(tmp_path: Path) -> None:
    assert told(tmp_path, f'{SITE}language = "French!"\n')[0][:2] == ("C107", 4)


def test_a_language_without_fixed_words_is_remarked_upon_and_may_be_used(tmp_path: Path) -> None:
    german = load(tmp_path, 'language = "de"\n')
    (remark,) = config.remarks(german)
    assert (remark.code, remark.level, remark.file, remark.line) == ("C111", "warn", "newsletter.toml", 4)
    assert german.site.take_label == "Auto Trendy's take"
    assert config.remarks(load(tmp_path, 'language = "fr-CA"\n')) == []


def test_the_label_of_the_take_is_in_the_language_of_the_site(tmp_path: Path) -> None:
    assert load(tmp_path, 'language = "fr"\n').site.take_label == "L’avis Auto Trendy"


def test_the_reference_lists_every_key_with_a_description() -> None:
    rows = list(config.reference())
    assert {"site.title", "people.KEY.name", "mail.password_file", "cadence.late_limit"} <= {key for key, _, _ in rows}
    assert all(description for _, _, description in rows)


# --- mail servers and limits -----------------------------------------------------------------------


def test_further_mail_servers_come_after_the_one_in_mail_each_with_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "second.password").write_text("from a file\n")
    monkeypatch.setenv("NEWSLETTER_MAIL__RELAYS__THIRD__PASSWORD", "from outside")
    second = '[mail.relays.second]\nhost = "b"\nrate = "5/s"\npassword_file = "second.password"\n'
    mail = load(tmp_path, f'[mail]\nhost = "a"\nrate = "50/s"\n{second}[mail.relays.third]\nhost = "c"\n').mail
    assert [(one.name, one.host, one.password) for one in mail.servers] == [
        ("main", "a", ""),
        ("second", "b", "from a file"),
        ("third", "c", "from outside"),
    ]
    assert mail.limits.relays == {"main": 50.0, "second": 5.0}


def test_what_is_wrong_with_a_further_mail_server_is_told_at_its_line(tmp_path: Path) -> None:
    text = (
        f'{SITE}[mail.relays.second]\nhost = "b"\npasword_file = "x"\n[mail.relays.third]\nhost = "c"\npassword = "x"\n'
    )
    start = SITE.count("\n")
    assert [(problem.code, problem.line, problem.fixes[-1]) for problem in problems(tmp_path, text)] == [
        ("C105", start + 3, "Did you mean mail.relays.second.password_file?"),
        ("C104", start + 6, "NEWSLETTER_MAIL__RELAYS__THIRD__PASSWORD in the environment"),
    ]


@pytest.mark.parametrize(("told", "rate"), [("20/s", 20), ("600/m", 10), ("36/h", 0.01), ("", None)])
def test_a_rate_is_by_the_second_the_minute_or_the_hour(tmp_path: Path, told: str, rate: float | None) -> None:
    groups = load(tmp_path, f'[mail.rates]\ngmail = "{told}"\n').mail.limits.groups
    assert groups == ({"gmail": rate} if rate else {})


@pytest.mark.parametrize("told", ['"fast"', '"0/s"', "20", '"20/d"'])
def test_what_is_no_rate_is_refused_with_an_example(tmp_path: Path, told: str) -> None:
    (problem,) = problems(tmp_path, f"{SITE}[mail]\nrate = {told}\n")
    assert (problem.code, problem.message) == ("C107", "mail.rate is not a rate such as 20/s, 600/m or 5000/h")


@pytest.mark.parametrize("key", ["per_day", "warmup.start", "warmup.target"])
def test_no_day_has_more_than_a_database_can_count(tmp_path: Path, key: str) -> None:
    (problem,) = problems(tmp_path, f"{SITE}[mail]\n{key} = 9_999_999_999\n")
    assert (problem.code, f"mail.{key} is refused" in problem.message) == ("C107", True)


@pytest.mark.parametrize("host", ["", "smtp.example.net:587", "smtp://a.example", ".a", "a b", "a\\nb", "x" * 64])
def test_what_is_no_server_is_refused_as_long_as_nobody_waits_for_it(tmp_path: Path, host: str) -> None:
    for table in ("[mail]", "[mail.relays.second]"):
        (problem,) = problems(tmp_path, f'{SITE}{table}\nhost = "{host}"\n')
        assert problem.code == "C107"
        assert "is not the name of a server such as" in problem.message


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "mail_1", "post.bücher.example", "smtp.example.net."])
def test_a_server_has_a_name_or_a_number(tmp_path: Path, host: str) -> None:
    assert load(tmp_path, f'[mail]\nhost = "{host}"\n').mail.host == host


def test_a_warm_up_needs_its_first_day_and_a_further_server_a_name_of_its_own(tmp_path: Path) -> None:
    text = f'{SITE}[mail.warmup]\nstart = 3\n[mail.relays.main]\nhost = "x"\n'
    assert [code for code, _, _ in told(tmp_path, text)] == ["C114", "C115"]
    warm = load(tmp_path, "[mail]\nper_day = 900\n[mail.warmup]\nstart = 500\nsince = 2026-11-27\n").mail.limits
    assert [warm.cap(date(2026, 11, day)) for day in (27, 28, 29)] == [500, 750, 900]
