"""`newsletter.toml` and the environment become one immutable Config; every fault is told at once, with its line.

Precedence: environment (`NEWSLETTER_MAIL__HOST`) over file over default. An unknown key is refused with the
nearest known one. Secrets are read from the environment or from a file, never from `newsletter.toml` or the
command line. `docs/configuration.md` lists every key; a test compares it with this module.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from functools import partial
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails, PydanticUndefined
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from newsletter import looks
from newsletter.delivery.envelope import LONGEST
from newsletter.delivery.throttle import Limits, Warmup
from newsletter.errors import ConfigError, Problem, UsageError, nearest
from newsletter.model import (
    DARK,
    EACH_POST,
    LIGHT,
    MONTHLY,
    USUAL,
    WEEKLY,
    Brief,
    Cadence,
    Look,
    Palette,
    Person,
    Sender,
    Site,
)
from newsletter.readers.intake import Intake
from newsletter.tongue import is_known, known, spoken
from newsletter.words import NTH

FILE_NAME = "newsletter.toml"
ENV_PREFIX = "NEWSLETTER_"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST = 10**9
"""Messages of a day: what every database can count."""
_OTHER_VARIABLES = {"NEWSLETTER_AS"}  # read by the command line, not a setting


# --- how values are written ------------------------------------------------------------------------


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is not an absolute http or https address, such as https://autotrendy.example")
    if parts.query or parts.fragment:
        raise ValueError("must not have a ? or # part")
    return value.rstrip("/")


def _hub(value: str) -> str:
    if not _is_called(value):
        raise ValueError("is not the address of a WebSub hub, such as https://hub.example/")
    return value


def _called(value: str) -> str:
    if value and not _is_called(value):
        raise ValueError("is not an http or https address, such as https://monitor.example/ping")
    return value


def _is_called(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.fragment and value.isprintable()


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is not a time zone of the IANA list, such as Europe/Madrid") from None
    return value


def _span(value: object) -> object:
    """`90s`, `15m`, `2h`, `3d` as a timedelta."""
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d{1,6})\s*([smhd])", str(value).strip())
    if match is None:
        raise ValueError("is not a length of time such as 90s, 15m, 2h or 3d")
    unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[match[2]]
    return timedelta(**{unit: int(match[1])})


def _wall_time(value: object) -> object:
    """`08:00` as a time of day; TOML's own local time is taken too."""
    if isinstance(value, time):
        return value
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", str(value)):
        raise ValueError("is not a time of day such as 08:00")
    return time.fromisoformat(str(value))


def _monthly(value: object) -> object:
    """`first friday 08:00` as which of its weekdays, the weekday and the time of day; empty for none."""
    if value is None or value == "":
        return None
    numbers = {name: n for n, name in NTH.items()}
    which, _, rest = " ".join(f"{value}".lower().split()).partition(" ")
    day, _, at = rest.partition(" ")
    if which not in numbers or day not in WEEKDAYS:
        raise ValueError('is not a day of each month such as "first friday 08:00"')
    return numbers[which], WEEKDAYS.index(day), _wall_time(at)


def _plain(value: str) -> str:
    if any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u2028\u2029" for c in value):
        raise ValueError("must be one line without control characters")
    return value


def _list_id(value: str) -> str:
    if value and not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", value):
        raise ValueError("is not a list id such as weekly.autotrendy.example (RFC 2919)")
    return value


