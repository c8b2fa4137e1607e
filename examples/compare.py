"""Let a fine-tuned model and its base write the same piece. `# new`: differs from piece.py.

python examples/compare.py "calm piano" --model my-tuned/ -o out/

For figures over many prompts: textmusic compare --models default my-tuned/ --prompts prompts.jsonl
"""

import argparse

from textmusic import TextToMusic

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("text", help="what you want to hear")
parser.add_argument("-o", "--out", default="out", help="folder for the results")
parser.add_argument("--model", help="model folder or Hub id (default: the bundled model)")
parser.add_argument("--base", help="the model it was trained from")  # new
parser.add_argument("--seed", type=int, default=1)
args = parser.parse_args()

base = TextToMusic.from_pretrained(args.base)  # new
before = base.generate(args.text, seed=args.seed)  # new
for path in before.save(args.out, stem="before"):  # new
    print(path)  # new

music = TextToMusic.from_pretrained(args.model)
piece = music.generate(args.text, seed=args.seed)

for row in piece.report.rows:
    print(f"{row.field}: {row.measured} (asked: {row.asked or 'open'}, planned: {row.planned})")
for row, other in zip(piece.report.rows, before.report.rows, strict=True):  # new
    print(f"{row.field}: {other.measured} before, {row.measured} now")  # new
for path in piece.save(args.out):
    print(path)
