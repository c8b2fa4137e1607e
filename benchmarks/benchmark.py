"""How fast the model is, compared with other architectures and with this machine's limit:

    python benchmarks/benchmark.py -o docs/speed.md

One run on one machine: every figure is the median of several, with its lowest and highest. Parts
are measured one after another, each in its own process, and kept in a JSON file beside the table. A
stopped run continues from that file (delete it to start over), and --only repeats some parts. A
part that can't be measured (torch is not installed, ...) says why. --quick is for tests: tiny
models and short pieces, so no figure means anything.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import speed
from speed_page import LONG, PEERS, PRECISIONS, SEED, SHORT, TEXT, Scale, page, reason

from textmusic.engines.folder import read_config
from textmusic.errors import TextMusicError
from textmusic.system.machine import cores
from textmusic.system.scripts import ended

Part = Callable[[Scale, dict[str, Any]], dict[str, Any]]


# Parts --------------------------------------------------------------------------------------------


def ours(scale: Scale, _: dict[str, Any]) -> dict[str, Any]:
    """The model as it is, for two lengths, and its weights in other precisions."""
    found: dict[str, Any] = {}
    for precision in PRECISIONS:
        try:
            folder = speed.alone(exported, scale.folder, scale.models, precision)
        except Exception as problem:
            found[precision] = {"missing": reason(problem)}
            continue
        found[precision] = {"bytes": speed.bytes_per_id(folder, 1)}
        found[precision][SHORT] = beside(scale, folder)
        given = (str(folder), TEXT, scale.bars[1], SEED, scale.repeats)
        found[precision][LONG] = speed.alone(speed.writing, *given)
    return found


def exported(source: Path, models: Path, precision: str) -> Path:
    """A folder with the weights of `source` in some precision; made in `models` if need be."""
    if read_config(source).get("precision") == precision:
        return source
    folder = models / precision
    if not (folder / "textmusic.json").exists():
        from textmusic.models.export import export_onnx, import_onnx

        context = read_config(source)["context"]
        export_onnx(
            import_onnx(source), folder, source, name=precision, precision=precision,
            context=context,
        )  # fmt: skip
    return folder


def bandwidth(scale: Scale, done: dict[str, Any]) -> dict[str, Any]:
    """The speed of reading from memory, and per precision of reading its weights and writing."""
    reading = speed.read_bandwidth(scale.megabytes, cores(), scale.repeats)
    found: dict[str, Any] = {"memory": speed.spread(reading)}
    for precision, row in done["ours"].items():
        if "bytes" in row:
            folder = speed.alone(exported, scale.folder, scale.models, precision)
            size = row["bytes"][0] / 1e6
            found[precision] = {
                "size": speed.spread(speed.read_bandwidth(size, cores(), scale.repeats)),
                "written": beside(scale, folder),
            }
    return found


def beside(scale: Scale, folder: Path) -> speed.Written:
    """The short piece, written now, so that compared figures are measured at the same time."""
    given = (str(folder), TEXT, scale.bars[0], SEED, scale.repeats)
    written: speed.Written = speed.alone(speed.writing, *given)
    return written


def in_torch(scale: Scale, done: dict[str, Any]) -> dict[str, Any]:
    """Our weights run with transformers' `generate` in float32, as most people would."""
    import peers

    row = reference(done)
    ids = row[SHORT]["ids"] / row[SHORT]["notes"]
    given = (scale.folder, ids, points(row), scale.repeats)
    figures = pieces(*speed.alone(peers.own_costs, *given), row)
    return figures | {"beside": beside(scale, scale.folder)}


def others(name: str) -> Part:
    """The part that measures one peer."""

    def measure(scale: Scale, done: dict[str, Any]) -> dict[str, Any]:
        import peers

        row = reference(done)
        tokens = row[LONG]["tokens"] / row[LONG]["notes"]
        given = (name, tokens, points(row), scale.repeats, scale.tiny)
        figures = pieces(*speed.alone(peers.peer_costs, *given), row)
        return figures | {"beside": beside(scale, scale.folder)}

    return measure


def reference(done: dict[str, Any]) -> dict[str, Any]:
    """Our own pieces; the other models are measured at the same numbers of notes."""
    row: dict[str, Any] = done["ours"]["int8"]
    if "missing" in row:
        raise TextMusicError("our own pieces are not measured; run --only ours first.")
    return row