def _address(value: str) -> str:
    if not re.fullmatch(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+", _plain(value)):
        raise ValueError("is not an email address such as desk@autotrendy.example")
    return value


def _bounce_address(value: str) -> str:
    local, _, domain = _address(value).rpartition("@") if value else ("", "", "")
    if not re.fullmatch(r"([^\W_]|[.-])*", domain) or ".." in domain:
        raise ValueError("is not an email address such as bounces@autotrendy.example: no such domain can be")
    if not re.fullmatch(r"[A-Za-z0-9._+-]*", local):
        raise ValueError("must have only letters, digits and . _ + - before the @")
    return value


def _host(value: str) -> str:
    if re.fullmatch(r"[\w-]{1,63}(\.[\w-]{1,63})*\.?", value):
        return value
    try:
        ip_address(value)
    except ValueError:
        raise ValueError("is not the name of a server such as smtp.example.net; its port stands beside it") from None
    return value


def _rate(value: object) -> object:
    """`20/s`, `600/m`, `5000/h` as messages a second; empty for none."""
    if value is None or value == "":
        return None
    match = re.fullmatch(r"(\d{1,7})\s*/\s*([smh])", str(value).strip())
    if match is None or not int(match[1]):
        raise ValueError("is not a rate such as 20/s, 600/m or 5000/h")
    return int(match[1]) / {"s": 1, "m": 60, "h": 3600}[match[2]]


def _selector(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*", value):
        raise ValueError("is not a DKIM selector such as newsletter or 2026-11 (RFC 6376 3.1)")
    return value


def _authority(value: str) -> str:
    if value and not re.fullmatch(r"[a-z0-9.-]+(,\d{4}(-\d{2}){0,2})?", value):
        raise ValueError('is not a tagging authority such as "autotrendy.example,2022" (RFC 4151)')
    return value


def _network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        raise ValueError("is not an address or a network such as 127.0.0.1 or 10.0.0.0/8") from None
    return value


def _picture(value: str) -> str:
    if value and not re.fullmatch(r"[\w-][\w.-]*\.png", value):
        raise ValueError("must be the name of a PNG file beside newsletter.toml, such as icon.png")
    return value


def _colour(value: str) -> str:
    """`#9c3d12`, in small letters; three digits stand for six, as in CSS."""
    match = re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", value.strip().lower())
    if match is None:
        raise ValueError("is not a colour such as #9c3d12")
    digits = match[1]
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


Host = Annotated[str, AfterValidator(_host)]
Rate = Annotated[float | None, BeforeValidator(_rate)]
Line = Annotated[str, AfterValidator(_plain)]
Url = Annotated[str, AfterValidator(_url)]
Hub = Annotated[str, AfterValidator(_hub)]
Called = Annotated[str, AfterValidator(_called)]
Picture = Annotated[str, AfterValidator(_picture)]
Colour = Annotated[str, AfterValidator(_colour)]
Address = Annotated[str, AfterValidator(_address)]
Zone = Annotated[str, AfterValidator(_zone)]
Network = Annotated[str, AfterValidator(_network)]
Span = Annotated[timedelta, BeforeValidator(_span)]
Monthly = Annotated[tuple[int, int, time] | None, BeforeValidator(_monthly)]
WallTime = Annotated[time, BeforeValidator(_wall_time)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SiteSection(Section):
    title: Line = Field(description="The name of the publication.", min_length=1)
    url: Url = Field(description="Where `feeds/` is served; the start of every link in feeds and mail.")
    tagline: Line = Field("", description="One sentence: what readers get.")
    language: str = Field(
        "en",
        description="BCP 47 tag of the posts' language, in which readers get fixed words and dates, too.",
        pattern=r"^[A-Za-z]{2,3}(-[\w-]+)?$",
    )
    timezone: Zone = Field("UTC", description="IANA zone in which dates without a zone are meant.")
    authority: Annotated[str, AfterValidator(_authority)] = Field(
        "",
        description="Tagging authority of post ids (RFC 4151), such as `autotrendy.example,2022`. Never change it. "
        "Default: the host of `site.url`.",
    )
    take_label: Line = Field(
        "", description="Heading of the house opinion. Default: the title and “'s take”, in the language."
    )
    rights: Line = Field("", description="What feeds say of rights: `© 2026 Auto Trendy`, or a licence.")
    icon: Picture = Field(
        "", description="A square PNG of 512 pixels or more beside this file, for feeds and browsers."
    )
    logo: Picture = Field("", description="A PNG twice as wide as high beside this file, for feeds.")


class SenderSection(Section):
    name: Line = Field("", description="Name in From. Default: the title.")
    address: Line = Field("", description="Address in From; its domain signs and receives. Needed for mail.")
    reply_to: Line = Field("", description="Where answers go; a person should read it. Default: `sender.address`.")
    postal_address: str = Field("", description="Postal address in the footer of each mail. Needed for mail.")
    list_id: Annotated[str, AfterValidator(_list_id)] = Field(
        "", description="List-Id of the mail (RFC 2919); never change it. Default: `weekly.` and the host."
    )


class PersonSection(Section):
    name: Line = Field(description="The byline.", min_length=1)
    email: Line = Field("", description="Where notices to this person go.")
    role: Literal["writer", "editor", "operator"] = Field("writer", description="`writer`, `editor` or `operator`.")


class CadenceSection(Section):
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = Field(
        "friday", description="The day of the weekly issue."
    )
    time: WallTime = Field(time(8), description="Wall-clock time of the weekly issue, in `cadence.timezone`.")
    timezone: Zone | None = Field(None, description="Zone of the slots. Default: `site.timezone`.")
    late_limit: Span = Field(timedelta(hours=2), description="A slot found later than this is held, not sent.")
    preview: Span = Field(
        timedelta(days=1), description="How long before its slot editors get the issue as it would go out; `0s`: never."
    )
    freeze: Span = Field(
        timedelta(minutes=5), description="How long before its slot an issue is frozen with what is approved by then."
    )
    first_slot: date | None = Field(
        None,
        description="Date of the first issue; posts older than it less a week are never mailed. "
        "Default: the first slot after the state was created.",
    )


class EditionsSection(Section):
    """Beside the weekly one; each reader gets one of them."""

    monthly: Monthly = Field(
        None, description='The edition once a month: `"first friday 08:00"`, first to fourth or last. Default: off.'
    )
    each_post: bool = Field(False, description="Whether readers may get each post by itself, when it comes out.")
    each_post_delay: Span = Field(
        timedelta(minutes=10), description="How long a post's own issue can be stopped before its first mail."
    )


class NoticesSection(Section):
    webhook: Called = Field("", description="Address that gets every notice as signed JSON, beside the mails.")
    heartbeat_url: Called = Field(
        "", description="Address that `work` calls at each look, so that a monitor elsewhere notices its silence."
    )


class BackupSection(Section):
    at: WallTime | Literal["never"] = Field(
        time(3), description="Time of day at which `work` makes a backup, in `site.timezone`; `never` for none."
    )
    folder: str = Field(
        "var/backups",
        description="Where backups go; relative to the site. Another disk is better, another machine best.",
    )
    keep: int = Field(14, description="How many backups are kept.", ge=1)


class IssueSection(Section):
    at_least: int = Field(1, description="Stories that an issue needs; with fewer, they wait for the next slot.", ge=1)
    at_most: int | None = Field(None, description="Stories that an issue takes; the others wait. Default: all.", ge=1)


class LightSection(Section):
    """Colours of pages and mail; what words stand on must leave them 4.5 : 1 of contrast (WCAG 2.2, 1.4.3)."""

    paper: Colour = Field(LIGHT.paper, description="Behind everything.")
    card: Colour = Field(LIGHT.card, description="Behind text; and the words on a button.")
    tint: Colour = Field(LIGHT.tint, description="Behind what is set apart: the take, code.")
    ink: Colour = Field(LIGHT.ink, description="Words.")
    soft: Colour = Field(LIGHT.soft, description="Words beside the words: dates, captions.")
    link: Colour = Field(LIGHT.link, description="Links, bars, buttons.")
    rule: Colour = Field(LIGHT.rule, description="Lines.")


class DarkSection(Section):
    paper: Colour = Field(DARK.paper, description="Behind everything, in the dark.")
    card: Colour = Field(DARK.card, description="Behind text, and words on a button, in the dark.")
    tint: Colour = Field(DARK.tint, description="Behind what is set apart, in the dark.")
    ink: Colour = Field(DARK.ink, description="Words in the dark.")
    soft: Colour = Field(DARK.soft, description="Words beside the words, in the dark.")
    link: Colour = Field(DARK.link, description="Links, bars, buttons in the dark.")
    rule: Colour = Field(DARK.rule, description="Lines in the dark.")


class LookSection(Section):
    titles: Literal["serif", "sans"] = Field("serif", description="Letters of titles, on pages and in mail.")
    text: Literal["serif", "sans"] = Field("serif", description="Letters of texts.")
    logo: Picture = Field(
        "",
        description="A PNG beside this file for the head of mails, without transparency, shown at half its size; the "
        "title is its text.",
    )
    light: LightSection = Field(LightSection(), description="Colours.")
    dark: DarkSection = Field(DarkSection(), description="Colours where a reader's machine is set to dark.")


class DigestSection(Section):
    body: Literal["summary", "full"] = Field(
        "summary", description="What a mail says of each story: its summary, or all of it as far as mails may be long."
    )
    numbered: bool = Field(False, description="Whether the subject begins with the issue's number: `#47 · …`.")


class RelaySection(Section):
    host: Host = Field(description="A further SMTP server, under a name of yours.")
    port: int = Field(587, description="SMTP port.", ge=1, le=65535)
    tls: Literal["starttls", "tls", "none"] = Field("starttls", description="As `mail.tls`.")
    ca_file: str = Field("", description="As `mail.ca_file`.")
    user: str = Field("", description="SMTP user; empty for none.")
    password: SecretStr | None = Field(None, description="Only as `NEWSLETTER_MAIL__RELAYS__KEY__PASSWORD`.")
    password_file: str = Field("", description="File that holds its password.")
    connections: int = Field(4, description="Connections to it at once.", ge=1, le=500)
    rate: Rate = Field(None, description="As `mail.rate`.")
    max_per_connection: int = Field(100, description="As `mail.max_per_connection`.", ge=1)


class RatesSection(Section):
    """How fast mail goes to the mailboxes of one provider, over all servers together."""

    gmail: Rate = Field(None, description="Messages to mailboxes of Google, such as `20/s`, `600/m` or `5000/h`.")
    outlook: Rate = Field(None, description="To those of Microsoft.")
    yahoo: Rate = Field(None, description="To those of Yahoo and AOL.")
    icloud: Rate = Field(None, description="To those of Apple.")
    other: Rate = Field(None, description="To all others.")


class WarmupSection(Section):
    start: int | None = Field(
        None,
        description="Messages on the first day of a sending domain that is new; without it there is no warm-up.",
        ge=1,
        le=MOST,
    )
    growth: float = Field(1.5, description="How many times as many the next day may have.", gt=1, le=10)
    since: date | None = Field(None, description="The first day. Needed with `start`.")
    target: int | None = Field(None, description="Messages a day with which it is over.", ge=1, le=MOST)


class MailSection(Section):
    transport: Literal["maildir", "smtp"] = Field(
        "maildir", description="`maildir` is the sandbox: mail lands in the outbox and no socket is opened."
    )
    host: Host = Field("localhost", description="SMTP server.")
    port: int = Field(587, description="SMTP port.", ge=1, le=65535)
    tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="`starttls`, `tls` (from the first byte) or `none`; never falls back."
    )
    ca_file: str = Field("", description="Certificates to trust instead of the system's, a PEM file.")
    user: str = Field("", description="SMTP user; empty for none.")
    password: SecretStr | None = Field(None, description="SMTP password; only as `NEWSLETTER_MAIL__PASSWORD`.")
    password_file: str = Field("", description="File that holds the SMTP password.")
    dkim_key_file: str = Field(
        "",
        description="An RSA key of 2048 bits or more, PEM, with which mails are signed for the domain of "
        "`sender.address` (DKIM); empty where the mail server signs.",
    )
    dkim_selector: Annotated[str, AfterValidator(_selector)] = Field(
        "newsletter", description="Where its public half stands in the DNS: `SELECTOR._domainkey.` and the domain."
    )
    bounce_address: Annotated[str, AfterValidator(_bounce_address)] = Field(
        "",
        description="Envelope sender: where mail servers return what they cannot deliver; SPF looks at its domain. "
        "Default: `sender.address`.",
    )
    envelope: Literal["plain", "verp"] = Field(
        "plain",
        description="`verp`: each mail of an issue has an envelope sender of its own, `b+…@bounces.example` for the "
        "`bounce_address` `b@bounces.example`, signed, so that bounces name their readers. Its server must take all.",
    )
    connections: int = Field(4, description="Connections to the SMTP server at once.", ge=1, le=500)
    max_per_connection: int = Field(100, description="Messages over one connection before it is renewed.", ge=1)
    rate: Rate = Field(None, description="The most that the server is given, such as `50/s`; empty for all it takes.")
    per_day: int | None = Field(
        None, description="The most messages of issues in a day; the rest goes the next.", ge=1, le=MOST
    )
    canary: bool = Field(
        False, description="Whether a hundred readers get an issue ten minutes before all others; from 500 readers on."
    )
    after_crash: Literal["ask", "resend"] = Field(
        "ask", description="What happens to a delivery whose fate a crash left unknown: wait for a person, or go again."
    )
    test_recipients: tuple[Address, ...] = Field(
        (), description="Addresses besides those of `[people]` that `issue test` may write to, such as seed mailboxes."
    )
    rates: RatesSection = Field(RatesSection(), description="How fast mail goes to one provider's mailboxes.")
    warmup: WarmupSection = Field(WarmupSection(), description="How a new sending domain is made known.")
    relays: dict[str, RelaySection] = Field({}, description="Further mail servers, each under its name.")


class WebSection(Section):
    url: Url | None = Field(None, description="Where `newsletter serve` is reached. Default: `site.url`.")
    host: str = Field("127.0.0.1", description="Address that `newsletter serve` listens on.")
    port: int = Field(8000, description="Port that `newsletter serve` listens on.", ge=1, le=65535)
    trusted_proxies: tuple[Network, ...] = Field(
        ("127.0.0.1", "::1"),
        description="Addresses or networks of your own proxies: whom X-Forwarded-For is believed, and nobody else.",
    )


class SignupSection(Section):
    open: bool = Field(True, description="Whether readers may sign up by mail; else pages have no form and say so.")
    address_wait: Span = Field(
        Intake().address_wait, description="An address is asked to confirm at most once in this time, whoever signs up."
    )
    address_a_month: int = Field(Intake().address_a_month, description="And at most so often in 30 days.", ge=1)
    network_an_hour: int = Field(
        Intake().network_an_hour, description="Sign-ups from one network (/24, or /64 of IPv6) in an hour.", ge=1
    )
    network_at_once: int = Field(Intake().network_at_once, description="Of these, how many at one time.", ge=1)
    site_an_hour: int = Field(Intake().site_an_hour, description="Sign-ups in an hour, from everywhere.", ge=1)
    brake_factor: int = Field(
        Intake().brake_factor,
        description="More than so many times the usual sign-ups in an hour (of the last four weeks) pause intake until "
        "it was quiet for half an hour; editors and operators are told.",
        ge=1,
    )
    brake_from: int = Field(Intake().brake_from, description="But never fewer than so many in an hour do.", ge=1)
    form_wait: Span = Field(
        Intake().form_wait, description="A form that comes back sooner is asked for one more press of a button."
    )
    answer_after: int = Field(
        round(Intake().answer_after.total_seconds() * 1000),
        description="Milliseconds that each answer to a sign-up takes, so that its time tells nothing.",
        ge=0,
        le=10_000,
    )
    return_to: tuple[Url, ...] = Field(
        (), description="Pages elsewhere to which an embedded form may lead back after a sign-up."
    )


def _confirm_within(value: timedelta) -> timedelta:
    if not timedelta(hours=1) <= value <= timedelta(days=14):
        raise ValueError("must be between 1h and 14d: the link in the mail works no longer")
    return value


class PrivacySection(Section):
    keep_network: bool = Field(
        False,
        description="Whether a sign-up keeps the network it came from, shortened: /24 of IPv4, /48 of IPv6.",
    )
    confirm_within: Annotated[Span, AfterValidator(_confirm_within)] = Field(
        timedelta(days=14), description="How long a sign-up may be confirmed; afterwards its address is deleted."
    )


class PublishSection(Section):
    hubs: tuple[Hub, ...] = Field((), description="WebSub hubs that are told when a feed has changed.")
    hosting: tuple[Literal["nginx", "caddy", "netlify", "cloudflare"], ...] = Field(
        (),
        description="Hosts whose settings are written along: `nginx` and `caddy` into `hosting/` in `paths.state`, "
        "`netlify` or `cloudflare` into the published folder.",
    )
    after: str = Field(
        "",
        description="A line for the shell that brings the published folder to where readers fetch it, such as "
        "`rsync -a --delete feeds/ host:/var/www/`. Run after each publish that changed something; it must succeed.",
    )
    seen_at: Url | None = Field(
        None,
        description="Where this machine reaches what is published at `site.url`, to look before an issue goes out "
        "whether its pages are there. Default: `site.url`.",
    )
    compress: bool = Field(False, description="Whether each text file is also written compressed, as `.gz` and `.br`.")


def _database(value: str) -> str:
    if value and not re.match(r"postgresql(\+psycopg)?://\S+/\w", value):
        raise ValueError("must be postgresql+psycopg://USER@HOST/DATABASE, or empty for SQLite in paths.state")
    return value


class PathsSection(Section):
    state: str = Field("var", description="Folder of database, outbox, keys; relative to the site.")
    output: str = Field("feeds", description="Folder that is published; relative to the site.")


class Settings(BaseSettings):
    """The file's shape. Field descriptions are the documentation."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=ENV_PREFIX, env_nested_delimiter="__", env_ignore_empty=False
    )

    review: Literal["on", "off"] = Field("on", description="`off` for a site of one person: no reviewer is asked for.")
    database: Annotated[str, AfterValidator(_database)] = Field(
        "",
        description="The PostgreSQL database that keeps the records: `postgresql+psycopg://USER@HOST/DATABASE`. Empty: "
        "a SQLite file in `paths.state`. With a password only as `NEWSLETTER_DATABASE`, or it lies in `~/.pgpass`.",
    )
    keys_file: str = Field("", description="Where the secrets of tokens lie. Default: `keys.toml` in `paths.state`.")
    site: SiteSection = Field(description="What is true of the whole publication.")
    sender: SenderSection = Field(SenderSection(), description="Who the mail comes from.")
    people: dict[str, PersonSection] = Field({}, description="Desks and persons, each under its key.")
    cadence: CadenceSection = Field(CadenceSection(), description="When issues go out.")
    editions: EditionsSection = Field(EditionsSection(), description="What else readers may get than the weekly issue.")
    backup: BackupSection = Field(BackupSection(), description="Copies of all that cannot be made anew.")
    issue: IssueSection = Field(IssueSection(), description="What an issue is made of.")
    look: LookSection = Field(LookSection(), description="How pages and mail look.")
    notices: NoticesSection = Field(NoticesSection(), description="What editors and operators are told, and where.")
    digest: DigestSection = Field(DigestSection(), description="What the mail says.")
    mail: MailSection = Field(MailSection(), description="How mail leaves.")
    web: WebSection = Field(WebSection(), description="The pages that answer readers.")
    signup: SignupSection = Field(SignupSection(), description="Signing up by mail, and limits against abuse.")
    privacy: PrivacySection = Field(PrivacySection(), description="What is kept of readers.")
    publish: PublishSection = Field(PublishSection(), description="What is told and written beside the pages.")
    paths: PathsSection = Field(PathsSection(), description="Where things lie.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (env_settings, init_settings)  # init carries the file's content


# --- what the rest of the house sees ---------------------------------------------------------------


MAIN = "main"
"""The name of the mail server that stands in `[mail]` itself."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """One mail server, its password read."""

    name: str
    host: str
    port: int
    tls: str
    ca_file: str | None
    user: str
    password: str = field(repr=False)
    connections: int
    max_per_connection: int
    rate: float | None  # messages a second


@dataclass(frozen=True, slots=True)
class Mail:
    """The `[mail]` section, its password read."""

    transport: str
    host: str
    port: int
    tls: str
    ca_file: str | None
    user: str
    password: str = field(repr=False)
    connections: int
    after_crash: str
    test_recipients: tuple[str, ...]
    dkim_key_file: Path | None = None  # None where nothing is signed here
    dkim_selector: str = ""
    verp: bool = False  # whether each mail of an issue has an envelope sender of its own
    servers: tuple[MailServer, ...] = ()  # over which issues go, that of `host` first
    limits: Limits = field(default_factory=Limits)
    canary: timedelta | None = None  # how long before all others a hundred readers get an issue

    @property
    def sandbox(self) -> bool:
        """No mail leaves this machine."""
        return self.transport == "maildir"


@dataclass(frozen=True, slots=True)
class BackupPlan:
    """When backups are made, where they go, and how many are kept."""

    at: time | None  # on the wall; None: never by itself
    folder: Path
    keep: int


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that a site's folder and environment say, checked."""

    root: Path
    site: Site
    cadence: Cadence
    mail: Mail
    state: Path
    output: Path
    keys_file: Path
    web_host: str
    web_port: int
    trusted_proxies: tuple[str, ...] = ()
    hosting: tuple[str, ...] = ()
    compress: bool = False
    after: str = ""  # the command that brings what is published to its readers
    seen_at: str = ""  # where this machine reaches what is published; no trailing slash
    brief: Brief = USUAL  # what is usual for an issue
    webhook: str = ""  # gets notices
    backup: BackupPlan = BackupPlan(None, Path("backups"), 14)
    heartbeat_url: str = ""  # is called at each look of `work`
    others: Mapping[str, Cadence] = field(default_factory=dict)  # editions beside the weekly one that are switched on
    intake: Intake = field(default_factory=Intake)
    keep_network: bool = False  # whether a sign-up keeps its network, shortened
    confirm_within: timedelta = timedelta(days=14)  # how long a sign-up may be confirmed
    server: str = field(default="", repr=False)  # URL of the PostgreSQL database; empty: a SQLite file

    @property
    def editions(self) -> tuple[str, ...]:
        """Those that are switched on, the one that is always there first."""
        return (WEEKLY, *self.others)

    def cadence_of(self, edition: str) -> Cadence:
        """The rhythm of an edition. Raises UsageError (I119) when it is not switched on."""
        if edition == WEEKLY:
            return self.cadence
        if edition not in self.others:
            raise UsageError(switched_off(edition))
        return self.others[edition]

    @property
    def sqlite_file(self) -> Path:
        """Where the records lie, or lay, when no server keeps them."""
        return self.state / "newsletter.sqlite3"

    @property
    def database(self) -> str:
        """The URL of what keeps the records."""
        return self.server or f"sqlite:///{self.sqlite_file}"


def find_root(start: Path) -> Path:
    """The nearest folder at or above `start` that holds `newsletter.toml`. Raises ConfigError."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder
    raise ConfigError(
        Problem(
            "C101",
            f"There is no {FILE_NAME} in {start} or above it",
            why="A site is a folder with that file.",
            fixes=("newsletter init PATH   makes a new site", "newsletter --site PATH …   names one"),
        )
    )


def load(root: Path) -> Config:
    """Read the site's configuration. Raises ConfigError with every fault found, in the file's order."""
    config, problems = read(root)
    if problems:
        raise ConfigError(problems)
    return config


def read(root: Path) -> tuple[Config, list[Problem]]:
    """The configuration as far as it is sound, and what is not, so that a check can go on to the posts.

    Faulty keys count as absent. Raises ConfigError when nothing can be made of the file or the environment.
    """
    text = _read(root / FILE_NAME)
    content = _parse(text)
    if whole := list(_whole_sections(os.environ)):
        raise ConfigError(whole)
    problems = [*_secrets_in_file(content, text), *_unknown_variables(os.environ)]
    try:
        settings = Settings(**content)
    except ValidationError as error:
        problems += [_told(detail, text, os.environ) for detail in error.errors()]
        problems.sort(key=lambda problem: problem.line)
        try:
            settings = Settings(**_pruned(content, error.errors()))
        except ValidationError:
            raise ConfigError(problems) from None
    passwords, unreadable = _passwords(root, settings.mail)
    config = _config(root, settings, passwords)
    site, unfit = looks.seen(
        config.site, root, settings.site.icon, settings.site.logo, settings.look.logo, partial(_at, text)
    )
    return replace(config, site=site), [
        *problems,
        *unreadable,
        *unfit,
        *_envelope(config, text),
        *_unfit_mail(settings, text),
    ]


def _envelope(config: Config, text: str) -> Iterator[Problem]:
    """C113: bounces can come back to each reader's own address only where there is one below which they are made."""
    address = config.site.sender.bounces
    local = address.rpartition("@")[0]
    if config.mail.verp and not 0 < len(local) <= LONGEST:
        yield _at(
            text,
            ("mail", "envelope"),
            "C113",
            f'mail.envelope = "verp" needs a mail.bounce_address, with at most {LONGEST} letters before the @',
            why="Each reader's own address is made from it: b@bounces.example becomes b+…@bounces.example.",
            fixes=('bounce_address = "b@bounces.YOUR-DOMAIN", whose server takes b+anything',),
        )


def _unfit_mail(settings: Settings, text: str) -> Iterator[Problem]:
    """C114: a warm-up without its first day, and relays in the sandbox's way."""
    warmup = settings.mail.warmup
    if warmup.start and not warmup.since:
        fix = "since = 2026-11-27   under [mail.warmup]: the day of the first mail"
        yield _at(text, ("mail", "warmup", "start"), "C114", "A warm-up needs its first day", fixes=(fix,))
    if MAIN in settings.mail.relays:
        where = ("mail", "relays", MAIN)
        yield _at(text, where, "C115", f"{MAIN!r} is the name of the server in [mail]", fixes=("Give it another.",))


def _pruned(content: dict[str, Any], faults: list[ErrorDetails]) -> dict[str, Any]:
    """The content without its faulty keys, with stand-ins for required ones."""
    for fault in faults:
        table: Any = content
        for key in fault["loc"][:-1]:
            table = table.setdefault(key, {}) if isinstance(table, dict) else {}
        if isinstance(table, dict):
            table.pop(fault["loc"][-1], None)
    stand_ins = {"title": "Untitled", "url": "https://site.example"}
    content["site"] = stand_ins | content.get("site", {})
    for key, person in content.get("people", {}).items():
        person.setdefault("name", key)
    return content


def reference() -> Iterator[tuple[str, str, str]]:
    """Every key as (dotted name, default, description), in the order of the file: what the documentation lists."""
    yield from _reference(Settings, "")


_NAMED: dict[str, type[Section]] = {"people": PersonSection, "relays": RelaySection}
"""Tables of which there may be several, each under a key of its own."""


def _reference(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, told in model.model_fields.items():
        if name in _NAMED:
            yield from _reference(_NAMED[name], f"{prefix}{name}.KEY.")
        elif isinstance(told.annotation, type) and issubclass(told.annotation, Section):
            yield from _reference(told.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _default_words(told.default), told.description or ""


def _default_words(value: object) -> str:
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, timedelta):
        minutes = value.total_seconds() / 60
        if 0 < minutes < 1:
            return f"{value.total_seconds():g}s"
        if minutes > 1440 and minutes % 1440 == 0:
            return f"{minutes / 1440:g}d"
        return f"{minutes:g}m" if minutes % 60 else f"{minutes / 60:g}h"
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, tuple):
        return json.dumps(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def remarks(told: Config) -> list[Problem]:
    """What works, but not as was meant: C111 for a language in which we have no fixed words."""
    language = told.site.language
    if is_known(language):
        return []
    text = _read(told.root / FILE_NAME)
    line = _locate(text, ("site", "language"))
    return [
        Problem(
            "C111",
            f"There are no fixed words in the language {language!r}",
            file=FILE_NAME,
            line=line,
            excerpt=_line(text, line),
            why=f"Readers get “Read more”, dates and the like in English. We have them in {known()}.",
            fixes=("Write these words into your own templates: newsletter templates list",),
            level="warn",
        )
    ]


# --- reading and telling ---------------------------------------------------------------------------


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(
            Problem("C102", "The file is not UTF-8", file=FILE_NAME, fixes=("Save it as UTF-8.",))
        ) from None
    except OSError as error:
        raise ConfigError(Problem("C102", f"The file cannot be read: {error.strerror}", file=str(path))) from None


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line, column = (int(match[1]), int(match[2])) if match else (len(text.splitlines()), 0)
        raise ConfigError(
            Problem(
                "C103",
                f"This is not TOML: {str(error).split(' (at')[0]}",
                file=FILE_NAME,
                line=line,
                column=column,
                width=1,
                excerpt=_line(text, line),
                fixes=('A value in quotes, one key a line: title = "Auto Trendy"',),
            )
        ) from None


def _secrets_in_file(content: dict[str, Any], text: str) -> Iterator[Problem]:
    mail = content.get("mail")
    relays = mail.get("relays") if isinstance(mail, dict) else None
    named = relays.items() if isinstance(relays, dict) else ()
    for keys, table in ((("mail",), mail), *((("mail", "relays", name), told) for name, told in named)):
        if not (isinstance(table, dict) and "password" in table):
            continue
        table.pop("password")
        variable = f"{ENV_PREFIX}{'__'.join((*keys, 'password')).upper()}"
        yield Problem(
            "C104",
            "A password does not belong in this file",
            file=FILE_NAME,
            line=_locate(text, (*keys, "password")),
            why="The file is committed and copied; whoever reads it could send as you.",
            fixes=("password_file = a file that only you can read", f"{variable} in the environment"),
        )
    database = content.get("database")
    if isinstance(database, str) and re.match(r"[^/]*://[^/@:]*:[^/]*@|.*[?&]password=", database):
        content.pop("database")
        yield Problem(
            "C104",
            "A password does not belong in this file",
            file=FILE_NAME,
            line=_locate(text, ("database",)),
            why="The file is committed and copied; whoever reads it could read and change all records.",
            fixes=("the whole line as NEWSLETTER_DATABASE in the environment", "or the password in ~/.pgpass"),
        )


def _whole_sections(environment: Mapping[str, str]) -> Iterator[Problem]:
    """A variable sets one key. One that names a section (or a person) is a slip, and would be read as JSON."""
    known = {f"{ENV_PREFIX}{key.upper().replace('.', '__')}" for key, _, _ in reference()}
    for name in sorted(environment):
        section = name.upper()
        if section.startswith(ENV_PREFIX) and (
            any(key.startswith(f"{section}__") for key in known)
            or re.fullmatch(f"{ENV_PREFIX}(PEOPLE|MAIL__RELAYS)(__[^_]+)?", section)
        ):
            yield Problem(
                "C109",
                f"The environment variable {name} names a whole section; one variable sets one key",
                fixes=(f"{section}__KEY=VALUE   (docs/configuration.md lists the keys)",),
            )


def _unknown_variables(environment: Mapping[str, str]) -> Iterator[Problem]:
    """pydantic-settings ignores unknown top-level variables; a typo there must not pass in silence."""
    sections = {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in environment:
        upper = name.upper()  # pydantic-settings reads lower case too
        if upper.startswith(ENV_PREFIX) and upper.split("__")[0] not in sections | _OTHER_VARIABLES:
            known = [f"{ENV_PREFIX}{key.upper().replace('.', '__')}" for key, _, _ in reference()]
            guess = nearest(upper, [*known, *_OTHER_VARIABLES])
            yield Problem(
                "C105",
                f"There is no setting for the environment variable {name}",
                fixes=(f"Did you mean {guess}?",) if guess else (),
            )


_MUST = {
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "model_type": "must be a table with keys of its own",
    "dict_type": "must be a table with keys of its own",
    "string_too_short": "must not be empty",
}


def _told(detail: ErrorDetails, text: str, environment: Mapping[str, str]) -> Problem:
    keys = tuple(str(part) for part in detail["loc"])
    name = ".".join(keys)
    line = _locate(text, keys)
    variable = f"{ENV_PREFIX}{'__'.join(keys).upper()}"
    from_environment = variable in environment
    place: dict[str, Any] = (
        {"file": variable} if from_environment else {"file": FILE_NAME, "line": line, "excerpt": _line(text, line)}
    )
    if detail["type"] == "extra_forbidden":
        guess = nearest(name, [_with_key(key, keys) for key, _, _ in reference()])
        fixes = (f"Did you mean {guess}?",) if guess else ("docs/configuration.md lists every key.",)
        return Problem("C105", f"There is no key {name}", fixes=fixes, **place)
    if detail["type"] == "missing":
        where = f"Add it under [{'.'.join(keys[:-1])}]." if keys[:-1] else f"Add a table [{name}]."
        return Problem("C106", f"The key {name} is missing", fixes=(where,), **place)
    message = _MUST.get(detail["type"]) or detail["msg"].removeprefix("Value error, ")
    if not message.startswith(("is ", "must ")):
        message = f"is refused: {message[:1].lower()}{message[1:]}"
    return Problem("C107", f"{name} {message}", why=f"It says {_shown(detail['input'])}.", **place)


def _with_key(name: str, keys: tuple[str, ...]) -> str:
    at = {"people": 1, "mail": 2}.get(keys[0], len(keys))
    return name.replace("KEY", keys[at], 1) if ".KEY." in name and at < len(keys) else name


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, (str, int, float)) else str(value)


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _locate(text: str, keys: tuple[str, ...]) -> int:
    """The line on which a dotted key, or else its table, stands; 0 when neither is in the file."""
    table: tuple[str, ...] = ()
    best = 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\]]+?)\s*\]", line):
            table = tuple(part.strip().strip("\"'") for part in header[1].split("."))
            if table == keys[: len(table)]:
                best = best or number
        elif assignment := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            here = (*table, *(part.strip("\"'") for part in assignment[1].split(".")))
            if here == keys[: len(here)]:
                return number
    return best


