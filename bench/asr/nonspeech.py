"""A hundred sounds without speech, 2 to 60 s long. Nobody is heard in any of them; a word written for one is invented."""

import numpy as np

import sound
from sound import band, convolved, noise, room_response
from voices import RATE

LENGTHS = [2, 3, 5, 8, 12, 20, 31, 45, 60, 4]


def t(n):
    return np.arange(n) / RATE


def tone(n, hz, partials=(1,)):
    return sum(a * np.sin(2 * np.pi * hz * (k + 1) * t(n)) for k, a in enumerate(partials))


def struck(n, at, sound_, out):
    """Lay a short sound into out from sample at on."""
    at = int(at)
    if at < n:
        part = sound_[: n - at]
        out[at : at + len(part)] += part


def decay(seconds, rate):
    m = int(seconds * RATE)
    return np.exp(-np.arange(m) * rate / m)


def zeros(n, r):
    return np.zeros(n)


def dc(n, r):
    return np.full(n, r.uniform(-0.3, 0.3))


def hum(n, r):
    return tone(n, r.choice([50, 60]), (1, 0.5, 0.3, 0.1, 0.1)) * 0.05


def white(n, r):
    return noise(n, r, 0) * r.uniform(0.003, 0.1)


def pink(n, r):
    return noise(n, r, 1) * r.uniform(0.003, 0.1)


def brown(n, r):
    return noise(n, r, 2) * r.uniform(0.003, 0.1)


def clicks(n, r):
    out = np.zeros(n)
    for at in np.cumsum(r.exponential(0.4, 200)) * RATE:
        struck(n, at, r.uniform(0.1, 0.8) * r.standard_normal(40) * decay(0.0025, 6), out)
    return out


def keyboard(n, r):
    out = noise(n, r, 1) * 0.002
    for at in np.cumsum(r.gamma(2, 0.08, 900)) * RATE:
        for later, loud in ((0, 1), (r.uniform(0.05, 0.09), 0.4)):  # down, up
            key = band(r.standard_normal(960) * decay(0.06, 8), 800, 5000)
            struck(n, at + later * RATE, loud * r.uniform(0.05, 0.2) * key, out)
    return out


def fan(n, r):
    blade = 1 + 0.3 * np.sin(2 * np.pi * r.uniform(8, 25) * t(n))
    return (noise(n, r, 1.4) * blade + tone(n, 118, (0.4, 0.2))) * 0.04


def beeps(n, r):
    out, hz, every = np.zeros(n), r.choice([440, 960, 1000, 2700]), r.uniform(0.6, 1.6)
    for k in range(int(n / RATE / every) + 1):
        struck(n, k * every * RATE, 0.2 * tone(int(0.15 * RATE), hz), out)
    return out + noise(n, r, 1) * 0.001


def dtmf(n, r):
    out = np.zeros(n)
    for k in range(int(n / RATE / 0.35) + 1):
        both = tone(int(0.2 * RATE), r.choice([697, 770, 852, 941])) + tone(int(0.2 * RATE), r.choice([1209, 1336, 1477]))
        struck(n, k * 0.35 * RATE, 0.15 * both, out)
    return out


def note(seconds, midi, r):
    m = int(seconds * RATE)
    return tone(m, 440 * 2 ** ((midi - 69) / 12), (1, 0.5, 0.25, 0.12, 0.06)) * decay(seconds, 4) * 0.1


def melody(n, r):
    out, at, midi = np.zeros(n), 0, 64
    while at < n:
        midi = int(np.clip(midi + r.choice([-4, -2, -1, 0, 1, 2, 3, 5]), 52, 80))
        length = r.choice([0.25, 0.5, 0.5, 1.0])
        struck(n, at, note(length * 1.2, midi, r), out)
        at += int(length * RATE)
    return out


def chords(n, r):
    out, at = np.zeros(n), 0
    while at < n:
        root = r.choice([48, 53, 55, 57])
        for step in (0, r.choice([3, 4]), 7, 12):
            struck(n, at, note(2.4, root + step, r), out)
        at += 2 * RATE
    return out


def drums(n, r):
    out = np.zeros(n)
    for k in range(int(n / RATE / 0.25) + 1):
        hit = band(r.standard_normal(2400) * decay(0.15, 7), 3000, 7000) * 0.15
        if k % 4 == 0:
            hit = np.sin(2 * np.pi * (60 + 40 * decay(0.25, 6)) * t(4000)) * decay(0.25, 6) * 0.5
        struck(n, k * 0.25 * RATE, hit, out)
    return out


