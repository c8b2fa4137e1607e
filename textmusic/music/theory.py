"""Keys, scales, metres, ranges and tempi: each constant once."""

from __future__ import annotations

MAJOR_TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
KEYS = tuple(f"{t} major" for t in MAJOR_TONICS) + tuple(f"{t} minor" for t in MINOR_TONICS)
NO_KEY = "none"  # drums alone have no key
# Semitones above the tonic.
MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
NATURAL_MINOR_SCALE = (0, 2, 3, 5, 7, 8, 10)
LEADING_TONE = 11  # the raised seventh, which minor has beside its own
LINE_OF_FIFTHS = "FCGDAEB"  # letters, in the order of key signatures
NATURAL_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
TIME_SIGNATURES = (
    "2/4", "3/4", "4/4", "5/4", "6/4", "3/8", "5/8", "6/8", "7/8", "9/8", "12/8",
    "2/2", "3/2", "4/2",
)  # fmt: skip
DRUMS = 128  # stands for the drum kit among the General MIDI programs 0-127
DEFAULT_TEMPO = 120.0  # quarter notes a minute: what MIDI files mean without a time signature
MIDDLE_TEMPO = 105.0  # quarter notes a minute, from which mood counts fast and slow
# Tempo bins as published (MuseCoco, Text2midi): a bin's number counts the edges below the tempo.
TEMPO_BIN_EDGES = (40, 60, 70, 90, 110, 140, 160, 210)
# The vocabulary's pitches (MIDI note numbers), as MidiTok has them: the piano's keys, drum sounds.
MIDDLE_C = 60
PITCH_RANGE = (21, 108)
DRUM_PITCH_RANGE = (27, 88)
WRITTEN_RANGE = (12, 115)  # of pitches that are spelt as if the tonic were C: see `shift_of`
# Comfortable written ranges (MIDI note numbers) by General MIDI program; others have the piano's.
RANGES = {
    **dict.fromkeys((40, 110), (55, 103)), 41: (48, 91), 42: (36, 81), 43: (28, 67),
    **dict.fromkeys(range(24, 32), (40, 88)), **dict.fromkeys(range(32, 40), (24, 67)),
    9: (60, 108), 10: (60, 108), 22: (55, 96), 46: (23, 103), 47: (36, 57), 52: (38, 86),
    53: (38, 86), 54: (38, 86), 56: (52, 86), 57: (36, 77), 58: (28, 65), 60: (34, 81),
    64: (56, 91), 65: (49, 85), 66: (44, 80), 67: (36, 73), 68: (58, 93), 69: (52, 84),
    70: (34, 77), 71: (50, 94), 72: (72, 108), 73: (59, 98), 74: (60, 98), 75: (60, 98),
    105: (48, 86), DRUMS: DRUM_PITCH_RANGE,
}  # fmt: skip


def tonic(key: str) -> int:
    """Pitch class 0-11 of a key's tonic: tonic("Eb major") == 3."""
    name = key.split()[0]
    return (NATURAL_PITCH_CLASSES[name[0]] + name.count("#") - name.count("b")) % 12


def is_minor(key: str) -> bool:
    """True for the 12 minor keys."""
    return key.endswith("minor")


def degrees_of(key: str) -> tuple[int, ...]:
    """Semitones of a key's scale above its tonic; in minor both the natural and the raised 7th."""
    return (*NATURAL_MINOR_SCALE, LEADING_TONE) if is_minor(key) else MAJOR_SCALE


def key_name(pitch_class: int, minor: bool) -> str:
    """The canonical spelling in `KEYS`: key_name(3, False) == "Eb major"."""
    return KEYS[pitch_class % 12 + (12 if minor else 0)]


def transposed(key: str, semitones: int) -> str:
    """The key some semitones up; "none" stays "none"."""
    return key if key == NO_KEY else key_name(tonic(key) + semitones, is_minor(key))


def shift_of(key: str | None) -> int:
    """Semitones from C to a key's tonic, the short way (-5 to 6); 0 without a key.

    Music ids spell pitches as if the tonic were C, so that what is learnt in one key is known in
    all twelve; this is how far a written pitch lies below the one that sounds.
    """
    return 0 if key is None or key == NO_KEY else (tonic(key) + 5) % 12 - 5


def sharps(key: str) -> int:
    """Sharps of a key's signature, flats negative: sharps("D minor") == -1, "F# major" -> 6."""
    major = (tonic(key) + (3 if is_minor(key) else 0)) % 12
    count = major * 7 % 12
    flat_spelled = "b" in key.split()[0] or count > 6
    return count - 12 if flat_spelled and count > 5 else count


def signature(fifths: int) -> dict[str, int]:
    """The letters that a key signature alters, and how: signature(-1) == {"B": -1}.

    fifths: its sharps, flats negative, as `sharps` counts them.
    """
    if fifths < 0:
        return dict.fromkeys(LINE_OF_FIFTHS[fifths:], -1)
    return dict.fromkeys(LINE_OF_FIFTHS[:fifths], 1)


def quarters_per_bar(time_signature: str) -> float:
    """Length of a bar in quarter notes: 6/8 -> 3.0."""
    top, bottom = map(int, time_signature.split("/"))
    return top * 4 / bottom


def tempo_bin(tempo: float) -> int:
    """Number of bin edges strictly below a tempo (quarter notes a minute): 0 to 8.

    The edges are those of MuseCoco (Lu et al. 2023), used by Text2midi (Bhandari et al. 2025) too.
    """
    return sum(tempo > edge for edge in TEMPO_BIN_EDGES)


def range_of(program: int) -> tuple[int, int]:
    """The lowest and the highest pitch that an instrument is written for."""
    return RANGES.get(program, PITCH_RANGE)