def _at(text: str, key: tuple[str, ...], code: str, message: str, **told: Any) -> Problem:
    """A Problem at the line of a key, or at the variable that set it."""
    variable = f"{ENV_PREFIX}{'__'.join(key).upper()}"
    if variable in os.environ:
        return Problem(code, message, file=variable, **told)
    line = _locate(text, key)
    return Problem(code, message, file=FILE_NAME, line=line, excerpt=_line(text, line), **told)


# --- from settings to the words --------------------------------------------------------------------


def _config(root: Path, settings: Settings, passwords: Mapping[str, str]) -> Config:
    state = root / settings.paths.state
    return Config(
        root=root,
        site=_site(settings),
        cadence=_cadence(settings),
        others=dict(_others(settings)),
        mail=_mail(root, settings.mail, passwords, ZoneInfo(settings.site.timezone)),
        state=state,
        output=root / settings.paths.output,
        keys_file=root / settings.keys_file if settings.keys_file else state / "keys.toml",
        web_host=settings.web.host,
        web_port=settings.web.port,
        trusted_proxies=settings.web.trusted_proxies,
        hosting=settings.publish.hosting,
        compress=settings.publish.compress,
        after=settings.publish.after,
        seen_at=settings.publish.seen_at or settings.site.url,
        brief=Brief(at_least=settings.issue.at_least, at_most=settings.issue.at_most),
        backup=_backup(root, settings.backup),
        webhook=settings.notices.webhook,
        heartbeat_url=settings.notices.heartbeat_url,
        intake=_intake(settings.signup),
        keep_network=settings.privacy.keep_network,
        confirm_within=settings.privacy.confirm_within,
        server=settings.database,
    )


