"""Tells whether two stories are one: by their links, or by headlines that say nearly the same.

**Links** are compared without what only counts readers or remembers them: the scheme, `www.` and
`amp.`, the fragment, parameters such as `utm_source`, a slash or `index.html` at the end; the other
parameters in order.

**Headlines** are compared as sets of words (Jaccard's coefficient: common words through all words),
in lower case, without accents, punctuation, and the words that every sentence has. Two are the same
from `ALIKE` on; if they have at least `LEAST_WORDS` words each, as two short ones may well be two
stories; and only if the same numbers stand in both: “Day 3 of the hearing” is not day 4. Who asks
compares with what came in within some days (`[desk] same_story_days`).
"""

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

ALIKE = 0.7
LEAST_WORDS = 4
_WORD = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"['’](?:s\b)?")
_COUNTING = re.compile(
    r"utm_\w+|mc_[ce]id|fbclid|gclid|dclid|msclkid|igshid|ref|ref_src|cmpid|ncid|spm|smid|smtyp"
    r"|ocid|s_cid|_ga|_gl|amp|taid|jsessionid|phpsessid",
    re.IGNORECASE,
)
_SESSION = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)
_INDEX = re.compile(r"/(?:index\.(?:html?|php)|amp)?$")
_COMMON_WORDS = """
    a an and are as at be by for from has have in is it its of on or that the their to was were
    will with after over says said new
    al ante con de del desde el en entre es esta este ha han la las lo los mas o para por que se
    sin sobre su sus tras un una y
"""
_COMMON = frozenset(_COMMON_WORDS.split())


def words(text: str) -> list[str]:
    """The words of a text in lower case, without accents and punctuation."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in apart if not unicodedata.combining(each))
    return _WORD.findall(_APOSTROPHE.sub("", bare))


def link(url: str) -> str:
    """A link without what only counts readers; blank for none."""
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").lower()
        port = parts.port
    except ValueError:
        return ""
    if not host:
        return ""
    host = re.sub(r"^(?:www|amp|m)\.", "", host)
    place = f"{host}:{port}" if port not in (None, 80, 443) else host
    path = _INDEX.sub("", _SESSION.sub("", parts.path))
    kept = sorted(
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not _COUNTING.fullmatch(name)
    )
    return f"{place}{path}" + (f"?{urlencode(kept)}" if kept else "")


def link_key(url: str) -> str:
    """A digest of `link`; blank for none."""
    found = link(url)
    return hashlib.sha256(found.encode("utf-8", "replace")).hexdigest()[:32] if found else ""


def are_alike(first: str, second: str) -> bool:
    """Whether two headlines tell the same."""
    gathered = Headlines()
    gathered.add(1, first)
    return gathered.find(second) == 1


@dataclass(slots=True)
class Headlines:
    """Headlines to compare others with; only those that share a word are looked at."""

    _signs: dict[int, frozenset[str]] = field(default_factory=dict)
    _with_word: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, number: int, headline: str) -> None:
        """One more, under a number."""
        signs = _signs(headline)
        if len(signs) < LEAST_WORDS:
            return
        self._signs[number] = signs
        for each in signs:
            self._with_word[each].append(number)

    def find(self, headline: str) -> int | None:
        """The number of the one that is most like a headline, or None; the first of several."""
        signs = _signs(headline)
        if len(signs) < LEAST_WORDS:
            return None
        shared: Counter[int] = Counter()
        for each in signs:
            shared.update(self._with_word.get(each, ()))
        best, best_share = None, 0.0
        for number, common in shared.items():
            other = self._signs[number]
            share = common / (len(signs) + len(other) - common)
            if share < ALIKE or _numbers(signs) != _numbers(other):
                continue
            if share > best_share or (share == best_share and best is not None and number < best):
                best, best_share = number, share
        return best


def _signs(headline: str) -> frozenset[str]:
    return frozenset(each for each in words(headline) if each not in _COMMON)


def _numbers(signs: frozenset[str]) -> frozenset[str]:
    return frozenset(each for each in signs if any(letter.isdigit() for letter in each))
