"""The first bars of a piece alone, as what is to be gone on from."""

from __future__ import annotations

from dataclasses import replace

from textmusic.errors import TextMusicError
from textmusic.music.bars import end_of_bars
from textmusic.music.material import Material, material_of, metres_of
from textmusic.music.midi_appending import cut
from textmusic.music.midi_events import MidiEvents
from textmusic.music.midi_sounding import to_score


def kept_of(midi: MidiEvents, material: Material, bars: int) -> Material:
    """The first bars of a piece, 1 to all, counted from its beginning, whatever metres it has.

    material: of the whole piece. Raises TextMusicError where they hold no note.
    """
    if material.before < bars <= material.before + material.bars:
        return material.cut(bars - material.before)
    stop = end_of_bars(bars, metres_of(to_score(midi)))
    try:
        kept = material_of(to_score(cut(midi, round(stop * midi.division))), longer=True)
    except TextMusicError:
        raise TextMusicError(
            f"the first {bars} bars have nothing to go on from; keep more of them."
        ) from None
    silent = round((stop - kept.stop) / kept.written_bar)  # bars at the end
    if kept.unread:
        return kept
    return replace(kept, plan=replace(kept.plan, bars=kept.bars + silent), stop=stop)