def _intake(told: SignupSection) -> Intake:
    values = told.model_dump() | {"answer_after": timedelta(milliseconds=told.answer_after)}
    return Intake(**values)


def _site(settings: Settings) -> Site:
    told = settings.site
    host = urlsplit(told.url).hostname or ""
    return Site(
        title=told.title,
        url=told.url,
        web_url=settings.web.url or told.url,
        tagline=told.tagline,
        language=told.language,
        timezone=ZoneInfo(told.timezone),
        authority=told.authority or host,
        take_label=told.take_label or spoken(told.language).say("%(publication)s's take", publication=told.title),
        sender=_sender(settings, host),
        people={key: Person(key, p.name, p.email, p.role) for key, p in settings.people.items()},
        review=settings.review == "on",
        hubs=settings.publish.hubs,
        rights=told.rights,
        full_text=settings.digest.body == "full",
        numbered=settings.digest.numbered,
        look=_look(settings.look),
        mail_day=_mail_day(settings),
    )


def _mail_day(settings: Settings) -> int | None:
    """Without an address to send from there is no mail to sign up for."""
    takes_in = settings.signup.open and settings.sender.address
    return WEEKDAYS.index(settings.cadence.weekday) if takes_in else None


def _look(told: LookSection) -> Look:
    light, dark = Palette(**told.light.model_dump()), Palette(**told.dark.model_dump())
    return Look(light, dark, told.titles, told.text)


