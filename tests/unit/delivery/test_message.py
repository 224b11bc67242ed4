"""The message: what a mail program reads out of it is what the Digest said, and nothing else ever gets in."""

from __future__ import annotations

import email
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP, default
from html import escape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery import mime
from newsletter.delivery.message import HEADERS, ascii_address, compose, mail_address
from newsletter.errors import ConfigError, NewsletterError
from newsletter.issues import digest as digests
from newsletter.model import Addressee, Digest, Issue, Message, Segment, SegmentKind, Sentinel, Site, Tally
from newsletter.tongue import spoken
from newsletter.variants import seen_by
from newsletter.words import masked
from tests.builders import a_site, an_issue
from tests.unit.issues.scene import ALLIANCE, CHARGING, FOLLOW, REVIEW, a_view, templates

HTML = f"""<!DOCTYPE html>
<html lang="en"><body><p>Größe, “quotes” &amp; a dot:</p>
.
<p>You get this because {Sentinel.ADDRESS} joined on {Sentinel.JOINED}.
<a href="{Sentinel.UNSUBSCRIBE}">Unsubscribe</a></p></body></html>
"""
TEXT = f"Batteries\n=========\n\nSolid, at last.\n\nUnsubscribe:\n{Sentinel.UNSUBSCRIBE}\n"
DIGEST = Digest("All-solid-state batteries", "What to expect.", HTML, TEXT, "sha256:1")
ADA = Addressee(345, "ada@readers.example", datetime(2026, 3, 2, 23, 30, tzinfo=UTC), 1)
URL = "https://autotrendy.example/u/WzM0NSwxXQ.abc"


def composed(
    *,
    site: Site | None = None,
    issue: Issue | None = None,
    digest: Digest = DIGEST,
    to: Addressee = ADA,
    url: str = URL,
    choices: str = "",
) -> Message:
    return compose(
        site=site or a_site(),
        issue=issue or an_issue(12, started_at=datetime(2022, 2, 11, 7, tzinfo=UTC)),
        digest=digest,
        addressee=to,
        unsubscribe_url=url,
        preferences_url=choices or url.replace("/u/", "/p/"),
        message_id_key="a lasting key",
    )


def read(message: Message) -> EmailMessage:
    parsed = email.message_from_bytes(message.content, policy=default)
    assert isinstance(parsed, EmailMessage)
    assert not parsed.defects
    return parsed


def parts(message: Message) -> dict[str, str]:
    walked = [part for part in read(message).walk() if not part.is_multipart()]
    assert not any(part.defects for part in walked)
    return {part.get_content_type(): part.get_content() for part in walked}


