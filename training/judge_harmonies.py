"""Judge the chords proposed for melodies: training/judge_harmonies.py ../corpora --data ../data

Melodies of lead sheets (pop909's as its arrangements have them, openewld, nottingham) whose tunes
were kept back from the model are harmonised; proposals are compared with the source's own chords by
mir_eval's majmin, weighted by time: the first one, and the best of three. Beside them stand the
model's own sketch (--model), chords drawn from the key, and the tonic all the time. --split valid
chooses, --split test judges. --chorales N writes N of music21's Bach chorales anew from their
melodies, and counts faults of voice leading in both (needs music21).
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from judge_chords import arranged, tune_of
from symusic import Note as ScoreNote
from symusic import Score, TimeSignature, Track

from textmusic.music import harmony
from textmusic.music.chords import Chord
from textmusic.music.measure import estimate_key
from textmusic.music.notes import notes_of, to_score
from textmusic.music.sketch import BeatChord, Row, Sketch
from textmusic.music.theory import DEFAULT_TEMPO, is_minor, tonic
from textmusic.music.voice_leading import faults, moments
from textmusic.system.scripts import ended
from textmusic.writing.brief import Brief
from textmusic.writing.chorale import OFTEN, four_part
from textmusic.writing.decoding import decode, in_turn
from textmusic.writing.filling import Filling
from textmusic.writing.harmonising import chosen, proposals
from textmusic.writing.open_piece import OpenPiece
from textmusic.writing.take import Take
from textmusic.writing.text_to_music import TextToMusic
from textmusic.writing.tunes import Tune, read_tune
from textmusic.writing.written import Bar

SOURCES = ("openewld", "nottingham", "pop909")
THREE = 3
Rows = Sequence[tuple[BeatChord, ...]]
Method = Callable[[Tune], Sequence[Rows]]


@dataclass(frozen=True, slots=True)
class Melody:
    """A melody with its source's chords, a row for each bar."""

    source: str
    tune: Tune
    rows: Rows