def _sender(settings: Settings, host: str) -> Sender:
    told = settings.sender
    return Sender(
        name=told.name or settings.site.title,
        address=told.address,
        reply_to=told.reply_to or told.address,
        postal_address=told.postal_address.strip(),
        list_id=told.list_id or f"weekly.{host}",
        bounces=settings.mail.bounce_address,
    )


def _cadence(settings: Settings) -> Cadence:
    told = settings.cadence
    return Cadence(
        weekday=WEEKDAYS.index(told.weekday),
        at=told.time,
        zone=ZoneInfo(told.timezone or settings.site.timezone),
        late_limit=told.late_limit,
        preview=told.preview,
        freeze=told.freeze,
        first_slot=told.first_slot,
    )


def _others(settings: Settings) -> Iterator[tuple[str, Cadence]]:
    told, weekly = settings.editions, replace(_cadence(settings), first_slot=None)
    if told.monthly:
        nth, weekday, at = told.monthly
        yield MONTHLY, replace(weekly, edition=MONTHLY, nth=nth, weekday=weekday, at=at)
    if told.each_post:
        none = timedelta(0)
        yield EACH_POST, replace(weekly, edition=EACH_POST, preview=none, freeze=none, delay=told.each_post_delay)


def switched_off(edition: str) -> Problem:
    """I119."""
    line = {MONTHLY: 'monthly = "first friday 08:00"', EACH_POST: "each_post = true"}[edition]
    return Problem(
        "I119",
        f"The {edition} edition is not switched on",
        file="newsletter.toml",
        fixes=(f"{line}   under [editions]",),
    )