def raw(message: Message, name: str) -> str:
    found = re.search(rf"^{name}: (.*?)\r\n(?![ \t])", message.content.decode(), re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def test_the_headers_are_these_and_in_this_order() -> None:
    assert tuple(read(composed()).keys()) == HEADERS


def test_the_headers_say_who_writes_to_whom_about_what() -> None:
    parsed = read(composed())
    assert parsed["From"] == "Auto Trendy <editor@autotrendy.example>"
    assert parsed["Reply-To"] == "review@autotrendy.example"
    assert parsed["To"] == "ada@readers.example"
    assert parsed["Subject"] == "All-solid-state batteries"
    assert parsed["Date"] == "Fri, 11 Feb 2022 08:00:00 +0100"
    assert parsed["Feedback-ID"] == "12:weekly:digest:autotrendyexamp"


def test_a_mail_program_finds_how_to_leave_in_one_click() -> None:
    message = composed()
    assert raw(message, "List-Unsubscribe") == f"<{URL}>,\r\n <mailto:review@autotrendy.example?subject=unsubscribe>"
    assert raw(message, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    assert raw(message, "List-Id") == "Auto Trendy <weekly.autotrendy.example>"
    assert raw(message, "List-Archive") == "<https://autotrendy.example/>"
    assert raw(message, "List-Owner") == "<mailto:review@autotrendy.example>"


def test_a_long_unsubscribe_link_is_neither_folded_nor_encoded() -> None:
    url = "https://news.example.org/u/" + "k" * 300
    assert raw(composed(url=url), "List-Unsubscribe").startswith(f"<{url}>,\r\n <mailto:")


def test_the_envelope_and_the_message_id_belong_to_sender_and_reader() -> None:
    message = composed()
    assert (message.sender, message.recipient) == ("editor@autotrendy.example", "ada@readers.example")
    assert re.fullmatch(r"12\.[a-z2-7]{24}@autotrendy\.example", message.message_id)
    assert read(message)["Message-ID"] == f"<{message.message_id}>"


def test_bounces_go_where_the_site_says_and_the_mail_stays_as_it_is() -> None:
    elsewhere = replace(a_site().sender, bounces="b@bounces.Autotrendy.example")
    message = composed(site=a_site(sender=elsewhere))
    assert (message.sender, message.content) == ("b@bounces.autotrendy.example", composed().content)


@pytest.mark.parametrize("field", ["address", "bounces", "reply_to"])
def test_an_address_of_ours_that_no_envelope_takes_is_no_readers_fault(field: str) -> None:
    ours = replace(a_site().sender, **{field: "desk@no_such..place"})
    with pytest.raises(ConfigError) as refused:
        composed(site=a_site(sender=ours))
    assert refused.value.problems[0].code == "S402"


def test_a_retry_has_the_same_bytes_whatever_happened_to_the_row() -> None:
    again = composed(to=replace(ADA, attempts=3, first_at=datetime(2022, 2, 12, tzinfo=UTC)))
    assert composed() == again


def test_each_reader_and_each_issue_has_a_message_id_of_its_own() -> None:
    started = datetime(2022, 2, 11, 7, tzinfo=UTC)
    ids = {
        composed(
            issue=an_issue(number, edition=edition, started_at=started), to=replace(ADA, subscriber_id=reader)
        ).message_id
        for number in (1, 12, 123)
        for edition in ("weekly", "monthly")
        for reader in (1, 2, 345)
    }
    assert len(ids) == 18


def test_text_comes_first_and_html_last_and_both_say_what_the_digest_says() -> None:
    found = parts(composed())
    assert list(found) == ["text/plain", "text/html"]
    assert found["text/plain"].replace("\r\n", "\n") == TEXT.replace(Sentinel.UNSUBSCRIBE, URL)
    filled = HTML.replace(Sentinel.UNSUBSCRIBE, URL)
    filled = filled.replace(Sentinel.ADDRESS, "a…@readers.example").replace(Sentinel.JOINED, "3 March 2026")
    assert found["text/html"].replace("\r\n", "\n") == filled


def test_text_that_is_plain_stays_readable_in_the_source_and_the_rest_is_quoted_printable() -> None:
    encodings = [part["Content-Transfer-Encoding"] for part in read(composed()).walk() if not part.is_multipart()]
    assert encodings == ["7bit", "quoted-printable"]


def test_a_masked_address_in_plain_text_makes_it_quoted_printable() -> None:
    found = parts(composed(digest=replace(DIGEST, text=f"To {Sentinel.ADDRESS}\n")))
    assert found["text/plain"].strip() == "To a…@readers.example"


def test_what_stands_for_a_link_is_escaped_in_html_and_not_in_text() -> None:
    found = parts(composed(url="https://a.example/u?t=1&v=2"))
    assert 'href="https://a.example/u?t=1&amp;v=2"' in found["text/html"]
    assert "https://a.example/u?t=1&v=2" in found["text/plain"]


def test_the_full_address_stands_only_in_to() -> None:
    message = composed()
    assert message.content.count(b"ada@readers.example") == 1


@pytest.mark.parametrize("remnant", ["__UNSUBSCRIBE__", "__READER_ADDRESS", "https://x.invalid/u", "__READER_NAME__"])
def test_a_damaged_sentinel_stops_the_message(remnant: str) -> None:
    with pytest.raises(NewsletterError) as refused:
        composed(digest=replace(DIGEST, html=HTML + f"<p>{remnant}</p>"))
    assert refused.value.problems[0].code == "S403"


bodies = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=400).filter(
    lambda text: "__" not in text and "x.invalid" not in text
)


@given(bodies, bodies, st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=300))
def test_whatever_a_digest_says_reads_back(html: str, text: str, subject: str) -> None:
    message = composed(digest=Digest(subject, "", f"{html}\n{Sentinel.UNSUBSCRIBE}", f"{text} {Sentinel.UNSUBSCRIBE}"))
    found = parts(message)
    assert found["text/html"].replace("\r\n", "\n") == mime.one_line_end(f"{html}\n{URL}")
    assert found["text/plain"].replace("\r\n", "\n") == mime.one_line_end(f"{text} {URL}")
    assert "".join(str(read(message)["Subject"]).split()) == "".join(subject.replace("=?", "= ?").split())
    assert message.content.isascii()
    assert all(len(line) <= mime.LINE_LIMIT for line in message.content.split(b"\r\n"))
    assert b"\n" not in message.content.replace(b"\r\n", b"")
    assert b"\r" not in message.content.replace(b"\r\n", b"")


