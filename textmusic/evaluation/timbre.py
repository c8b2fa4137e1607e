"""Rendered audio -> how it sounds, in numbers, and how far one set of pieces sounds from another.

Timbre is described by mel-frequency cepstral coefficients (MFCCs; Davis & Mermelstein 1980), how
bright and noisy a sound is by its zero-crossing rate. A distance alone says little: `floor` tells
how far halves of the real set are apart. Distances depend on the soundfont too, so that both sets
must be played with the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textmusic.errors import TextMusicError
from textmusic.music.notes import Floats
from textmusic.sound.render import SAMPLE_RATE

RATE = 22050  # samples a second that are looked at: above 11 kHz there is little, at twice the cost
COEFFICIENTS = 13
# librosa's defaults, spelt out so that figures stay comparable if it changes them
FRAME, HOP, BANDS = 2048, 512, 128
SILENCE = 1e-4  # amplitude; below it there is only rounding, whose sign changes all the time
FEWEST_SOUNDS = 2 * COEFFICIENTS + 1  # pieces that a covariance of `Sound.statistics` needs


@dataclass(frozen=True, slots=True)
class Sound:
    """How a piece sounds, over all its frames (93 ms long, one every 23 ms).

    One mean and one covariance of MFCCs a piece are the song-level features of Mandel & Ellis 2005.

    mean: (13,) of MFCCs 1 to 13, dB under librosa's orthonormal cosine transform: a distance of d
    between two of them is an RMS difference of d / sqrt(128) dB between smoothed mel spectra.
    Coefficient 0 is left out: it is loudness, and rendered audio is brought to one peak.
    covariance: (13, 13) of the same over the frames, dB squared.
    zero_crossing_rate: see `zero_crossing_rate`.
    """

    mean: Floats
    covariance: Floats
    zero_crossing_rate: float

    @property
    def statistics(self) -> Floats:
        """(26,) means and standard deviations of the MFCCs, dB (Tzanetakis & Cook 2002).

        The rest of the covariance is left out: 104 numbers a piece would need hundreds of pieces.
        """
        return np.concatenate([self.mean, np.sqrt(np.diag(self.covariance))])


Distance = Callable[[Sequence[Sound], Sequence[Sound]], float | None]


def describe(audio: NDArray[np.float32], sample_rate: int = SAMPLE_RATE) -> Sound:
    """Describe a piece of audio.

    Args:
        audio: (2, samples) left and right, or (1, samples); -1 .. 1. It is mixed to mono and
            resampled to 22,050 samples a second.
        sample_rate: its samples per second.

    Raises:
        TextMusicError: librosa is not installed.
    """
    librosa = _librosa()
    mono = librosa.to_mono(np.asarray(audio))
    mono = librosa.resample(mono, orig_sr=sample_rate, target_sr=RATE, res_type="soxr_hq")
    frames = librosa.feature.mfcc(
        y=mono, sr=RATE, n_mfcc=COEFFICIENTS + 1, n_fft=FRAME, hop_length=HOP, n_mels=BANDS
    )[1:].astype(np.float64)
    # biased: these are all frames of the piece, not a sample; and a single frame has no spread
    return Sound(frames.mean(axis=1), np.cov(frames, bias=True), zero_crossing_rate(mono))


def _librosa() -> Any:
    try:
        import librosa
    except ImportError:
        raise TextMusicError(
            "describing audio needs librosa; run pip install 'textmusic[audio]'."
        ) from None
    return librosa


def zero_crossing_rate(wave: NDArray[np.floating[Any]]) -> float:
    """Share of neighbouring samples (samples,) with different signs, 0 to 1.

    Times the sample rate: crossings a second; a sine of f Hz has 2 f of them. Samples below -80
    dBFS count as zero, and zero as positive (Tzanetakis & Cook 2002; Gouyon et al. 2000).
    """
    if len(wave) < 2:
        return 0.0
    negative = wave < -SILENCE
    return float((negative[1:] != negative[:-1]).mean())


def mfcc_distance(ours: Sequence[Sound], real: Sequence[Sound]) -> float | None:
    """How far two sets of pieces are apart in timbre, dB, 0 (alike) upwards; None of an empty set.

    For each MFCC the 1-Wasserstein distance (earth mover's distance; Rubner, Tomasi & Guibas 2000)
    between the pieces' means, and of the 13 distances the root of the sum of squares, as in
    mel-cepstral distortion (Kubichek 1993), which leaves out coefficient 0 too. Symmetric. If one
    set is the other one shifted, this is the length of the shift.
    """
    if not ours or not real:
        return None
    one, two = (np.array([sound.mean for sound in sounds]) for sounds in (ours, real))
    return float(np.linalg.norm([_earth_mover(a, b) for a, b in zip(one.T, two.T, strict=True)]))


def zero_crossing_distance(ours: Sequence[Sound], real: Sequence[Sound]) -> float | None:
    """1-Wasserstein distance between the pieces' zero-crossing rates, 0 (alike) to 1; symmetric.

    None of an empty set. Unit: crossings a sample; times 22,050: crossings a second. The source of
    the distance is that of `mfcc_distance`.
    """
    if not ours or not real:
        return None
    one, two = (np.array([s.zero_crossing_rate for s in sounds]) for sounds in (ours, real))
    return _earth_mover(one, two)


def frechet_distance(ours: Sequence[Sound], real: Sequence[Sound]) -> float | None:
    """Fréchet distance between Gaussians fitted to the pieces' `Sound.statistics`, 0 upwards.

    Unit: dB squared. Symmetric. The formula is that of Heusel et al. 2017 (FID), for audio Kilgour
    et al. 2019 (FAD), but over MFCC statistics and not over what a network hears in them, so that
    the numbers don't compare with published ones.

    None if a set has fewer than 27 pieces: the covariance of its 26 numbers would be singular.
    Small sets lie too far apart even then (Chong & Forsyth 2020): compare with the `floor`, and
    sets of different sizes not at all.
    """
    if min(len(ours), len(real)) < FEWEST_SOUNDS:
        return None
    one, two = (np.array([sound.statistics for sound in sounds]) for sounds in (ours, real))
    return gaussian_distance(
        one.mean(axis=0), np.cov(one, rowvar=False), two.mean(axis=0), np.cov(two, rowvar=False)
    )


def gaussian_distance(
    mean: Floats, covariance: Floats, other_mean: Floats, other_covariance: Floats
) -> float:
    """Squared Fréchet (2-Wasserstein) distance of two Gaussians, 0 upwards.

    |m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2)), by Dowson & Landau 1982; means (D,), covariances
    (D, D). Unit: that of the means, squared.
    """
    # C1 C2 has the eigenvalues of R C2 R with R = C1^(1/2), which is symmetric: no complex roots
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other_covariance @ root), 0)).sum()
    apart = float(np.sum((mean - other_mean) ** 2))
    spread = float(np.trace(covariance) + np.trace(other_covariance) - 2 * shared)
    return apart + max(spread, 0.0)


def floor(
    real: Sequence[Sound], distance: Distance, *, splits: int = 10, seed: int = 0
) -> float | None:
    """The distance between random halves of the real set: what no set can be asked to fall below.

    Unit and range are those of the distance; the mean over several splits. None where the distance
    of a half is. Halves are smaller than the whole, which makes the floor of `frechet_distance`
    too high rather than too low; a fair comparison is that of a set half as large as the real one.
    """
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(splits):
        order = rng.permutation(len(real))
        half = len(real) // 2
        one, two = ([real[i] for i in part] for part in (order[:half], order[half : 2 * half]))
        apart = distance(one, two)
        if apart is None:
            return None
        found.append(apart)
    return float(np.mean(found))


def _earth_mover(one: Floats, two: Floats) -> float:
    """1-Wasserstein distance of two samples of numbers: the area between their step functions."""
    places = np.sort(np.concatenate([one, two]))
    below = [np.searchsorted(np.sort(s), places[:-1], side="right") / len(s) for s in (one, two)]
    return float(np.abs(below[0] - below[1]) @ np.diff(places))
