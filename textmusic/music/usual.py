"""What is usual in a genre: the instruments, metres and tempi that its real pieces have.

The figures stand in `textmusic/data/usual.json`, which `training/usual.py` writes from the corpora.
An open choice of the plan is made among them (`plan_grammar`), so that what a text leaves open is
chosen as real pieces have it. A share is one of windows, as training draws them: by the weight of
their source.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from textmusic.music.data_files import load_data
from textmusic.music.plan import GENRES, MAX_PROGRAMS, Plan
from textmusic.music.theory import DRUMS, tempo_bin

RARE = 0.01  # what fewer windows have is not usual
THIN = 30  # a genre of fewer pieces has no figures of its own
TAILS = (0.05, 0.95)  # between these quantiles a tempo is usual
# Genres that are played by a band. In the corpora they are arrangements for one piano, drums for
# practice and bare tunes as well (88 % of what is called pop is POP909's piano), and whoever asks
# for "a pop song" means none of these.
BANDS = frozenset(
    "pop rock funk reggae electronic metal jazz swing blues bossa-nova latin country ballad".split()
)
BASSES = frozenset((*range(32, 40), 43, 58))  # basses, double bass and tuba
# A tune that is noted down alone is music for one player in these genres, but elsewhere an excerpt:
# a march for a lone violin is what the band plays, written for whoever reads it.
TUNES = frozenset("folk celtic dance lead-sheet baroque classical renaissance romantic".split())
SINGLE_LINES = frozenset((*range(40, 44), 53, 54, *range(56, 80), 109, 110, 111))  # not choirs


@dataclass(frozen=True, slots=True)
class Usual:
    """What of a genre occurs in 1 % of its windows or more, with its share (0 to 1).

    pieces: how many the figures come from. programs: sets of instruments (sorted General MIDI
    programs, 128 for drums) that an open choice has; shares are of the windows that `counts` lets
    in. heard: the same of all windows. metres: time signatures. tempi: the 5th and the 95th
    percentile of the tempo, quarter notes a minute. tempo_bins: by `theory.tempo_bin`.
    """

    pieces: int
    programs: Mapping[tuple[int, ...], float]
    heard: Mapping[tuple[int, ...], float]
    metres: Mapping[str, float]
    tempi: tuple[float, float]
    tempo_bins: Mapping[int, float]

    def has_tempo(self, tempo: float) -> bool:
        """Whether a tempo lies in a usual bin and between the percentiles."""
        low, high = self.tempi
        return low <= tempo <= high and tempo_bin(tempo) in self.tempo_bins

    @property
    def is_tunes(self) -> bool:
        """Whether most of the genre's music is a single melody without accompaniment."""
        alone = sum(share for programs, share in self.programs.items() if is_tune(programs))
        return 2 * alone > sum(self.programs.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain types only; `from_dict` reads it back."""
        return {
            "pieces": self.pieces,
            "tempi": list(self.tempi),
            "tempo_bins": [[share, bin_] for bin_, share in self.tempo_bins.items()],
            "metres": [[share, metre] for metre, share in self.metres.items()],
            "programs": [[share, *programs] for programs, share in self.programs.items()],
            "heard": [[share, *programs] for programs, share in self.heard.items()],
        }

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Usual:
        """Inverse of `to_dict`."""
        return Usual(
            pieces=data["pieces"],
            programs=MappingProxyType({tuple(row[1:]): row[0] for row in data["programs"]}),
            heard=MappingProxyType({tuple(row[1:]): row[0] for row in data["heard"]}),
            metres=MappingProxyType({metre: share for share, metre in data["metres"]}),
            tempi=(data["tempi"][0], data["tempi"][1]),
            tempo_bins=MappingProxyType({bin_: share for share, bin_ in data["tempo_bins"]}),
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """A window of a real piece. weight: how often training draws it, in any unit."""

    piece: str
    genres: tuple[str, ...]
    plan: Plan
    weight: float


@cache
def of(genre: str | None) -> Usual:
    """What is usual in a genre of `plan.GENRES`; None is all music.

    A genre that the corpora have fewer than 30 pieces of has the figures of all music.
    """
    data = load_data("usual.json")
    own = data.get(genre or "all")
    thin = own is None or own["pieces"] < THIN
    return Usual.from_dict(data["all"] if thin else own)


@cache
def genres_of(programs: tuple[int, ...]) -> tuple[str, ...]:
    """The genres that these instruments (sorted) are usual in, or else their nearest relatives.

    Nearest is the first that any genre has of: the same set, one of the same families of General
    MIDI (eight programs each, and drums), one that has these families among its own, one whose
    families are all among these. () if none has even that.
    """
    families = _families(programs)
    tests: tuple[Callable[[tuple[int, ...]], bool], ...] = (
        lambda other: other == programs,
        lambda other: _families(other) == families,
        lambda other: _families(other) >= families,
        lambda other: _families(other) <= families,
    )
    for alike in tests:
        found = [g for g in GENRES if any(map(alike, (*of(g).programs, *of(g).heard)))]
        if found:
            return tuple(found)
    return ()


def _families(programs: Iterable[int]) -> frozenset[int]:
    return frozenset(program // 8 for program in programs)


def counts(genre: str | None, programs: Sequence[int]) -> bool:
    """Whether an open choice of instruments may be so few: a band's genre has bass and drums.

    And a single melody without accompaniment is no whole march, waltz or carol; see `TUNES`.
    """
    if genre in BANDS:
        return DRUMS in programs and not BASSES.isdisjoint(programs)
    return genre is None or genre in TUNES or not is_tune(programs)


def is_tune(programs: Sequence[int]) -> bool:
    """Whether these instruments are one that plays a single melody."""
    return len(programs) == 1 and programs[0] in SINGLE_LINES


def measured(seen: Iterable[Seen], genre: str | None) -> Usual:
    """What is usual among windows of a genre (None: all); their own genres are not looked at.

    A window that is of several genres stands for each of them in equal parts, as training draws
    one.
    """
    sets: dict[tuple[int, ...], float] = defaultdict(float)
    metres: dict[str, float] = defaultdict(float)
    bins: dict[int, float] = defaultdict(float)
    tempi: list[tuple[float, float]] = []
    pieces = set()
    for window in seen:
        plan = window.plan
        assert plan.programs and plan.time_signature is not None and plan.tempo is not None
        weight = window.weight / (len(window.genres) or 1) if genre else window.weight
        if len(plan.programs) <= MAX_PROGRAMS:
            sets[plan.programs] += weight
        metres[plan.time_signature] += weight
        bins[tempo_bin(plan.tempo)] += weight
        tempi.append((plan.tempo, weight))
        pieces.add(window.piece)
    whole = {programs: share for programs, share in sets.items() if counts(genre, programs)}
    low, high = (round(_quantile(tempi, tail), 1) for tail in TAILS)
    return Usual(
        len(pieces), _shares(whole), _shares(sets), _shares(metres), (low, high), _shares(bins)
    )


def _shares(weights: Mapping[Any, float]) -> Mapping[Any, float]:
    """What has 1 % or more of the weight, the most frequent first."""
    total = sum(weights.values())
    usual = {value: weight / total for value, weight in weights.items() if weight >= RARE * total}
    order = sorted(usual, key=lambda value: (-usual[value], value))
    return MappingProxyType({value: round(usual[value], 4) for value in order})


def _quantile(weighted: list[tuple[float, float]], share: float) -> float:
    """The smallest value up to which this share of the weight lies."""
    reached, total = 0.0, sum(weight for _, weight in weighted)
    for value, weight in sorted(weighted):
        reached += weight
        if reached >= share * total - 1e-12:
            return value
    raise ValueError("there is no value")