def _backup(root: Path, told: BackupSection) -> BackupPlan:
    return BackupPlan(None if isinstance(told.at, str) else told.at, root / told.folder, told.keep)


_CANARY = timedelta(minutes=10)


def _mail(root: Path, told: MailSection, passwords: Mapping[str, str], zone: ZoneInfo) -> Mail:
    servers = tuple(_server(root, name, section, passwords[name]) for name, section in _servers(told))
    first = servers[0]
    warmup = told.warmup
    return Mail(
        transport=told.transport,
        host=first.host,
        port=first.port,
        tls=first.tls,
        ca_file=first.ca_file,
        user=first.user,
        password=first.password,
        connections=first.connections,
        after_crash=told.after_crash,
        test_recipients=told.test_recipients,
        dkim_key_file=root / told.dkim_key_file if told.dkim_key_file else None,
        dkim_selector=told.dkim_selector,
        verp=told.envelope == "verp",
        servers=servers,
        limits=Limits(
            relays={server.name: server.rate for server in servers if server.rate},
            groups={group: rate for group, rate in told.rates if rate},
            per_day=told.per_day,
            warmup=Warmup(warmup.start, warmup.growth, warmup.since, warmup.target)
            if warmup.start and warmup.since
            else None,
            zone=zone,
        ),
        canary=_CANARY if told.canary else None,
    )