@given(bodies)
def test_quoted_printable_lines_have_at_most_76_characters(html: str) -> None:
    message = composed(digest=replace(DIGEST, html=f"ü{html}{Sentinel.ADDRESS}"))
    body = message.content.partition(b"text/html")[2].partition(b"\r\n\r\n")[2]
    assert max(len(line) for line in body.split(b"\r\n")) <= 76


words_of_lines = st.one_of(
    st.sampled_from([*Sentinel, "%", "%s", "%(to)s", "%%", ".", "=", " ", "ü", "long " * 30]),
    st.text("a.% \tü&<", max_size=9),
)
lines = st.lists(st.lists(words_of_lines, max_size=5).map("".join), min_size=1, max_size=8).map("\n".join)


def plainly(text: str, html: str, boundary: str, encodings: Sequence[str]) -> bytes:
    """The body of a message, made out to one reader first and encoded then."""
    made = b""
    for subtype, part, encoding in zip(("plain", "html"), (text, html), encodings, strict=True):
        made += f"--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n".encode()
        made += f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode()
        made += mime.encode(mime.one_line_end(part), encoding) + b"\r\n"
    return made + f"--{boundary}--\r\n".encode()


@given(
    lines,
    lines,
    st.integers(1, 10**9),
    st.sampled_from(["a&b", "100%25", "t=<>", "%(id)s"]),
    st.sampled_from(["a%s@x.example", "a+%25s@x.example", "ada@readers.example"]),
)
def test_a_message_is_to_the_octet_the_one_that_is_filled_in_first_and_encoded_then(
    text: str, html: str, reader: int, token: str, address: str
) -> None:
    url = f"https://autotrendy.example/u/{token}"
    to = replace(ADA, subscriber_id=reader, address=address)
    message = composed(digest=Digest("100 % (s)", "", html, text), to=to, url=url)
    own = {
        Sentinel.UNSUBSCRIBE: url,
        Sentinel.PREFERENCES: url.replace("/u/", "/p/"),
        Sentinel.ADDRESS: masked(address),
        Sentinel.JOINED: "3 March 2026",
    }
    for sentinel, words in own.items():
        text, html = text.replace(sentinel, words), html.replace(sentinel, escape(words))
    boundary = read(message).get_boundary() or ""
    encodings = [part["Content-Transfer-Encoding"] for part in read(message).walk() if not part.is_multipart()]
    assert message.content.partition(b"\r\n\r\n")[2] == plainly(text, html, boundary, encodings)
    theirs = EmailMessage()
    theirs["To"], theirs["Subject"], theirs["List-Unsubscribe-Post"] = (
        address,
        "100 % (s)",
        "List-Unsubscribe=One-Click",
    )
    theirs.set_content(text)
    theirs.add_alternative(html, subtype="html")
    again = email.message_from_bytes(theirs.as_bytes(), policy=default)
    assert {name: read(message)[name] for name in ("To", "Subject", "List-Unsubscribe-Post")} == {
        name: again[name] for name in ("To", "Subject", "List-Unsubscribe-Post")
    }
    found = [part.get_content() for part in again.walk() if not part.is_multipart()]
    assert [_unended(part) for part in parts(message).values()] == [_unended(part) for part in found]


def _unended(text: str) -> str:
    return text.replace("\r\n", "\n").rstrip("\n")


