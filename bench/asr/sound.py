"""What a recording goes through on its way: a room, its noise, a telephone, a codec. All of it repeatable from a seed."""

import json
import subprocess

import numpy as np

from voices import RATE

CONDITIONS = ["clean", "room", "reverb", "phone", "opus", "low", "webm", "roomphone"]
PEAK = 0.35
ENCODE = {
    "opus": (".ogg", ["-c:a", "libopus", "-b:a", "16k", "-ar", "16000", "-application", "voip"]),
    "webm": (".webm", ["-c:a", "libopus", "-b:a", "32k", "-ar", "48000"]),
}


def noise(n, rng, slope):
    """Noise whose power falls with frequency as 1/f^slope: 0 white, 1 pink, 2 brown; RMS 1."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    f = np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20)
    out = np.fft.irfft(spectrum / f ** (slope / 2), n)
    return (out / out.std()).astype(np.float32)


def band(samples, low, high):
    """Only the band low…high Hz, with slopes of an octave."""
    f = np.fft.rfftfreq(len(samples), 1 / RATE)
    gain = np.clip(np.log2(np.maximum(f, 1) / low) + 1, 0, 1) * np.clip(np.log2(high / np.maximum(f, 1)) + 1, 0, 1)
    return np.fft.irfft(np.fft.rfft(samples) * gain, len(samples)).astype(np.float32)


def convolved(a, b):
    n = len(a) + len(b) - 1
    return np.fft.irfft(np.fft.rfft(a, n) * np.fft.rfft(b, n), n)[: len(a)].astype(np.float32)


def room_response(rng, seconds=0.35, direct_db=9):
    """A direct sound and a decaying tail that is direct_db weaker in all."""
    n = int(seconds * RATE)
    tail = rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n)
    tail[: int(0.004 * RATE)] = 0
    tail *= 10 ** (-direct_db / 20) / np.sqrt((tail**2).sum())
    tail[0] = 1
    return tail.astype(np.float32)


def speech_level(samples):
    """RMS of the loud parts."""
    frames = samples[: len(samples) // 400 * 400].reshape(-1, 400)
    power = (frames**2).mean(axis=1)
    return float(np.sqrt(power[power > power.max() * 0.01].mean()))


def scaled(samples, peak=PEAK):
    return samples * (peak / np.abs(samples).max())


def through(samples, condition, rng, babble=None):
    """The dry samples as this condition leaves them."""
    samples = scaled(samples)
    if condition == "reverb":
        return scaled(convolved(samples, room_response(rng)))
    if condition.startswith("room"):
        hiss = noise(len(samples), rng, 1)
        snr = rng.uniform(15, 20)
        if babble is not None and rng.random() < 0.5:
            talk = np.resize(babble, len(samples))
            hiss = 0.5 * hiss + talk / talk.std()
            hiss, snr = hiss / hiss.std(), max(snr, 18)
        samples = samples + hiss * speech_level(samples) * 10 ** (-snr / 20)
    if condition.endswith("phone"):
        samples = band(samples, 300, 3400)
    if condition == "low":
        return scaled(samples, 10 ** (-35 / 20))
    return scaled(samples)


def write(samples, path, rate=RATE, codec=()):
    """Write mono 16-bit audio; the extension chooses the container."""
    pcm = (np.clip(samples, -1, 1) * 32767).round().astype("<i2").tobytes()
    command = ["ffmpeg", "-v", "error", "-y", "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "-", "-map_metadata", "-1"]
    command += ["-fflags", "+bitexact", "-flags:a", "+bitexact", *(codec or ["-ar", str(rate)]), str(path)]
    subprocess.run(command, input=pcm, check=True)


def save(samples, folder, name, condition):
    """Write the clip as its condition has it, and as 16 kHz WAV for programs that read nothing else."""
    wav = folder / f"{name}.wav"
    if condition in ENCODE:
        extension, codec = ENCODE[condition]
        file = folder / f"{name}{extension}"
        write(samples, file, codec=codec)
    elif condition.endswith("phone"):
        file = folder / f"{name}.8k.wav"
        write(samples, file, rate=8000)
    else:
        write(samples, wav)
        return wav.name, wav.name
    convert = ["ffmpeg", "-v", "error", "-y", "-i", str(file), "-ar", str(RATE), "-ac", "1", "-c:a", "pcm_s16le", str(wav)]
    subprocess.run(convert, check=True)
    return file.name, wav.name


def dump(rows, path):
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
