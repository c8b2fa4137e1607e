"""Judge how well chords are told from notes: python training/judge_chords.py ../corpora

The corpora whose sources name their chords are compared with what `music.harmony` finds in
their notes, by mir_eval's majmin and root, weighted by time. A tenth of the tunes (by a hash of the
tune, which every piece made from it shares) is held out: --learn, which writes
textmusic/data/chords.json (and needs torch), never sees it. --peer FOLDER judges the dynamic
programme of smg-metrics beside it (pip install --no-deps --target FOLDER smg-metrics).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from textmusic.music import harmony
from textmusic.music.chords import Chord
from textmusic.music.measure import estimate_key
from textmusic.music.notes import Notes, notes_of
from textmusic.music.sketch import BeatChord, quarters_per_beat
from textmusic.music.theory import DRUMS, is_minor, tonic
from textmusic.system.scripts import ended
from textmusic.system.whole_files import write_text

SOURCES = ("pop909", "arrangements_mma", "nottingham", "openewld")
Tables = dict[str, Any]  # arrays, by texture or by mode
TABLES = Path(harmony.__file__).parents[1] / "data" / "chords.json"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A piece and its source's chords, a row for each bar; lead: the melody's program, if known."""

    source: str
    lead: int | None
    midi: bytes
    notes: Notes
    time_signature: str
    rows: list[tuple[BeatChord, ...]]

    @property
    def bars(self) -> int:
        """How many."""
        return len(self.rows)


# Pieces -------------------------------------------------------------------------------------------