INJECTIONS = [
    f"Weekly{end}Bcc: victim@y.example"
    for end in ("\r\n", "\n", "\r", "\r\n ", "\n\t", "\x00", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85")
] + ["Weekly\u2028Bcc: v@y.example", "Weekly\u2029Bcc: v@y.example", "\x7fWeekly", "Week\x9bly", "\ud800"]

ENCODED = [
    "=?utf-8?q?Weekly=0D=0ABcc=3A_victim=40y.example?=",
    "=?utf-8?b?V2Vla2x5DQpCY2M6IHZpY3RpbUB5LmV4YW1wbGU=?=",
    "=?UTF-8?Q?=0ABcc=3A_v=40y.example?= tail",
    "a =?us-ascii?q?=0D?= =?us-ascii?q?=0A?= b",
    "=?=?utf-8?q?=0D=0AX=3A_y?=?=",
    "==?utf-8?q?=0D=0AX=3A_y?=",
    "größer =?utf-8?q?=0D=0ABcc=3A_v=40y.example?=",
]


@pytest.mark.parametrize("payload", INJECTIONS)
@pytest.mark.parametrize("place", ["subject", "name", "title"])
def test_a_line_end_in_a_header_is_refused(payload: str, place: str) -> None:
    with pytest.raises(NewsletterError) as refused:
        composed(**with_words(place, payload))
    assert refused.value.problems[0].code in ("S401", "S404")


@pytest.mark.parametrize("payload", ENCODED)
@pytest.mark.parametrize("place", ["subject", "name", "title"])
def test_an_encoded_line_end_stays_text_even_when_the_message_is_written_anew(payload: str, place: str) -> None:
    message = composed(**with_words(place, payload))
    rewritten = email.message_from_bytes(read(message).as_bytes(), policy=default)
    assert tuple(rewritten.keys()) == HEADERS
    assert "Bcc" not in rewritten


def with_words(place: str, words: str) -> dict[str, Any]:
    site = a_site()
    if place == "subject":
        return {"digest": replace(DIGEST, subject=words)}
    if place == "name":
        return {"site": replace(site, sender=replace(site.sender, name=words))}
    return {"site": replace(site, title=words)}


@pytest.mark.parametrize(
    "url", ["https://a.example/\r\nBcc: v@y.example", "https://a.example/\n", "https://ä.example/"]
)
def test_a_link_that_would_break_the_headers_stops_the_message(url: str) -> None:
    with pytest.raises(NewsletterError) as refused:
        composed(url=url)
    assert refused.value.problems[0].code == "S401"


@pytest.mark.parametrize("words", ["\0", "a\rb", "a\r\nb", "ä", "k" * 999])
@pytest.mark.parametrize("plain", [(), ("plain",)])
def test_what_is_put_into_the_body_alone_is_looked_at_as_well(words: str, plain: tuple[str, ...]) -> None:
    digest = replace(DIGEST, text=f"Choose:\n{Sentinel.PREFERENCES}\n")
    with pytest.raises(NewsletterError) as refused:
        composed(digest=digest, to=replace(ADA, variant=plain), url=URL, choices=f"https://a.example/{words}")
    assert refused.value.problems[0].code == "S401"


@pytest.mark.parametrize("around", [0, 1000])
def test_what_all_readers_get_is_looked_at_as_well(around: int) -> None:
    text = "Good.\n" * around + "No\0\n" + "Good.\n" * around
    with pytest.raises(NewsletterError) as refused:
        composed(digest=replace(DIGEST, text=f"{text}{Sentinel.UNSUBSCRIBE}\n"))
    assert refused.value.problems[0].code == "S401"


@pytest.mark.parametrize(
    ("phrase", "written"),
    [
        ("Auto, Trendy", '"Auto, Trendy"'),
        ('Auto "Trendy" \\', '"Auto \\"Trendy\\" \\\\"'),
        ("a@b.example", '"a@b.example"'),
        ("Motorräder", "=?utf-8?q?Motorr=C3=A4der?="),
    ],
)
def test_a_name_is_quoted_or_encoded_as_it_needs(phrase: str, written: str) -> None:
    message = composed(**with_words("name", phrase))
    assert raw(message, "From") == f"{written} <editor@autotrendy.example>"
    assert read(message)["From"].addresses[0].display_name == phrase


def test_a_title_beyond_ascii_is_left_out_of_list_id_instead_of_encoded() -> None:
    assert raw(composed(**with_words("title", "Motorräder")), "List-Id") == "<weekly.autotrendy.example>"


def test_a_long_name_folds_before_the_address() -> None:
    message = composed(**with_words("name", "A very long name of a very long newsletter about long cars"))
    assert raw(message, "From").endswith("cars\r\n <editor@autotrendy.example>")


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("ada@readers.example", "ada@readers.example"),
        ("Ada+x@Readers.Example", "Ada+x@readers.example"),
        ("ada@exämple.example", "ada@xn--exmple-cua.example"),
        ("ada@faß.example", "ada@xn--fa-hia.example"),
    ],
)
def test_an_address_goes_out_in_ascii(address: str, written: str) -> None:
    message = composed(to=replace(ADA, address=address))
    assert (message.recipient, read(message)["To"]) == (written, written)


