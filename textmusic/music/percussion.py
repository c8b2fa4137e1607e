"""The sounds of the General MIDI drum kits by their names."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symusic import Score

# MIDI key -> its name in General MIDI (27-34 and 82-87 are of General MIDI 2), then other names
# that scores have for it.
DRUM_NAMES: dict[int, tuple[str, ...]] = {
    27: ("High Q",), 28: ("Slap",), 29: ("Scratch Push",), 30: ("Scratch Pull",),
    31: ("Sticks", "Drumsticks", "Stick Click"), 32: ("Square Click",), 33: ("Metronome Click",),
    34: ("Metronome Bell",),
    35: ("Acoustic Bass Drum", "Bass Drum 2", "Concert Bass Drum", "Gran Cassa", "Grosse Caisse",
         "Große Trommel", "Kick Drum 2"),
    36: ("Bass Drum 1", "Bass Drum", "Kick", "Kick Drum", "Electric Bass Drum", "BD", "Surdo"),
    37: ("Side Stick", "Cross Stick", "Rim Shot", "Rimshot", "Rim Click", "Rim", "Snare Rim"),
    38: ("Acoustic Snare", "Snare", "Snare Drum", "SD", "Side Drum", "Tambour", "Field Drum",
         "Caisse Claire", "Kleine Trommel", "Military Drum", "Tamburo"),
    39: ("Hand Clap", "Clap", "Claps", "Hand Claps", "Handclap", "Handclaps"),
    40: ("Electric Snare", "Snare Drum 2", "Snare 2"),
    41: ("Low Floor Tom", "Floor Tom 2", "Low Floor Tom-Tom"),
    42: ("Closed Hi-Hat", "Hi-Hat", "Hi-Hat Closed", "HH", "Closed High Hat", "High Hat"),
    43: ("High Floor Tom", "Floor Tom", "Floor Tom 1"),
    44: ("Pedal Hi-Hat", "Hi-Hat Pedal", "Foot Hi-Hat", "Hi-Hat Foot", "Pedal High Hat"),
    45: ("Low Tom", "Tom 3", "Tom-Tom", "Tom"),
    46: ("Open Hi-Hat", "Hi-Hat Open", "Open High Hat", "Half Open Hi-Hat", "Hi-Hat Half Open"),
    47: ("Low-Mid Tom", "Mid Tom", "Middle Tom", "Medium Tom"),
    48: ("Hi-Mid Tom", "High Mid Tom", "Tom 2"),
    49: ("Crash Cymbal 1", "Crash Cymbal", "Crash", "Crash 1", "Cymbal", "Cymbals", "Becken",
         "Piatti", "Cymbales", "Suspended Cymbal"),
    50: ("High Tom", "Tom 1", "Hi Tom"),
    51: ("Ride Cymbal 1", "Ride Cymbal", "Ride", "Ride 1"),
    52: ("Chinese Cymbal", "China Cymbal", "China", "Tam-Tam", "Gong"),
    53: ("Ride Bell", "Bell of Ride"),
    54: ("Tambourine", "Tamburin", "Tambour de Basque", "Tamburello"),
    55: ("Splash Cymbal", "Splash"),
    56: ("Cowbell", "Cow Bell", "Kuhglocke"),
    57: ("Crash Cymbal 2", "Crash 2"),
    58: ("Vibraslap", "Vibra Slap"),
    59: ("Ride Cymbal 2", "Ride 2", "Ride Edge"),
    60: ("Hi Bongo", "High Bongo", "Bongos", "Bongo"), 61: ("Low Bongo",),
    62: ("Mute Hi Conga", "Muted High Conga", "Mute High Conga"),
    63: ("Open Hi Conga", "Open High Conga", "High Conga", "Conga", "Congas"), 64: ("Low Conga",),
    65: ("High Timbale", "Timbales"), 66: ("Low Timbale",),
    67: ("High Agogo", "Agogo", "Agogo Bells"), 68: ("Low Agogo",),
    69: ("Cabasa",), 70: ("Maracas", "Maraca", "Shaker", "Shakers"),
    71: ("Short Whistle",), 72: ("Long Whistle",),
    73: ("Short Guiro",), 74: ("Long Guiro", "Guiro"),
    75: ("Claves", "Clave"),
    76: ("Hi Wood Block", "High Wood Block", "High Woodblock", "Wood Block", "Woodblock",
         "Temple Block", "Temple Blocks", "Wood Blocks"),
    77: ("Low Wood Block", "Low Woodblock"),
    78: ("Mute Cuica", "Muted Cuica"), 79: ("Open Cuica", "Cuica"),
    80: ("Mute Triangle", "Muted Triangle"),
    81: ("Open Triangle", "Triangle", "Triangel", "Triangolo"),
    82: ("Shaker GM2",), 83: ("Jingle Bell", "Sleigh Bells", "Jingle Bells"), 84: ("Belltree",),
    85: ("Castanets", "Castanet"), 86: ("Mute Surdo",), 87: ("Open Surdo",),
}  # fmt: skip

# The percussive programs of General MIDI that have no pitch -> the nearest sound of the kit.
DRUMS_OF_PROGRAMS = {112: 84, 113: 67, 115: 76, 116: 41, 117: 45, 118: 40, 119: 57}


KIT_NAMES: dict[int, str] = {
    0: "Standard", 8: "Room", 16: "Power", 24: "Electronic", 25: "TR-808", 32: "Jazz", 40: "Brush",
    48: "Orchestra",
}  # fmt: skip
"""The drum kits of General MIDI 2 by the program that a MIDI file gives them."""
_TIMPANI = (
    "F", "F sharp", "G", "G sharp", "A", "A sharp", "B", "C", "C sharp", "D", "D sharp", "E",
    "high F",
)  # fmt: skip
# Where a kit's keys are not the standard ones (General MIDI 2, appendix B).
_KIT_SOUNDS: dict[int, dict[int, str]] = {
    24: {36: "Electric Bass Drum", 38: "Electric Snare 1", 40: "Electric Snare 2",
         52: "Reverse Cymbal"},
    25: {36: "808 Bass Drum", 37: "808 Rim Shot", 38: "808 Snare Drum", 42: "808 Closed Hi-Hat",
         46: "808 Open Hi-Hat", 49: "808 Cymbal", 56: "808 Cowbell", 62: "808 High Conga",
         63: "808 Mid Conga", 64: "808 Low Conga", 70: "808 Maracas", 75: "808 Claves"},
    32: {35: "Jazz Bass Drum 2", 36: "Jazz Bass Drum 1"},
    40: {35: "Jazz Bass Drum 2", 36: "Jazz Bass Drum 1", 38: "Brush Tap", 39: "Brush Slap",
         40: "Brush Swirl"},
    48: {27: "Closed Hi-Hat", 28: "Pedal Hi-Hat", 29: "Open Hi-Hat", 30: "Ride Cymbal 1",
         35: "Concert Bass Drum 2", 36: "Concert Bass Drum 1", 38: "Concert Snare Drum",
         39: "Castanets", 40: "Concert Snare Drum 2",
         **{41 + n: f"Timpani {note}" for n, note in enumerate(_TIMPANI)},
         57: "Concert Cymbal 2", 59: "Concert Cymbal 1", 88: "Applause"},
}  # fmt: skip


def drum_name(key: int, kit: int = 0) -> str:
    """The name of a sound in General MIDI. kit: the program of the drums; see `KIT_NAMES`."""
    own = _KIT_SOUNDS.get(kit, {})
    return own.get(key) or (DRUM_NAMES[key][0] if key in DRUM_NAMES else f"Drum {key}")


def kit_in(score: Score) -> int:
    """The kit of a score's first drums; the standard one where there are none."""
    return next((int(t.program) for t in score.tracks if t.is_drum and len(t.notes)), 0)


def drum_named(name: str) -> int | None:
    """The MIDI key of a drum sound; what stands in brackets and before a colon may be missing."""
    known = _known()
    tries = (name, re.sub(r"\(.*?\)", "", name), name.rpartition(":")[2])
    return next((known[_plain(said)] for said in tries if _plain(said) in known), None)


@cache
def _known() -> dict[str, int]:
    of_kits = {_plain(name): key for sounds in _KIT_SOUNDS.values() for key, name in sounds.items()}
    standard = {_plain(name): key for key, names in DRUM_NAMES.items() for name in names}
    return {**of_kits, **standard}


def _plain(name: str) -> str:
    """A name without case, spaces, marks and the plural."""
    return re.sub(r"[\W_]+", "", name.lower())