def _servers(told: MailSection) -> Sequence[tuple[str, MailSection | RelaySection]]:
    return [(MAIN, told), *told.relays.items()]


def _server(root: Path, name: str, told: MailSection | RelaySection, password: str) -> MailServer:
    return MailServer(
        name=name,
        host=told.host,
        port=told.port,
        tls=told.tls,
        ca_file=str(root / told.ca_file) if told.ca_file else None,
        user=told.user,
        password=password,
        connections=told.connections,
        max_per_connection=told.max_per_connection,
        rate=told.rate,
    )


def _passwords(root: Path, told: MailSection) -> tuple[Mapping[str, str], list[Problem]]:
    """The SMTP passwords by name of the server, from the environment before the files; what is wrong with the files."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name, section in _servers(told):
        key = "mail.password_file" if name == MAIN else f"mail.relays.{name}.password_file"
        found[name], unreadable = _password(root, key, section)
        problems += unreadable
    return found, problems


def _password(root: Path, key: str, told: MailSection | RelaySection) -> tuple[str, list[Problem]]:
    if told.password is not None:
        return told.password.get_secret_value(), []
    if not told.password_file:
        return "", []
    try:
        return (root / told.password_file).read_text(encoding="utf-8").rstrip("\r\n"), []
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text"
    except OSError as error:
        reason = error.strerror or str(error)
    return "", [
        Problem(
            "C108",
            f"{key} cannot be read: {reason}",
            file=str(told.password_file),
            fixes=("Make the file, readable by this user only.",),
        )
    ]