@pytest.mark.parametrize(
    "address",
    [
        "ädä@a.example",
        "a b@a.example",
        "a@a.example>",
        "a@a.example\r\nRCPT TO:<v@y.example>",
        "@a.example",
        "ada",
        "a@",
        "a@-ä-.example",
        "=?utf-8?q?a?=@a.example",
        "a@[127.0.0.1]",
        ".a@a.example",
        '"a"@a.example',
        "a@a..example",
    ],
)
def test_an_address_that_is_no_envelope_is_refused(address: str) -> None:
    with pytest.raises(NewsletterError) as refused:
        ascii_address(address)
    assert refused.value.problems[0].code == "S402"


def test_an_address_of_ours_is_one_that_every_server_can_answer() -> None:
    assert mail_address("ädä@a.example") == "ädä@a.example"
    with pytest.raises(NewsletterError) as refused:
        ascii_address("ädä@a.example")
    assert refused.value.problems[0].code == "S402"


BEYOND = replace(ADA, address="संपर्क@xn--c2bd4bq1db8d.xn--h2brj9c")


def test_a_reader_with_an_address_beyond_ascii_gets_the_same_message_with_it_under_to() -> None:
    message, same = composed(to=BEYOND), composed()
    assert (message.needs_utf8, same.needs_utf8) == (True, False)
    mail = email.message_from_bytes(message.content, policy=default)
    assert (mail["To"], message.recipient) == (BEYOND.address, BEYOND.address)
    assert tuple(mail.keys()) == HEADERS
    assert "You get this because स…@xn--c2bd4bq1db8d.xn--h2brj9c joined" in [*mail.iter_parts()][
        1
    ].get_content().replace("\n", " ")
    assert message.content.replace("संपर्क".encode(), b"").isascii()
    assert [line[:3] for line in message.content.splitlines() if not line.isascii()] == [b"To:"]


@pytest.mark.parametrize(
    "broken",
    [
        lambda head: head.replace(b"Subject: ", "Subject: ä".encode()),
        lambda head: head.replace(b"\r\nTo: ", "\r\nTo: ä".encode()),
        lambda head: head.replace(b"\r\nSubject", "ä\r\nSubject".encode()),
        lambda head: head.replace(b"\r\nTo: ", b"\r\nTo:"),
        lambda head: head.replace(b"Subject: ", "Subject: संपर्क@xn--c2bd4bq1db8d.xn--h2brj9c".encode()),
    ],
)
def test_nothing_else_in_such_a_head_may_be_beyond_ascii(broken: Callable[[bytes], bytes]) -> None:
    head = composed(to=BEYOND).pieces[0]
    mime.check(head, [], HEADERS, BEYOND.address)
    for each, recipient in ((broken(head), BEYOND.address), (head, ADA.address)):
        with pytest.raises(NewsletterError) as refused:
            mime.check(each, [], HEADERS, recipient)
        assert refused.value.problems[0].code == "S401"


def test_a_reader_is_shown_only_what_the_reader_knows() -> None:
    assert masked("ada@readers.example") == "a…@readers.example"


def test_the_day_a_reader_joined_is_told_in_the_language_of_the_site() -> None:
    assert "joined on 3 mars 2026" in parts(composed(site=a_site(language="fr")))["text/html"]


GOOD = composed().content


@pytest.mark.parametrize(
    "broken",
    [
        GOOD.replace(b"Subject: ", b"Subject: x\r\nBcc: v@y.example\r\nX: ", 1),
        GOOD.replace(b"Subject: ", b"Subject: x\r\nSubject: ", 1),
        GOOD.replace(b"Subject: ", b"Subject: x\n\nBcc: ", 1),
        GOOD.replace(b"Subject: ", b"Subject:", 1),
        GOOD.replace(b"MIME-Version: 1.0\r\n", b"", 1),
        GOOD.replace(b"Reply-To: ", b"Reply To: ", 1),
        GOOD.replace(b"batteries\r\n", b"batteries\r\n.\n", 1),
        GOOD.replace(b"Solid", b"S\rlid", 1),
        GOOD.replace(b"Solid", b"S\0lid", 1),
        GOOD.replace(b"Solid", b"S\xf6lid", 1),
        GOOD.replace(b"Solid", b"S" * 999, 1),
        GOOD.replace(b"\r\n\r\n", b"\r\n"),
        b"",
    ],
)
def test_bytes_that_are_not_what_was_meant_are_not_handed_over(broken: bytes) -> None:
    assert broken != GOOD
    head, blank, body = broken.partition(b"\r\n\r\n")
    with pytest.raises(NewsletterError) as refused:
        mime.check(head + blank, [body], HEADERS)
    assert refused.value.problems[0].code == "S401"


