"""Export a trained model for use: python training/export.py runs/default/best -o my-model/

The folder it writes is what `--model` and `TextToMusic.from_pretrained` take.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from textmusic.models.export import PRECISIONS, export_onnx
from textmusic.models.llm import load_llm


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="folder written by training (runs/.../best)")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--name", help="what the model is called in reports")
    parser.add_argument("--precision", choices=PRECISIONS, default="int8")
    args = parser.parse_args()
    export_onnx(
        load_llm(args.model),
        args.output,
        args.model,
        name=args.name or args.output.name,
        precision=args.precision,
    )
    size = sum(p.stat().st_size for p in args.output.iterdir()) / 1e6
    print(f"wrote {args.output} ({size:.0f} MB, {args.precision})")


if __name__ == "__main__":
    main()