def melodies(corpora: Path, data: Path, split: str, most: int) -> Iterator[Melody]:
    """The first `most` bars of the lead sheets in a split."""
    import pandas as pd

    kept = set(pd.read_parquet(data / f"{split}.parquet", columns=["piece"]).piece)
    made_from, seen = arranged(corpora), set[str]()
    for source in ("openewld", "nottingham", "arrangements_mma"):
        lines = (corpora / source / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [row for row in map(json.loads, lines) if row["chords"]]
        with zipfile.ZipFile(corpora / source / "midi.zip") as archive:
            for row in rows:
                tune, lead = tune_of(source, row, made_from), None
                if source == "arrangements_mma":
                    corpus, _, program = made_from[row["id"]]
                    if corpus != "pop909" or program == "None" or tune in seen:
                        continue
                    if tune.replace("pop909 ", "pop909_") not in kept:
                        continue
                    lead = int(program)
                    seen.add(tune)
                elif row["id"] not in kept:
                    continue
                notes = notes_of(Score.from_midi(archive.read(f"{row['id']}.mid")))
                metre, bars = row["time_signature"], min(row["bars"], most)
                inside = notes.start < bars * harmony.beats_per_bar(
                    metre
                ) * harmony.quarters_per_beat(metre)
                notes = notes.chosen(inside & (True if lead is None else notes.program == lead))
                if not len(notes):
                    continue
                read = read_tune(to_score(notes, metre, DEFAULT_TEMPO))
                chords = harmony.labelled(row["chords"], metre, read.bars, 0.0)
                name = "pop909" if source == "arrangements_mma" else source
                yield Melody(name, read, chords)


def by_tables(tune: Tune) -> list[Rows]:
    """What `harmonise` proposes."""
    return [made.rows for made in proposals(tune, THREE)]


def tonic_alone(tune: Tune) -> list[Rows]:
    """The tonic all the time."""
    return [[((0, _scale(tune)[0]),)] * tune.bars]


def by_chance(tune: Tune) -> list[Rows]:
    """A chord of the key for each bar, drawn three times."""
    rng = np.random.default_rng(crc32(tune.notes.pitch.tobytes()))
    scale = _scale(tune)
    return [[((0, scale[n]),) for n in rng.integers(len(scale), size=tune.bars)]
            for _ in range(THREE)]  # fmt: skip


def _scale(tune: Tune) -> list[Chord]:
    key = tune.key or "C major"
    minor = is_minor(key)
    steps = ((0, 1), (3, 0), (5, 1), (7, 0), (8, 0), (10, 0)) if minor else (
        (0, 0), (2, 1), (4, 1), (5, 0), (7, 0), (9, 1))  # fmt: skip
    return [Chord((tonic(key) + up) % 12, ("maj", "min")[low]) for up, low in steps]


def by_model(music: TextToMusic) -> Method:
    """The sketch that a model writes of a piano beside the melody, with the seeds 1, 2 and 3."""

    def sketched(take: Take) -> list[Bar]:
        for _ in decode(music.engine, in_turn([take]), 1, until=lambda take: take.sketched):
            pass
        return []

    def propose(tune: Tune) -> list[Rows]:
        found: list[Rows] = []
        for seed in range(1, THREE + 1):
            player = 1 if 0 in tune.notes.program else 0
            piece = OpenPiece(tune.score, None, (), (player,))
            filling = Filling(music, piece, Brief(seed=seed), Sketch((Row(),) * tune.bars))
            filling.bars_of = sketched
            found.append([row.chords for row in filling.write().sketch.rows])
        return found

    return propose


def judged(pieces: Sequence[Melody], method: Method) -> dict[str, tuple[float, float]]:
    """Per cent right of the compared time by source: of the first proposal, of the best one."""
    right, best, whole = defaultdict(float), defaultdict(float), defaultdict(float)
    for piece in pieces:
        agreed = []
        for rows in method(piece.tune):
            found = harmony.agreement(piece.rows, rows, piece.tune.metre)
            agreed.append(found["majmin"] * found["majmin_beats"])
        right[piece.source] += agreed[0]
        best[piece.source] += max(agreed)
        whole[piece.source] += found["majmin_beats"]
    return {s: (100 * right[s] / whole[s], 100 * best[s] / whole[s]) for s in SOURCES if whole[s]}


def judge_chorales(most: int) -> None:
    """Faults per 100 moments in Bach's chorales, and in ours on the same melodies."""
    from music21 import converter, corpus

    totals: dict[str, dict[str, float]] = {"Bach": defaultdict(float), "ours": defaultdict(float)}
    done = 0
    for path in corpus.getComposer("bach"):
        if path.suffix != ".mxl" or done == most:
            continue
        written = converter.parse(path)
        voices = [_sung(part) for part in written.parts]
        if len(voices) != 4 or not all(voices):
            continue
        metre = written.parts[0].recurse().getElementsByClass("TimeSignature").first()
        if metre is None or metre.ratioString not in ("4/4", "3/4"):
            continue
        first = written.parts[0].getElementsByClass("Measure").first()
        pad = (metre.barDuration.quarterLength - first.quarterLength) % 4
        score = Score(480)
        score.time_signatures.append(TimeSignature(0, metre.numerator, metre.denominator))
        track = Track(program=52)
        for begin, end, pitch in voices[0]:
            track.notes.append(
                ScoreNote(round((begin + pad) * 480), round((end - begin) * 480), pitch, 80)
            )
        score.tracks.append(track)
        tune = read_tune(score)
        mine = four_part(tune, chosen(tune, often=OFTEN).rows)
        done += 1
        for name, both in (("Bach", voices), ("ours", mine.voices)):
            sounding = moments(both)
            for rule, count in faults(sounding).items():
                totals[name][rule] += count
            if name == "ours":
                totals[name]["leading tone"] += mine.faults(tune)["leading tone"]
                totals[name]["chords"] += sum(map(len, mine.rows))
            else:
                columns = [(*note, 52) for voice in both for note in voice]
                totals[name]["chords"] += _changes(columns, pad, tune)
            totals[name]["moments"] += len(sounding) - 1
            totals[name]["notes"] += sum(map(len, both))
    print(f"{done} chorales; faults per 100 moments, chords per bar are as heard or written")
    for name, counts in totals.items():
        shares = {k: round(100 * v / counts["moments"], 2) for k, v in counts.items()
                  if k not in ("moments", "notes", "chords")}  # fmt: skip
        outside = 100 * counts["range"] / counts["notes"]
        print(f"{name:6} {shares} outside ranges {outside:.2f} % of the notes,"
              f" chords {counts['chords']:.0f}")  # fmt: skip


def _changes(sung: Sequence[tuple[float, float, int, int]], pad: float, tune: Tune) -> int:
    from textmusic.music.notes import Note, columns_of

    notes = columns_of([Note(b + pad, e - b, p, 80, n) for b, e, p, n in sorted(sung)])
    rows = harmony.chords_of(notes, tune.metre, tune.bars, estimate_key(notes))
    return sum(map(len, rows))


def _sung(part: object) -> list[tuple[float, float, int]]:
    """(begin, end, pitch) of a voice, in quarters; [] for one with chords."""
    found = part.flatten().stripTies().notes  # type: ignore[attr-defined]
    if any(note.isChord for note in found):
        return []
    return [
        (float(n.offset), float(n.offset + n.quarterLength), n.pitch.midi)
        for n in found
        if n.quarterLength
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path, help="Folder of the corpora.")
    parser.add_argument("--data", type=Path, help="Folder that prepare wrote, for its splits.")
    parser.add_argument("--split", default="valid", help="valid or test.")
    parser.add_argument("--bars", type=int, default=256, help="Bars of each piece, from the first.")
    parser.add_argument("--model", help='Folder of a model, "bundled", or nothing: without it.')
    parser.add_argument("-n", type=int, help="Most pieces of a corpus.")
    parser.add_argument("--chorales", type=int, default=0, help="Bach chorales to write anew.")
    args = parser.parse_args()
    if args.chorales:
        judge_chorales(args.chorales)
        return
    pieces = list(melodies(args.corpora, args.data, args.split, args.bars))
    if args.n:
        pieces = [p for s in SOURCES for p in [q for q in pieces if q.source == s][: args.n]]
    methods: dict[str, Method] = {
        "tonic": tonic_alone, "chance": by_chance, "harmonise": by_tables,
    }  # fmt: skip
    if args.model:
        name = None if args.model == "bundled" else args.model
        methods["model"] = by_model(TextToMusic.from_pretrained(name))
    for name, method in methods.items():
        found = judged(pieces, method)
        said = "  ".join(f"{s} {first:.1f} {best:.1f}" for s, (first, best) in found.items())
        mean = np.mean(list(found.values()), axis=0)
        print(f"{name:10} {said}  mean {mean[0]:.1f} {mean[1]:.1f}", flush=True)


if __name__ == "__main__":
    sys.exit(ended(main, "judge_harmonies.py"))
