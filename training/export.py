"""Export a trained model for use: python training/export.py runs/default/best -o my-model/

The folder it writes is what `--model` and `TextToMusic.from_pretrained` take; with `--format llama`
it is a standard one of transformers, for servers of LLMs (docs/serving.md).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from textmusic.models.export import PRECISIONS, export_onnx, open_llm
from textmusic.models.llama_export import export_llama
from textmusic.models.llm import load_llm
from textmusic.models.recurrent import load_recurrent
from textmusic.models.recurrent_export import export_recurrent
from textmusic.system.scripts import ended
from textmusic.writing.loading import locate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "model",
        help="Folder written by training (runs/.../best). For llama also an exported model, or"
        " default, the bundled one; its weights stay rounded to 8 bits.",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="Folder for the model.")
    parser.add_argument("--name", help="Name of the model in reports; default: that of the folder.")
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="int8", help="Precision of an onnx model."
    )
    parser.add_argument(
        "--format", choices=("onnx", "llama"), default="onnx", help="What to write."
    )
    args = parser.parse_args()
    folder, name = locate(args.model, None)[0], args.name or args.output.name
    written = args.precision
    recurrent = (folder / "recurrent.json").exists()
    if args.format == "llama":
        if recurrent:
            parser.error("a recurrent model has no llama format; use --format onnx.")
        export_llama(open_llm(folder), args.output, folder)
        written = "llama, fp32"
    elif recurrent:
        if args.precision == "int4":
            parser.error("a recurrent model can't be int4; use --precision int8 or fp32.")
        model = load_recurrent(folder)
        export_recurrent(model, args.output, folder, name=name, precision=args.precision)
    else:
        export_onnx(load_llm(folder), args.output, folder, name=name, precision=args.precision)
    size = sum(p.stat().st_size for p in args.output.iterdir()) / 1e6
    print(f"wrote {args.output} ({size:.0f} MB, {written})")


if __name__ == "__main__":
    sys.exit(ended(main, "export.py"))
