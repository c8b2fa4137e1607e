"""Assemble the Hugging Face Space: python space/build.py -o build/space

The folder needs nothing but PyPI: the package comes with it, its model and tokenizers included.
"""

from __future__ import annotations

import argparse
import shutil
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
NAMES = {"LICENSE", "README.md", "app.py", "requirements.txt", "textmusic"}
MARK = "# Written by space/build.py from pyproject.toml.\n"


def sources() -> dict[str, Path]:
    """What is copied: the name in the Space -> the file in the checkout."""
    files = {
        "LICENSE": ROOT / "LICENSE",
        "README.md": ROOT / "space" / "README.md",
        "app.py": ROOT / "app.py",
    }
    # The tokenizers where a wheel has them too: inside the package.
    for source, target in (("textmusic", "textmusic"), ("tokenizers", "textmusic/tokenizers")):
        for file in sorted((ROOT / source).rglob("*")):
            inside = file.relative_to(ROOT / source)
            hidden = any(part.startswith((".", "__pycache__")) for part in inside.parts)
            if file.is_file() and not hidden:
                files[f"{target}/{inside.as_posix()}"] = file
    return files


def requirements() -> str:
    """The text of requirements.txt: what the package depends on, with no extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return MARK + "".join(f"{dependency}\n" for dependency in project["dependencies"])


def is_ours(folder: Path) -> bool:
    """Whether a folder holds what this script wrote, and nothing else that would be lost."""
    names = {path.name for path in folder.iterdir()}
    if not names:
        return True
    marked = folder / "requirements.txt"
    return names <= NAMES and marked.is_file() and marked.read_text("utf-8").startswith(MARK)


def build(folder: Path) -> None:
    """Write the Space to a folder, which changes only when all of it is there."""
    files = sources()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as place:
        new = Path(place, "new")
        for name, file in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, new / name)
        (new / "requirements.txt").write_text(requirements(), encoding="utf-8")
        if folder.exists():
            folder.rename(Path(place, "old"))
        new.rename(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("build/space"), help="Folder for the Space."
    )
    args = parser.parse_args()
    folder = args.output.resolve()
    if not (ROOT / "textmusic" / "bundled" / "textmusic.json").is_file():
        parser.error("this checkout has no bundled model; get a complete checkout first.")
    try:
        if folder.exists() and not (folder.is_dir() and is_ours(folder)):
            parser.error(f"'{args.output}' holds other things; choose another folder with -o.")
        build(folder)
    except OSError as problem:
        reason = problem.strerror or str(problem)
        parser.error(f"'{args.output}' can't be written ({reason}); choose another with -o.")
    written = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in written) / 1e6
    print(f"wrote {args.output} ({size:.0f} MB, {len(written)} files)")


if __name__ == "__main__":
    main()
