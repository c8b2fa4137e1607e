"""The ways of TextToMusic into a piece that is there already: rewrite, add, vary."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING

from textmusic.music.midi_events import MidiEvents
from textmusic.music.plan import Plan
from textmusic.music.sketch import Outline
from textmusic.result.generation import Generation
from textmusic.tokens.sampling import Sampling
from textmusic.writing.brief import Brief
from textmusic.writing.loaded_model import LoadedModel
from textmusic.writing.rewriting import Rewriting, open_to_add, open_to_rewrite
from textmusic.writing.theme_and_variations import ThemeAndVariations
from textmusic.writing.varying import Theme, Varying

if TYPE_CHECKING:
    from symusic import Score

    from textmusic.writing.text_to_music import OnBar


class Composing(LoadedModel):
    """A model that works on pieces which people have.

    source, in all of its methods: a MIDI file, which is kept event for event: its path, or what
    `textmusic.music.midi_files.read_events` gives; or a symusic.Score.
    """

    def rewrite(
        self,
        source: MidiEvents | Score | str | PathLike[str],
        n: int = 1,
        *,
        bars: tuple[int, int] | None = None,
        instruments: Sequence[str | int] = (),
        text: str = "",
        controls: Plan = Plan(),
        outline: Outline = Outline(),
        seed: int | None = None,
        sampling: Sampling = Sampling(),
        on_bar: OnBar | None = None,
    ) -> list[Generation]:
        """Write bars or instruments of a piece anew, n times; all else stays event for event.

        `fill` is the general form of this and of `add`, for scores.

        A note of the rewritten instruments that is held over from before the bars is let go of
        where they begin, unless it ends within a quarter note (an anticipation) or sounds through
        all of them (a pedal point). New notes end with the last of the bars. Pedal, bends and
        modulation in the bars go with the notes that they were made for; volume and pan stay.

        Args:
            n: how many, 1 to 16, with the seeds seed, seed + 1, ...
            bars: the first and the last, counted from 1; None for all.
            instruments: by name or General MIDI number; () for all. "bass" means the piece's own.
            text, controls: what the new music should be like. Tempo, key and time signature stay.
            outline: chords and form of these bars, as for `generate`.
            seed, sampling, on_bar: as for `generate`.

        Raises TextMusicError where neither bars nor instruments are given, or they are not there.
        """
        brief = Brief(text, controls, outline, seed, sampling)
        return Rewriting(self, open_to_rewrite(source, bars, instruments), brief, n).write(on_bar)

    def add(
        self,
        source: MidiEvents | Score | str | PathLike[str],
        instruments: Sequence[str | int],
        n: int = 1,
        *,
        bars: tuple[int, int] | None = None,
        text: str = "",
        controls: Plan = Plan(),
        outline: Outline = Outline(),
        seed: int | None = None,
        sampling: Sampling = Sampling(),
        on_bar: OnBar | None = None,
    ) -> list[Generation]:
        """Write parts for more instruments, which fit what is there; n times, as `rewrite`.

        Args:
            instruments: that do not play yet, by name or General MIDI number.
            bars: the first and the last in which they play, counted from 1; None for all.
            n, text, controls, outline, seed, sampling, on_bar: as for `rewrite`.

        Raises TextMusicError where an instrument plays already, and for more than a file has room
        for.
        """
        brief = Brief(text, controls, outline, seed, sampling)
        return Rewriting(self, open_to_add(source, bars, instruments), brief, n).write(on_bar)

    def vary(
        self,
        source: MidiEvents | Score | str | PathLike[str],
        n: int = 1,
        *,
        text: str = "",
        controls: Plan = Plan(),
        number: int | None = None,
        with_theme: bool = False,
        seed: int | None = None,
        sampling: Sampling = Sampling(),
        on_bar: OnBar | None = None,
    ) -> list[Generation]:
        """Write variations of a theme: its harmony and form, otherwise new music.

        The theme's chords are moved to the key that is asked for, into its mode, and into the
        metre. What is not asked for is the theme's: bars, key, and, but for another genre, metre,
        tempo and instruments; a genre that is often in the theme's metre keeps that.

        Args:
            n: how many, 1 to 16, with the seeds seed, seed + 1, ...
            text, controls: what they should be like ("waltz, minor, for strings"). Without, each is
                another one of `varying.usual_variations`, as its report's remarks say.
            number: of the only one of these that is written, from 0.
            with_theme: one piece is returned, the theme with all variations behind it.
            seed, sampling, on_bar: as for `generate`.

        Raises TextMusicError for a piece without notes, and for one of more than 256 bars.
        """
        brief = Brief(text, controls, Outline(), seed, sampling)
        kind = ThemeAndVariations if with_theme else Varying
        return kind(self, brief, Theme(source), n, number).write(on_bar)