def pieces_of(
    corpora: Path, source: str, folds: Collection[int], most: int | None = None
) -> Iterator[Labelled]:
    """The labelled pieces of a corpus; every n-th, so that there are at most so many.

    folds: which tenths of the tunes.
    """
    from symusic import Score

    lines = (corpora / source / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    made_from = arranged(corpora)
    rows = [row for row in map(json.loads, lines) if row["chords"]]
    rows = [r for r in rows if crc32(tune_of(source, r, made_from).encode()) % 10 in folds]
    step = 1 if most is None else max(1, -(-len(rows) // most))
    with zipfile.ZipFile(corpora / source / "midi.zip") as archive:
        for row in rows[::step]:
            midi = archive.read(f"{row['id']}.mid")
            lead = made_from[row["id"]][2] if row["id"] in made_from else "None"
            signature, bars = row["time_signature"], row["bars"]
            yield Labelled(
                source,
                None if lead == "None" else int(lead),
                midi,
                notes_of(Score.from_midi(midi)),
                signature,
                harmony.labelled(row["chords"], signature, bars, 0.0),
            )


def arranged(corpora: Path) -> dict[str, tuple[str, str, str]]:
    """What each piece of arrangements_mma was made from: corpus, number in it, lead's program."""
    lines = (corpora / "arrangements_mma" / "sources.tsv").read_text(encoding="utf-8").splitlines()
    columns = [line.split("\t") for line in lines[1:]]
    return {row[0]: (row[1], row[2], row[5]) for row in columns}


def tune_of(source: str, row: dict[str, Any], made_from: dict[str, tuple[str, str, str]]) -> str:
    """What tells the tune of a piece, the same for all pieces made from it."""
    number = row["id"]
    if source == "arrangements_mma":
        source, number, _ = made_from[number]
    if source == "pop909":
        return "pop909 " + number.removeprefix("pop909_")
    if source == "free_midi_chords":
        return number
    # The numbers of the two others are not those of their own folders: the titles are.
    return re.sub(r"\W|^(the|a)\s", "", (row["title"] or number).lower())


# Learning -----------------------------------------------------------------------------------------

PIECE = 64  # beats that are learnt from at a time
# Examples of a step by where they come from; "no bass" and "lead" are arrangements without theirs,
# and all but theirs: not all music has a bass, and there are few labelled melodies alone.
SHARES = {"pop909": 14, "arrangements_mma": 16, "nottingham": 14, "openewld": 8, "no bass": 6,
          "lead": 10}  # fmt: skip
KINDS = len(harmony.ORDER)
MAJORS = len(harmony.MAJOR_LIKE)


@dataclass(frozen=True, slots=True)
class Example:
    """Beats of a piece, moved so that its tonic is C: what `harmony.features` says, and states."""

    parts: np.ndarray  # (beats, groups, 12)
    heard: np.ndarray
    path: np.ndarray
    strength: np.ndarray
    texture: int  # index of `harmony.TEXTURES`
    minor: int

    def cut(self) -> Iterator[Example]:
        """Examples of `PIECE` beats, the last as long as it is."""
        for at in range(0, len(self.path) - 8, PIECE):
            part = slice(at, at + PIECE)
            yield replace(self, parts=self.parts[part], heard=self.heard[part],
                          path=self.path[part], strength=self.strength[part])  # fmt: skip


def example(piece: Labelled) -> Example:
    """A piece and its source's chords as an example."""
    found, heard, texture = harmony.features(piece.notes, piece.time_signature, piece.bars)
    key = estimate_key(piece.notes)
    index = {chord: at for at, chord in enumerate(harmony.STATES)}
    chords = harmony.on_beats(piece.rows, piece.bars, piece.time_signature)
    path = [index[chord and chord.moved(-tonic(key))] for chord in chords]
    parts = np.roll(found.reshape(len(path), -1, 12), -tonic(key), axis=2).astype(np.float32)
    strength = harmony.strengths(piece.time_signature, piece.bars)
    kind = harmony.TEXTURES.index(texture)
    return Example(parts, heard, np.array(path), strength, kind, int(is_minor(key)))


def variants(piece: Labelled) -> Iterator[tuple[str, Labelled]]:
    """A piece, and what it makes more of: (one of `SHARES`, piece)."""
    yield piece.source, piece
    program = piece.notes.program
    kept = {"no bass": (program < 32) | (program > 39), "lead": program == piece.lead}
    if piece.source == "arrangements_mma":
        for name, keep in kept.items():
            n = piece.notes
            columns = (n.start, n.duration, n.pitch, n.velocity, n.program)
            if np.any(keep & (program != DRUMS)):
                yield name, replace(piece, notes=Notes(*(column[keep] for column in columns)))


def counted(examples: Sequence[Example]) -> Tables:
    """Logarithms of counted shares, a hidden Markov model's tables: what learning begins with."""
    sound = np.full((2, len(harmony.GROUPS), KINDS, 12), 0.5)
    moves, kinds = np.zeros((2, 25, 25)), np.zeros((2, 12, KINDS))
    changes = np.full((2, 4, 2), 0.5)
    for it in examples:
        for at in np.flatnonzero(it.path != harmony.NONE):
            root, kind = divmod(int(it.path[at]), KINDS)
            sound[it.texture, :, kind] += np.roll(it.parts[at], -root, axis=1)
        moved = it.path[1:] != it.path[:-1]
        np.add.at(changes[it.texture], (it.strength[1:], moved.astype(int)), 1)
        for at in np.flatnonzero(moved):
            a, b = it.path[at : at + 2]
            moves[it.minor, harmony.CLASS_OF[a], harmony.CLASS_OF[b]] += 1
            if b != harmony.NONE:
                kinds[it.minor, b // KINDS, b % KINDS] += 1
    trust = {"sounding": 1.2, "bass": 0.6, "bar": 0.6, "low": 0.4}  # the others are to be learnt
    scale = np.array([trust.get(group, 0.0) for group in harmony.GROUPS])
    emission = np.log(12 * sound / sound.sum(axis=3, keepdims=True)) * scale[:, None, None]
    smooth = moves + 20 * np.stack([any_key(table) for table in moves]) + 0.02
    kinds += 5 * kinds.sum(axis=1, keepdims=True) / kinds.sum(axis=(1, 2), keepdims=True) + 0.05
    thirds = [half / half.sum(axis=2, keepdims=True) for half in np.split(kinds, [MAJORS], axis=2)]
    return {
        "emission": emission,
        "none": np.tile([0.0, 0.5], (2, 1)),
        "change": np.log(changes[..., 1] / changes[..., 0]),
        "moves": np.log(smooth / smooth.sum(axis=2, keepdims=True)),
        "kinds": np.log(np.concatenate(thirds, axis=2)),
    }


def any_key(moves: np.ndarray) -> np.ndarray:
    """Shares of moves by interval alone, (25, 25): what moves rare in a key fall back to."""
    turns = [np.append((np.arange(24) + 2 * up) % 24, 24) for up in range(12)]
    mean = np.sum([moves[np.ix_(turn, turn)] for turn in turns], axis=0) + 0.01
    return np.asarray(mean / mean.sum(axis=1, keepdims=True))


def learnt(pieces: Sequence[Labelled], steps: int) -> Tables:
    """Tables under which the sources' chords are likeliest, given the notes.

    Those of a conditional random field (Lafferty, McCallum & Pereira 2001): Adam from `counted`.
    """
    import torch

    pool: dict[str, list[Example]] = {name: [] for name in SHARES}
    for piece in pieces:
        for name, variant in variants(piece):
            pool[name] += example(variant).cut()
    begin = counted([e for source in SOURCES for e in pool[source]])
    tables = {n: torch.tensor(t, dtype=torch.float32).requires_grad_() for n, t in begin.items()}
    optimiser = torch.optim.Adam(tables.values(), lr=0.05)
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / 20) * (1 - step / steps)
    )
    rng = np.random.default_rng(0)
    for step in range(steps):
        batch = [pool[n][at] for n, k in SHARES.items() if pool[n]
                 for at in rng.integers(len(pool[n]), size=k)]  # fmt: skip
        loss = surprise(tables, batch)
        small = sum((tables[name] ** 2).sum() for name in ("emission", "moves", "kinds"))
        optimiser.zero_grad()
        (loss + 1e-6 * small).backward()
        optimiser.step()
        rate.step()
        if step % 50 == 49:
            print(f"step {step + 1}: {float(loss):.3f} nats a beat", flush=True)
    return {name: table.detach().numpy() for name, table in tables.items()}


def surprise(tables: dict[str, Any], batch: Sequence[Example]) -> Any:
    """Minus the log-likelihood of the sources' chords, a beat: a tensor."""
    import torch

    def column(name: str, kind: Any) -> Any:
        """(batch, beats, ...), short examples filled up with zeros."""
        rows = [torch.as_tensor(getattr(it, name)).to(kind) for it in batch]
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)

    parts, path = column("parts", torch.float32), column("path", torch.int64)
    heard, strength = column("heard", torch.int64), column("strength", torch.int64)
    length = torch.tensor([len(it.path) for it in batch])
    there = torch.arange(path.shape[1])[None] < length[:, None]
    texture, mode = torch.tensor([it.texture for it in batch]), [it.minor for it in batch]
    size, beats = path.shape
    class_of = torch.from_numpy(harmony.CLASS_OF)
    weights = tables["emission"][texture]
    turned = torch.stack([weights.roll(root, 3) for root in range(12)], 1)
    turned = turned.permute(0, 2, 4, 1, 3).reshape(size, -1, harmony.NONE)
    scores = torch.bmm(parts.reshape(size, beats, -1), turned)
    none = tables["none"][texture].gather(1, 1 - heard)[..., None]
    scores = torch.cat([scores, none], 2)
    kinds = torch.cat([tables["kinds"][mode].reshape(size, -1), torch.zeros(size, 1)], 1)
    moves = tables["moves"][mode][:, :, class_of] + kinds[:, None]
    change = tables["change"][texture].gather(1, strength)
    first = moves.mean(1)
    # The path that is right.
    right = scores.gather(2, path[..., None])[..., 0]
    step = moves[torch.arange(size)[:, None], class_of[path[:, :-1]], path[:, 1:]] + change[:, 1:]
    moved = path[:, 1:] != path[:, :-1]
    total = right[:, 0] + first.gather(1, path[:, :1])[:, 0]
    total = total + ((right[:, 1:] + moved * step) * there[:, 1:]).sum(1)
    # All paths.
    ways, likely = first + scores[:, 0], moves.exp()
    for t in range(1, beats):
        roots = ways[:, :-1].reshape(size, 12, KINDS)
        halves = [roots[:, :, :MAJORS].logsumexp(2), roots[:, :, MAJORS:].logsumexp(2)]
        left = torch.cat([torch.stack(halves, 2).reshape(size, 24), ways[:, -1:]], 1)
        most = left.max(1, keepdim=True)[0].detach()
        jump = (torch.bmm((left - most).exp()[:, None], likely)[:, 0] + 1e-30).log() + most
        new = torch.logaddexp(ways, jump + change[:, t : t + 1]) + scores[:, t]
        ways = torch.where(there[:, t : t + 1], new, ways)
    return ((ways.logsumexp(1) - total) / length).mean()


def write(tables: Tables, path: Path) -> None:
    """Tables as JSON, with two decimals."""
    modes = ("major", "minor")
    names = {name: modes if name in ("moves", "kinds") else harmony.TEXTURES for name in tables}
    plain = {
        part: {n: np.round(row, 2).tolist() for n, row in zip(names[part], rows, strict=True)}
        for part, rows in ((name, table.astype(np.float64)) for name, table in tables.items())
    }
    write_text(path, json.dumps(plain, separators=(",", ":")) + "\n")


# Judging ------------------------------------------------------------------------------------------

Estimate = Callable[[Labelled], list[tuple[float, float, str]]]


def ours(piece: Labelled) -> list[tuple[float, float, str]]:
    """(begin, end, chord) in quarters, by `textmusic.music.harmony`."""
    return spans(harmony.chords_of(piece.notes, piece.time_signature, piece.bars), piece)


def spans(rows: list[tuple[BeatChord, ...]], piece: Labelled) -> list[tuple[float, float, str]]:
    """Rows as intervals, in quarters."""
    beat = quarters_per_beat(piece.time_signature)
    chords: list[Chord | None] = harmony.on_beats(rows, piece.bars, piece.time_signature)
    return [(at * beat, (at + 1) * beat, chord.label if chord else "N")
            for at, chord in enumerate(chords)]  # fmt: skip


def judge(pieces: Sequence[Labelled], estimate: Estimate) -> dict[str, float]:
    """mir_eval's majmin and root over all the time of some pieces, in per cent."""
    from mir_eval import chord, util

    score: dict[str, list[float]] = defaultdict(list)
    weight: dict[str, list[float]] = defaultdict(list)
    seconds = 0.0
    for piece in pieces:
        began = time.perf_counter()
        found = estimate(piece)
        seconds += time.perf_counter() - began
        wanted = spans(piece.rows, piece)
        times = [np.array([span[:2] for span in part]) for part in (wanted, found)]
        names = [[span[2] for span in part] for part in (wanted, found)]
        times[1], names[1] = util.adjust_intervals(
            times[1], names[1], 0.0, float(times[0].max()), "N", "N"
        )
        merged, want, have = util.merge_labeled_intervals(times[0], names[0], times[1], names[1])
        length = util.intervals_to_durations(merged)
        for name, rule in (("majmin", chord.majmin), ("root", chord.root)):
            right = rule(want, have)
            score[name].append(float((right * length)[right >= 0].sum()))
            weight[name].append(float(length[right >= 0].sum()))
    figures = {name: 100 * sum(score[name]) / sum(weight[name]) for name in score}
    changes = sum(len(row) for piece in pieces for row in piece.rows)
    return {**figures, "ms": 1000 * seconds / len(pieces), "labels": float(changes)}


def peer(folder: Path) -> Estimate:
    """The dynamic programme of smg-metrics, given the same MIDI files."""
    sys.path.insert(0, str(folder))
    from smg_metrics.chord_recognition import ChordRecognitionDP

    engine = ChordRecognitionDP()

    def estimate(piece: Labelled) -> list[tuple[float, float, str]]:
        from pretty_midi import PrettyMIDI

        with tempfile.NamedTemporaryFile(suffix=".mid") as file:
            file.write(piece.midi)
            file.flush()
            found = engine.recognize(file.name)
            midi = PrettyMIDI(file.name)
        quarter = midi.resolution
        ticks = [midi.time_to_tick(at) / quarter for s in found for at in (s.start, s.end)]
        both = zip(ticks[::2], ticks[1::2], found, strict=True)
        return [(begin, end, span.label) for begin, end, span in both if end > begin]

    return estimate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path, help="Folder of the four corpora.")
    parser.add_argument(
        "--learn", action="store_true", help=f"Learn the tables first, and write {TABLES.name}."
    )
    parser.add_argument("--choose", action="store_true",
                        help="Judge by another tenth, and leave it out of learning.")  # fmt: skip
    parser.add_argument(
        "--peer", type=Path, help="Folder in which smg-metrics is installed, to judge it too."
    )
    parser.add_argument("--steps", type=int, default=1500, help="Steps of learning.")
    parser.add_argument("-n", type=int, help="Most pieces of a corpus; default: all.")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    if args.learn:
        folds = range(2 if args.choose else 1, 10)
        some = [p for source in SOURCES for p in pieces_of(args.corpora, source, folds, args.n)]
        write(learnt(some, args.steps), TABLES)
        harmony.tables.cache_clear()
    methods = {"textmusic": ours} | ({"smg-metrics": peer(args.peer)} if args.peer else {})
    print(f"{'corpus':18}{'pieces':>7}  {'method':12}{'majmin':>8}{'root':>8}{'ms a piece':>12}")
    for source in SOURCES:
        pieces = list(pieces_of(args.corpora, source, [int(args.choose)], args.n))
        for name, method in methods.items():
            found = judge(pieces, method)
            print(f"{source:18}{len(pieces):7}  {name:12}{found['majmin']:8.1f}{found['root']:8.1f}"
                  f"{found['ms']:12.1f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    sys.exit(ended(main, "judge_chords.py"))