# --- what each reader gets of it -------------------------------------------------------------------

STORIES = digests.render(a_view(ALLIANCE, FOLLOW, REVIEW, CHARGING), templates())


def as_a_reader_gets_it(digest: Digest, to: Addressee) -> tuple[str, str]:
    """The bodies of a message as they are meant."""
    seen = seen_by(digest, to.variant, spoken("en"))
    words = {
        Sentinel.UNSUBSCRIBE: URL,
        Sentinel.PREFERENCES: URL.replace("/u/", "/p/"),
        Sentinel.ADDRESS: masked(to.address),
        Sentinel.JOINED: "3 March 2026",
    }
    text, html = seen.text, seen.html
    for sentinel, word in words.items():
        text, html = text.replace(sentinel, word), html.replace(sentinel, word)
    return text, html


@given(st.sets(st.sampled_from(["plain", *(one.key for one in STORIES.segments)])))
def test_a_message_is_its_variant_of_the_digest(variant: set[str]) -> None:
    to = replace(ADA, variant=tuple(sorted(variant)))
    message = composed(digest=STORIES, to=to)
    text, html = as_a_reader_gets_it(STORIES, to)
    found = {kind: body.replace("\r\n", "\n").rstrip("\n") for kind, body in parts(message).items()}
    assert found["text/plain"] == text.rstrip("\n")
    assert found.get("text/html") == (None if "plain" in variant else html.rstrip("\n"))
    assert read(message)["Subject"] == seen_by(STORIES, variant, spoken("en")).subject


@pytest.mark.parametrize("variant", [(), (STORIES.segments[0].key,)])
def test_its_parts_are_to_the_octet_those_that_the_standard_library_makes_for_this_reader(
    variant: tuple[str, ...],
) -> None:
    to = replace(ADA, variant=variant)
    message = composed(digest=STORIES, to=to)
    text, html = as_a_reader_gets_it(STORIES, to)
    encoding = [part["Content-Transfer-Encoding"] for part in read(message).walk()]
    theirs = EmailMessage(policy=SMTP.clone(max_line_length=76))
    theirs.set_content(mime.one_line_end(text), cte=encoding[1])
    theirs.add_alternative(mime.one_line_end(html), subtype="html", cte=encoding[2])
    assert payloads(message.content) == payloads(theirs.as_bytes())


def payloads(octets: bytes) -> list[object]:
    """The parts as they are written."""
    return [part.get_payload() for part in email.message_from_bytes(octets).walk() if not part.is_multipart()]


def test_who_wants_the_text_alone_gets_one_part_under_the_same_headers() -> None:
    both, plain = composed(digest=STORIES), composed(digest=STORIES, to=replace(ADA, variant=("plain",)))
    assert read(plain).get_content_type() == "text/plain"
    assert read(plain).get_content() == parts(both)["text/plain"]
    assert tuple(read(plain).keys()) == (*HEADERS, "Content-Transfer-Encoding")
    same = set(HEADERS) - {"Content-Type"}
    assert [(name, raw(plain, name)) for name in same] == [(name, raw(both, name)) for name in same]
    assert plain.message_id == both.message_id


def test_the_footer_leads_each_reader_to_their_own_choices() -> None:
    message = composed(digest=STORIES)
    for body in parts(message).values():
        assert URL.replace("/u/", "/p/") in body


def test_what_it_says_of_stories_may_be_beyond_ascii_where_the_rest_is_not() -> None:
    one, two = (Segment(f"story:{n}", SegmentKind.STORY, f"tag:{n}", preheader=p) for n, p in ((1, "A"), (2, "Größe")))
    html = f"<p>{Tally.PREHEADER}</p>\n<p>{Sentinel.UNSUBSCRIBE}</p>\n"
    digest = Digest("A subject", "A", html, f"Text\n{Sentinel.UNSUBSCRIBE}\n", segments=(one, two))
    assert "Größe" in parts(composed(digest=digest, to=replace(ADA, variant=("story:1",))))["text/html"]