def voiced(m, r, hz, formants):
    """A buzz through resonances: like a throat, saying nothing."""
    buzz = np.zeros(m)
    period = RATE / (hz * (1 + 0.02 * r.standard_normal(m // 50 + 2)))
    at, k = 0.0, 0
    while at < m:
        buzz[int(at)] = 1
        at += period[min(k, len(period) - 1)]
        k += 1
    spectrum, f = np.fft.rfft(buzz), np.fft.rfftfreq(m, 1 / RATE)
    gain = sum(1 / (1 + ((f - c) / w) ** 2) for c, w in formants)
    out = np.fft.irfft(spectrum * gain, m)
    return out / (np.abs(out).max() + 1e-9)


def laughter(n, r):
    out, at = noise(n, r, 1) * 0.001, r.uniform(0, 0.5) * RATE
    while at < n:
        pitch = r.uniform(150, 320)
        for k in range(r.integers(4, 9)):
            m = int(0.11 * RATE)
            puff = band(r.standard_normal(m), 500, 4000) * 0.15
            ha = (voiced(m, r, pitch * 0.97**k, [(700, 150), (1300, 200), (2600, 300)]) * 0.3 + puff * 0.3) * np.hanning(m)
            struck(n, at, ha * 0.9**k, out)
            at += r.uniform(0.18, 0.24) * RATE
        at += r.uniform(0.6, 2.5) * RATE
    return out


def cough(n, r):
    out, at = noise(n, r, 1) * 0.001, r.uniform(0, 0.8) * RATE
    while at < n:
        for _ in range(r.integers(1, 4)):
            burst = band(r.standard_normal(int(0.3 * RATE)) * decay(0.3, 6), 250, 3500) * 0.4
            struck(n, at, burst, out)
            at += r.uniform(0.35, 0.5) * RATE
        at += r.uniform(1, 4) * RATE
    return out


def breathing(n, r):
    out, at = np.zeros(n), 0
    while at < n:
        for low, high, length in ((400, 2500, 1.2), (250, 1500, 1.6)):
            m = int(length * r.uniform(0.8, 1.2) * RATE)
            struck(n, at, band(r.standard_normal(m) * np.hanning(m), low, high) * 0.06, out)
            at += m + int(0.2 * RATE)
    return out


def wind(n, r):
    slow = np.interp(np.arange(n), np.linspace(0, n, max(4, n // 8000)), r.uniform(0.1, 1, max(4, n // 8000)))
    return band(r.standard_normal(n), 60, 500) * slow * 0.3


def rustle(n, r):
    slow = np.interp(np.arange(n), np.linspace(0, n, max(8, n // 1600)), r.random(max(8, n // 1600)) ** 4)
    return band(r.standard_normal(n), 1500, 7000) * slow * 0.3


def door(n, r):
    out = noise(n, r, 1.5) * 0.004
    for at in np.cumsum(r.uniform(1, 4, 40)) * RATE:
        struck(n, at, band(r.standard_normal(3200) * decay(0.2, 7), 60, 900) * 0.6, out)
    return convolved(out, room_response(r, 0.5, 4))


def ringing(n, r):
    on = (t(n) % 6 < 2).astype(float)
    return (tone(n, 440) + tone(n, 480)) * 0.1 * on


SOUNDS = [zeros, dc, hum, white, pink, brown, clicks, keyboard, fan, beeps, dtmf, melody, chords, drums, laughter, cough, breathing, wind, rustle, door,
          ringing, laughter, keyboard, melody, breathing]


def make(clips):
    folder = clips / "nonspeech"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for i in range(100):
        kind = SOUNDS[i % len(SOUNDS)]
        seconds = LENGTHS[(i * 3 + i // 25) % len(LENGTHS)]
        samples = kind(int(seconds * RATE), np.random.default_rng(1000 + i)).astype(np.float32)
        name = f"nonspeech-{i:02d}-{kind.__name__}-{seconds}s"
        sound.write(np.clip(samples, -0.99, 0.99), folder / f"{name}.wav")
        rows.append({"id": name, "set": "nonspeech", "kind": "nonspeech", "file": f"{name}.wav", "wav": f"{name}.wav", "seconds": float(seconds),
                     "sound": kind.__name__, "text": ""})
    sound.dump(rows, clips / "nonspeech.jsonl")
    print(f"nonspeech: {len(rows)} clips, {sum(r['seconds'] for r in rows):.0f} s")
