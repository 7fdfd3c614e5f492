"""The attendees of the sample event: an endless, repeatable row of people, of which an event takes as many as it wants.

Names are given in Latin and in Arabic script. Addresses are under `.example`, which is nobody's (RFC 2606), so that no
mail can ever reach anybody.
"""

from __future__ import annotations

import random
import unicodedata
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from msgspec import Struct, toml

from server.demo.exhibitors import CONTENT, slug
from server.interchange.programme import Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Draw = Callable[[], float]
    """Evenly distributed, 0 ≤ x < 1."""

T = TypeVar("T")

Language = Literal["fr", "ar", "en"]
Ticket = Literal["visitor", "vip", "press", "speaker", "exhibitor", "staff"]


class Person(Struct, frozen=True, kw_only=True, gc=False):
    name: str
    """Latin script, as on the badge: `Salma El Idrissi`."""
    name_ar: str
    email: str
    """ASCII, unique within one row of people."""
    company: str
    job: str
    """What the person does, in the person's language and gender."""
    language: Language
    ticket: Ticket


class TicketType(Struct, frozen=True, kw_only=True):
    key: Ticket
    name: Texts
    share: float
    """Of all attendees, percent."""


TICKETS: Final = (
    TicketType(key="visitor", name={"fr": "Visiteur", "ar": "زائر", "en": "Visitor"}, share=86),
    TicketType(key="vip", name={"fr": "VIP", "ar": "كبار الضيوف", "en": "VIP"}, share=4),
    TicketType(key="press", name={"fr": "Presse", "ar": "صحافة", "en": "Press"}, share=2),
    TicketType(key="speaker", name={"fr": "Intervenant", "ar": "متحدث", "en": "Speaker"}, share=1.5),
    TicketType(key="exhibitor", name={"fr": "Exposant", "ar": "عارض", "en": "Exhibitor"}, share=5),
    TicketType(key="staff", name={"fr": "Organisation", "ar": "فريق التنظيم", "en": "Staff"}, share=1.5),
)
"""In the order in which an organiser would list them."""

WOMEN: Final = 0.46
"""Their share of the attendees."""

COMPANIES: Final = 2400
"""As many employers suffice for 150,000 people to look real; 5,000 people come from about 1,800 of them."""

ORGANISER: Final = "Digital Now"

ADDRESSES: Final = ("{first}.{last}", "{first}.{last}", "{initial}.{last}", "{last}.{first}")
"""What addresses look like, employer by employer."""

Job = tuple[str, str, str, str, str]
"""French and Arabic of a man, French and Arabic of a woman, English."""
JOB_COLUMN: Final[dict[tuple[bool, Language], int]] = {
    (False, "fr"): 0,
    (False, "ar"): 1,
    (True, "fr"): 2,
    (True, "ar"): 3,
    (False, "en"): 4,
    (True, "en"): 4,
}


class Origin(Struct, frozen=True, forbid_unknown_fields=True):
    place: str
    share: float
    languages: dict[Language, int]
    female: list[tuple[str, str]]
    male: list[tuple[str, str]]
    family: list[tuple[str, str]]


class Employers(Struct, frozen=True, forbid_unknown_fields=True):
    roots: list[str]
    trades: list[str]
    family_forms: list[str]
    schools: list[str]
    institutions: list[str]
    media: list[str]
    mailboxes: list[str]


class Jobs(Struct, frozen=True, forbid_unknown_fields=True):
    company: list[Job]
    institution: list[Job]
    school: list[Job]
    freelance: list[Job]
    vip: list[Job]
    booth: list[Job]
    media: list[Job]
    staff: list[Job]


class Names(Struct, frozen=True, forbid_unknown_fields=True):
    """names.toml."""

    origins: list[Origin]
    employers: Employers
    jobs: Jobs


class Pool(Struct, frozen=True):
    """The women or the men of one origin. A name is Latin, Arabic, and lower-case ASCII for an address."""

    female: bool
    weight: float
    first: list[tuple[str, str, str]]
    family: list[tuple[str, str, str]]
    languages: list[Language]
    """A hundred or so, each as often as it weighs."""


class Employer(Struct, frozen=True):
    name: str
    domain: str
    address: str
    """The form of its addresses, a template over `first`, `initial` and `last`."""


class Circle(Struct, frozen=True):
    """People of one walk of life: where they may work and what they may do."""

    employers: list[Employer]
    jobs: list[Job]


def generate_people(count: int, seed: int, companies_of_exhibitors: Sequence[str] = ()) -> Iterator[Person]:
    """The first `count` of the people of this seed: fewer are always the beginning of more.

    Holders of an exhibitor's ticket work for one of `companies_of_exhibitors`, or anywhere when there are none; nothing
    else depends on these companies. Raises ValueError for a negative count.
    """
    if count < 0:
        raise ValueError(f"the number of people cannot be negative: {count}")
    names = toml.decode((CONTENT / "names.toml").read_bytes(), type=Names)
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    circles = _circles(names, rng, companies_of_exhibitors)
    pools = [_pool(origin, female=female) for origin in names.origins for female in (True, False)]
    return islice(_people(rng, pools, circles), count)


