"""How well recordings are transcribed: held-out scores, rendered and spoilt, against what is heard.

    python training/judge_transcribing.py --data data/prepared --split test --rows rows.jsonl

Note onsets (and offsets) by mir_eval, within 50 ms; tempo within 4 per cent, metre, key; with and
without denoising. What is done is kept in --rows: run it again to continue.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import mir_eval
import numpy as np
import soundfile
from fit_note_judge import KINDS, RATE, SPOILT, Floats, Played, as_hummed, excerpts, recording

from textmusic.music.theory import is_minor, tonic
from textmusic.system.scripts import ended
from textmusic.transcription.metre import quarters_in_beat
from textmusic.transcription.notes_heard import NotesHeard
from textmusic.transcription.recordings import UnfitError
from textmusic.transcription.transcribing import transcribe

Row = dict[str, Any]
NEAR = 0.04  # of a tempo
TWICE = ("clean", "noise 10 dB")  # heard by both soundfonts


def tests(data: Path, split: str, each: int) -> Iterator[tuple[int, Played, str, bool]]:
    """(number, what is played, how it is spoilt, whether by the second soundfont).

    Clean and in strong noise by both soundfonts, spoilt otherwise by one or the other; the kinds in
    turn, so that a run that was stopped has some of each.
    """
    played = list(excerpts(data, split, each, seed=1))
    played += [as_hummed(p) for p in played if p.kind == "melody"]
    kinds = [one.kind for one in played]
    rank = {n: kinds[:n].count(kind) for n, kind in enumerate(kinds)}
    for number in sorted(rank, key=lambda n: rank[n]):
        for way, spoilt in enumerate(SPOILT):
            first = (rank[number] + way) % 2 == 1
            for second in (False, True) if spoilt in TWICE else (first,):
                yield number, played[number], spoilt, second


def judged(audio: Floats, played: Played, denoise: bool) -> Row:
    """The figures of one recording."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording.wav"
        soundfile.write(path, audio, RATE)
        began = time.process_time()
        try:
            made = transcribe(path, denoise=denoise)
        except UnfitError as problem:
            return {"refused": str(problem), "onset": 0.0, "offset": 0.0}
        seconds = time.process_time() - began
    account = made.account
    beat = {m: quarters_in_beat(m) == 1.5 for m in (account.metre, played.metre)}
    threes = {m: m in ("3/4", "9/8", "3/8") for m in beat}
    key = played.key or "none"
    return {
        "onset": agreement(played.heard, made.heard, None),
        "offset": agreement(played.heard, made.heard, 0.2),
        "tempo": abs(account.tempo / played.tempo - 1) < NEAR,
        "tempo, any level": any(
            abs(account.tempo / played.tempo / k - 1) < NEAR
            for k in (1, 2, 0.5, 1.5, 2 / 3, 3, 1 / 3, 0.75, 4 / 3)
        ),
        "metre": account.metre == played.metre,
        "metre, kind": len(set(beat.values())) == 1 and len(set(threes.values())) == 1,
        "key": None if key == "none" or account.key == "none" else (
            tonic(key) == tonic(account.key) and is_minor(key) == is_minor(account.key)
        ),
        "sure": account.sure, "voice": account.voice,
        "seconds per second": seconds / account.seconds,
    }  # fmt: skip


def agreement(real: Floats, heard: NotesHeard, offsets: float | None) -> float:
    """mir_eval's F1 of notes: onsets within 50 ms; offsets: within this share of a note, too."""
    spans = np.stack([real[:, 0], np.maximum(real[:, 1], real[:, 0] + 0.01)], axis=1)
    ours = np.stack([heard.start, np.maximum(heard.end, heard.start + 0.01)], axis=1)
    return float(
        mir_eval.transcription.precision_recall_f1_overlap(
            spans, _hertz(real[:, 2]), ours, _hertz(heard.pitch), offset_ratio=offsets
        )[2]
    )


def _hertz(pitch: Any) -> Floats:
    return np.asarray(440 * 2 ** ((np.asarray(pitch, dtype=np.float64) - 69) / 12))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="A prepared corpus.")
    parser.add_argument(
        "--split", default="valid", choices=("valid", "test"), help="What pieces are of."
    )
    parser.add_argument("--each", type=int, default=15, help="Pieces of each kind.")
    parser.add_argument("--soundfont", type=Path, help="The second one; else one is heard alone.")
    parser.add_argument("--rows", type=Path, required=True, help="Where figures are kept.")
    parser.add_argument("--minutes", type=float, default=1e9, help="Stop after so long.")
    options = parser.parse_args(argv)
    until = time.monotonic() + 60 * options.minutes
    rows = [json.loads(line) for line in _lines(options.rows)]
    done = {(r["number"], r["spoilt"], r["second"], r["denoised"]) for r in rows}
    with options.rows.open("a", encoding="utf-8") as file:
        for number, played, spoilt, second in tests(options.data, options.split, options.each):
            ways = (False, True) if spoilt == "noise 10 dB" else (False,)
            missing = [d for d in ways if (number, spoilt, second, d) not in done]
            if not missing:
                continue
            if time.monotonic() > until:
                print("stopped; run it again to continue")
                return
            font = options.soundfont if second else None
            audio, heard = recording(played, spoilt, font, 1000 * number + SPOILT.index(spoilt))
            for denoise in missing:
                row = judged(audio, heard, denoise) | {
                    "number": number, "piece": played.name, "kind": played.kind,
                    "spoilt": spoilt, "second": second, "denoised": denoise,
                }  # fmt: skip
                rows.append(row)
                file.write(json.dumps(row, default=bool) + "\n")
                file.flush()
    report(rows)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def report(rows: Sequence[Row]) -> None:
    """Print the tables."""
    for denoised in (False, True):
        print(f"\n{'denoised' if denoised else 'as recorded'}: onset F1 (with offsets), recordings")
        cells: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            if row["denoised"] == denoised:
                cells[row["kind"], row["spoilt"]].append(row)
        print(f"{'':10}" + "".join(f"{s:>19}" for s in SPOILT))
        for kind in (*KINDS, "hummed"):
            said = [_cell(cells[kind, spoilt]) for spoilt in SPOILT]
            print(f"{kind:10}" + "".join(f"{cell:>19}" for cell in said))
    plain = [row for row in rows if not row["denoised"] and "refused" not in row]
    print(f"\n{len(plain)} recordings as they are")
    for name in ("tempo", "tempo, any level", "metre", "metre, kind", "key", "seconds per second"):
        known = [float(row[name]) for row in plain if row[name] is not None]
        print(f"{name:20} {np.mean(known):.3f}")
    print(f"{'refused':20} {sum('refused' in row for row in rows if not row['denoised'])}")


def _cell(rows: Sequence[Row]) -> str:
    if not rows:
        return "-"
    means = [float(np.mean([row[name] for row in rows])) for name in ("onset", "offset")]
    return f"{means[0]:.3f} ({means[1]:.2f}) {len(rows)}"


if __name__ == "__main__":
    sys.exit(ended(main, "judge_transcribing.py"))