def points(row: dict[str, Any]) -> list[int]:
    """The numbers of written notes at which the time per note is measured."""
    short, long = row[SHORT]["notes"], row[LONG]["notes"]
    return sorted({1, short, long // 2, long})


def pieces(costs: dict[int, speed.Spread], context: float, row: dict[str, Any]) -> dict[str, Any]:
    """Seconds that the two pieces would take, and the measured times per note."""
    found: dict[str, Any] = {"costs": costs, "context": context}
    for name in (SHORT, LONG):
        notes = row[name]["notes"]
        found[name] = {
            "seconds": [
                speed.whole_piece({n: getattr(c, end) for n, c in costs.items()}, notes)
                for end in ("low", "median", "high")
            ],
            "notes": notes,
            "music": row[name]["music"],
        }
    return found


def start(scale: Scale, _: dict[str, Any]) -> dict[str, Any]:
    """The time to the first bar, to its sound, and of the commands."""
    given = (scale.model, TEXT, scale.bars[0], SEED, scale.repeats)
    bar, heard = speed.alone(speed.first_bar, *given)
    said = ["generate", TEXT, "--bars", str(scale.bars[0]), "--seed", str(SEED), "-o", "{out}"]
    if scale.model:
        said += ["--model", scale.model]
    generate = speed.command(said, scale.folder, scale.repeats)
    return {
        "first bar": bar,
        "first bar can be heard": heard,
        "`textmusic generate`, until the MIDI file is written": generate["first MIDI"],
        "`textmusic generate`, until all files are written": generate["end"],
        "`textmusic --help`": speed.command(["--help"], None, scale.repeats)["end"],
    }


def batch(scale: Scale, _: dict[str, Any]) -> dict[str, Any]:
    """Many pieces side by side."""
    return {
        str(slots): speed.alone(
            speed.together, scale.model, TEXT, scale.batch_bars, slots, scale.repeats
        )
        for slots in scale.batches
    }


def visitors(scale: Scale, _: dict[str, Any]) -> dict[str, Any]:
    """Many people on the page at the same time."""
    return {
        str(many): speed.alone(
            speed.visits, scale.model, TEXT, scale.visit_bars, many, -(-scale.repeats // many)
        )
        for many in scale.visitors
    }


def rendering(scale: Scale, _: dict[str, Any]) -> dict[str, Any]:
    """Rendering a score as audio, in several ways."""
    given = (scale.model, TEXT, scale.bars[1], SEED, scale.repeats)
    found: dict[str, Any] = speed.alone(speed.playing, *given)
    return found


def growth(scale: Scale, _: dict[str, Any]) -> dict[str, Any]:
    """Time and memory by number of bars; time per step by length of the context."""
    found = {
        str(bars): speed.alone(speed.writing, scale.model, TEXT, bars, SEED, scale.repeats)
        for bars in scale.bars
    }
    steps = speed.alone(speed.step_costs, scale.model, (16, 256, 512, 1024), scale.repeats)
    shares = speed.alone(speed.shares, scale.model, TEXT, scale.bars[0], SEED)
    return {"bars": found, "steps": steps, "shares": shares}


PARTS: dict[str, Part] = {
    "ours": ours,
    "bandwidth": bandwidth,
    "torch": in_torch,
    **{name: others(name) for name in PEERS},
    "start": start,
    "batch": batch,
    "visitors": visitors,
    "rendering": rendering,
    "growth": growth,
}


def measured(scale: Scale, file: Path, only: list[str]) -> dict[str, Any]:
    """All parts: from the file unless named in `only`, otherwise measured now.

    A file with another scale (such as more repeats) is ignored.
    """
    size = {k: v for k, v in asdict(scale).items() if k != "models"}  # that is another each time
    kept: dict[str, Any] = {"scale": json.loads(json.dumps(size)), "parts": {}, "conditions": {}}
    if file.exists() and json.loads(file.read_text()).get("scale") == kept["scale"]:
        kept = json.loads(file.read_text())
    for name, part in PARTS.items():
        if not (name in only or not (only or name in kept["parts"])):
            continue
        print(f"{time.strftime('%H:%M:%S')} {name}", file=sys.stderr, flush=True)
        began, before, date = (
            time.time(),
            speed.processor_seconds(),
            time.strftime("%d %B %Y %H:%M"),
        )
        try:
            figures = part(scale, kept["parts"])
        except Exception as problem:  # the other parts are not to be lost
            figures = {"missing": reason(problem)}
        whole, own = (a - b for a, b in zip(speed.processor_seconds(), before, strict=True))
        others = max(0.0, whole - own) / (time.time() - began)
        kept["parts"][name] = json.loads(json.dumps(figures, default=plain))
        kept["conditions"][name] = {"began": date, "others": others}
        file.write_text(json.dumps(kept, indent=1) + "\n")
    return kept


def plain(value: Any) -> Any:
    """A value that JSON can't hold, in plain types."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value)} in the figures")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("speed.md"), help="File for the page."
    )
    parser.add_argument("--model", help="Model folder or Hub id; default: the bundled model.")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=[], metavar="PART",
                        help=f"Measure only these parts, again: {', '.join(PARTS)}.")  # fmt: skip
    parser.add_argument("--repeats", type=int, default=5, help="Repetitions of each figure.")
    parser.add_argument(
        "--quick", action="store_true", help="Measure little, as a test; the figures mean nothing."
    )
    args = parser.parse_args()
    args.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        scale = Scale(args.model, Path(folder), repeats=args.repeats)
        if args.quick:
            scale = Scale(
                args.model, Path(folder), bars=(1, 2, 3), batches=(1, 2), batch_bars=1,
                visitors=(1, 2), visit_bars=1, repeats=2, megabytes=8, tiny=True,
            )  # fmt: skip
        if read_config(scale.folder).get("precision") != "int8":
            parser.error(
                "the model is not in int8; choose one that is (other precisions are made from it)."
            )
        kept = measured(scale, args.output.with_suffix(".json"), args.only)
    said = " ".join(["python benchmarks/benchmark.py", *sys.argv[1:]])
    args.output.write_text(page(kept["parts"], kept["conditions"], scale, said), encoding="utf-8")
    print(args.output.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(ended(main, "benchmark.py"))
