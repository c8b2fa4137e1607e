"""What came of preparing data: kept, dropped and why, and what there is, as JSON and as tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from textmusic.corpus import statistics
from textmusic.corpus.pieces import DROPPED, TRANSCRIBED, PieceOutcome
from textmusic.corpus.splits import SPLITS
from textmusic.corpus.windows import Window

TABLED = ("key", "tempo", "time signature", "instrument")
SHOWN = 12  # rows of a table in the terminal

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]  # title, head, rows


@dataclass(slots=True)
class Held:
    """What a split holds. pieces are counted once, however many windows they have."""

    pieces: int = 0
    tunes: int = 0
    windows: int = 0
    ids: int = 0
    hours: float = 0.0


@dataclass(slots=True)
class Summary:
    """The summary of a run. done: (source, what was dropped or repaired) -> how often.

    dropped: (piece or file, why). counts: windows by value, by field of the plan (`statistics`).
    described: pieces with a description of their own, and windows that one is true of.
    transcribed: pieces and windows of recordings.
    """

    formats: dict[str, int]
    passed_over: dict[str, int]
    notes: list[str]
    splits: dict[str, Held] = field(default_factory=lambda: {name: Held() for name in SPLITS})
    dropped: list[tuple[str, str]] = field(default_factory=list)
    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    described: dict[str, int] = field(default_factory=lambda: {"pieces": 0, "windows": 0})
    transcribed: dict[str, int] = field(default_factory=lambda: {"pieces": 0, "windows": 0})
    key_right: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    @property
    def kept(self) -> int:
        """Pieces in all splits."""
        return sum(held.pieces for held in self.splits.values())

    def add(self, piece: PieceOutcome, split: str, windows: Sequence[Window]) -> None:
        """Count a piece that was kept, and its windows."""
        held = self.splits[split]
        held.pieces += 1
        held.windows += len(windows)
        held.ids += sum(len(window.ids) for window in windows)
        held.hours += piece.seconds / 3600
        for name, values in statistics.counts(windows).items():
            self.counts[name].update(values)
        if piece.source.endswith(TRANSCRIBED):
            self.transcribed["pieces"] += 1
            self.transcribed["windows"] += len(windows)
        self.described["pieces"] += piece.described
        self.described["windows"] += sum(bool(window.texts) for window in windows)

    def judge(self, piece: PieceOutcome) -> None:
        """Count what was done to a piece, kept or not."""
        for what, count in piece.done.items():
            self.done[piece.source, what] += count
        if piece.key_right is not None:
            self.key_right[piece.source][0] += piece.key_right
            self.key_right[piece.source][1] += 1

    def drop(self, name: str, why: str) -> None:
        """Note a piece or file that was left out."""
        self.dropped.append((name, why))

    def reasons(self) -> list[tuple[str, int, str]]:
        """(reason, count, first example), most frequent first."""
        first: dict[str, str] = {}
        count: Counter[str] = Counter()
        for name, why in self.dropped:
            kind = _kind(why)
            first.setdefault(kind, name)
            count[kind] += 1
        return [(why, n, first[why]) for why, n in sorted(count.items(), key=lambda x: (-x[1], x))]

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for summary.json."""
        return {
            "pieces": {"kept": self.kept, "dropped": len(self.dropped)},
            "files": self.formats,
            "skipped": self.passed_over,
            "splits": {
                name: asdict(held) | {"hours": round(held.hours, 4)}
                for name, held in self.splits.items()
            },
            "descriptions": self.described,
            "transcribed": self.transcribed,
            "dropped": [{"piece": name, "why": why} for name, why in self.dropped],
            "repairs": [
                {"what": what, "source": source, "times": times}
                for (source, what), times in sorted(self.done.items(), key=lambda x: x[0][::-1])
                if times
            ],
            "key estimate = label": {
                source: {"right": right, "of": n} for source, (right, n) in self.key_right.items()
            },
            "windows by": {name: dict(values) for name, values in self.counts.items()},
            "notes": self.notes,
        }


def _kind(why: str) -> str:
    """A reason without its details in brackets, which differ from file to file."""
    head, bracket, tail = why.partition(" (")
    return head + tail.partition(")")[2] if bracket else why


def tables(summary: Summary) -> Iterator[Table]:
    """All tables: what was kept, what was dropped and why, what was repaired, what there is."""
    rows = [
        (name, f"{h.pieces:,}", f"{h.tunes:,}", f"{h.windows:,}", f"{h.ids:,}", _hours(h.hours))
        for name, h in summary.splits.items()
    ]
    yield "Kept", ("split", "pieces", "tunes", "windows", "music ids", "music"), rows
    if summary.dropped:
        reasons = [(why, f"{n:,}", example) for why, n, example in summary.reasons()]
        yield "Dropped", ("why", "files or pieces", "such as"), reasons
    repairs: Counter[str] = Counter()
    for (_, what), count in summary.done.items():
        if not what.startswith(DROPPED):
            repairs[what] += count
    if repairs:
        listed = [(what, f"{count:,}") for what, count in repairs.most_common()]
        yield "Repaired or dropped", ("what", "times"), listed
    for name in TABLED:
        values = Counter(summary.counts.get(name, {}))
        filled = [(value, f"{count:,}") for value, count in values.most_common() if count]
        yield name.capitalize(), (name, "windows"), filled


def _hours(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.1f} min"


def opening(summary: Summary) -> str:
    """The first sentence: "kept 12 pieces (0.4 h of music), dropped 3"."""
    hours = sum(held.hours for held in summary.splits.values())
    said = f"kept {summary.kept:,} piece{'s' * (summary.kept != 1)} ({_hours(hours)} of music)"
    described = summary.described
    if described["pieces"]:
        said += (
            f", {described['pieces']:,} of them with your own descriptions, in"
            f" {described['windows']:,} stretches"
        )
    if recorded := summary.transcribed["pieces"]:
        said += f", {recorded:,} of them transcribed from recordings"
    return f"{said}; dropped {len(summary.dropped):,}"