def _people(rng: random.Random, pools: list[Pool], circles: dict[Ticket, list[Circle]]) -> Iterator[Person]:
    pool_weights = list(accumulate(pool.weight for pool in pools))
    tickets = [ticket.key for ticket in TICKETS]
    ticket_weights = list(accumulate(ticket.share for ticket in TICKETS))
    seen: dict[str, int] = {}
    while True:
        # Drawn a thousand at a time, always whole: it is faster, and the thousand does not depend on who asks for it.
        drawn_pools = rng.choices(pools, cum_weights=pool_weights, k=1000)
        drawn_tickets = rng.choices(tickets, cum_weights=ticket_weights, k=1000)
        for pool, ticket in zip(drawn_pools, drawn_tickets, strict=True):
            yield _person(rng.random, pool, ticket, circles[ticket], seen)


def _person(draw: Draw, pool: Pool, ticket: Ticket, circles: list[Circle], seen: dict[str, int]) -> Person:
    circle = circles[int(len(circles) * draw())]
    first, first_ar, first_ascii = _earlier(pool.first, draw)
    last, last_ar, last_ascii = _earlier(pool.family, draw)
    employer = _earlier(circle.employers, draw)
    language = pool.languages[int(len(pool.languages) * draw())]
    local = employer.address.format(first=first_ascii, initial=first_ascii[0], last=last_ascii)
    return Person(
        name=f"{first} {last}",
        name_ar=f"{first_ar} {last_ar}",
        email=_unique(local, employer.domain, seen),
        company=employer.name,
        job=_earlier(circle.jobs, draw)[JOB_COLUMN[pool.female, language]],
        language=language,
        ticket=ticket,
    )


def _earlier(items: Sequence[T], draw: Draw) -> T:
    """One of the items, the earlier ones more often: of 80 the first every 19th time, of 2,400 every 180th."""
    return items[int(len(items) * draw() ** 1.5)]


def _unique(local: str, domain: str, seen: dict[str, int]) -> str:
    """The address, from its second holder on with a number. No two can meet, since `local` has no digit of its own."""
    address = f"{local}@{domain}"
    holders = seen[address] = seen.get(address, 0) + 1
    return address if holders == 1 else f"{local}{holders}@{domain}"


def _pool(origin: Origin, *, female: bool) -> Pool:
    first = origin.female if female else origin.male
    return Pool(
        female=female,
        weight=origin.share * (WOMEN if female else 1 - WOMEN),
        first=[(latin, arabic, _letters(latin)) for latin, arabic in first],
        family=[(latin, arabic, _letters(latin)) for latin, arabic in origin.family],
        languages=[language for language, weight in origin.languages.items() for _ in range(weight)],
    )


def _letters(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(filter(str.isalpha, plain)).lower()


def _circles(names: Names, rng: random.Random, companies_of_exhibitors: Sequence[str]) -> dict[Ticket, list[Circle]]:
    """The circles that the holders of each ticket belong to, each as often as it weighs."""
    employers, jobs = names.employers, names.jobs
    companies = _employers(_companies(names, rng))
    company = Circle(companies, jobs.company)
    school = Circle(_employers(employers.schools), jobs.school)
    institution = Circle(_employers(employers.institutions), jobs.institution)
    on_their_own = [Employer("Freelance", f"{box}.example", ADDRESSES[0]) for box in employers.mailboxes]
    freelance = Circle(on_their_own, jobs.freelance)
    return {
        "visitor": [company] * 15 + [institution] * 2 + [school] * 2 + [freelance],
        "vip": [Circle(companies, jobs.vip)],
        "press": [Circle(_employers(employers.media), jobs.media)],
        "speaker": [company] * 3 + [institution],
        "exhibitor": [Circle(_employers(companies_of_exhibitors) or companies, jobs.booth)],
        "staff": [Circle(_employers([ORGANISER]), jobs.staff)],
    }


def _companies(names: Names, rng: random.Random) -> list[str]:
    employers = names.employers
    companies = [f"{root} {trade}" for root in employers.roots for trade in employers.trades]
    companies += [form.format(family=latin) for form in employers.family_forms for latin, _ in names.origins[0].family]
    rng.shuffle(companies)
    return companies[:COMPANIES]


def _employers(companies: Sequence[str]) -> list[Employer]:
    return [
        Employer(company, f"{slug(company)}.example", ADDRESSES[index % len(ADDRESSES)])
        for index, company in enumerate(companies)
    ]
