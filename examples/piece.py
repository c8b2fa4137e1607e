"""Write a piece from a description.

python examples/piece.py "calm piano in D minor" -o out/
"""

import argparse

from textmusic import TextToMusic

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("text", help="what you want to hear")
parser.add_argument("-o", "--out", default="out", help="folder for the results")
parser.add_argument("--model", help="model folder or Hub id (default: the bundled model)")
parser.add_argument("--seed", type=int, default=1)
args = parser.parse_args()

music = TextToMusic.from_pretrained(args.model)
piece = music.generate(args.text, seed=args.seed)

for row in piece.report.rows:
    print(f"{row.field}: {row.measured} (asked: {row.asked or 'open'}, planned: {row.planned})")
for path in piece.save(args.out):
    print(path)
