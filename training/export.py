"""Export a trained model for use: python training/export.py runs/default/best -o my-model/

The folder it writes is what `--model` and `TextToMusic.from_pretrained` take.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from textmusic.models.export import PRECISIONS, export_onnx
from textmusic.models.llm import load_llm
from textmusic.models.recurrent import load_recurrent
from textmusic.models.recurrent_export import export_recurrent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="folder written by training (runs/.../best)")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--name", help="what the model is called in reports")
    parser.add_argument("--precision", choices=PRECISIONS, default="int8")
    args = parser.parse_args()
    name = args.name or args.output.name
    if (args.model / "recurrent.json").exists():
        if args.precision == "int4":
            parser.error("a recurrent model is exported as int8 or fp32")
        model = load_recurrent(args.model)
        export_recurrent(model, args.output, args.model, name=name, precision=args.precision)
    else:
        export_onnx(
            load_llm(args.model), args.output, args.model, name=name, precision=args.precision
        )
    size = sum(p.stat().st_size for p in args.output.iterdir()) / 1e6
    print(f"wrote {args.output} ({size:.0f} MB, {args.precision})")


if __name__ == "__main__":
    main()
