package audio

import (
	"fmt"
	"math"
)

// The codes of the warnings.
const (
	WarnTruncated     = "truncated"
	WarnUnfinished    = "unfinished"
	WarnDamaged       = "damaged"
	WarnDeadChannel   = "dead_channel"
	WarnOppositePhase = "opposite_phase"
	WarnClipped       = "clipped"
	WarnSilent        = "silent"
	WarnLowLevel      = "low_level"
	WarnNoisy         = "noisy"
	WarnOffset        = "dc_offset"
	WarnNarrowBand    = "narrow_band"
	WarnTracks        = "several_tracks"
)

// Where a warning begins.
const (
	lowLevelDB  = -45.0 // of speech; a recorder at arm's length gives −30
	silentDB    = -75.0
	noisyDB     = 10.0 // speech above noise
	offsetDC    = 0.02
	muchClipped = 0.2 // of the recording: then places run together
	fewestForIt = 3.0 // seconds that a judgement of noise needs
)

// warn writes the warnings, the ones about missing sound first.
func (r *Report) warn(f facts) {
	r.Warnings = nil
	add := func(when bool, code, format string, args ...any) {
		if when {
			r.Warnings = append(r.Warnings, Warning{code, fmt.Sprintf(format, args...)})
		}
	}
	got := clock(r.Seconds)
	add(r.Truncated && r.Claimed > r.Seconds, WarnTruncated,
		"The recording is cut off: the file says %s, %s arrived.", clock(r.Claimed), got)
	add(r.Truncated && r.Claimed <= r.Seconds, WarnTruncated,
		"The recording is cut off: it breaks off in the middle of its data, %s arrived.", got)
	add(f.unfinished, WarnUnfinished,
		"The recorder did not finish this file, its length is missing. All that is in it was used: %s.", got)
	add(f.damaged || f.bad > 0, WarnDamaged, "Parts of the recording are damaged; some of it may be missing or noise.")
	r.warnChannels(f, add)
	much := r.ClippedSeconds > muchClipped*r.Seconds
	add(f.places > 0 && much, WarnClipped,
		"The recording is clipped through %.0f of its %.0f seconds; it was recorded too loud.", math.Ceil(r.ClippedSeconds), math.Ceil(r.Seconds))
	add(f.places > 0 && !much, WarnClipped, "The recording is clipped in %s; it was recorded too loud.", count(f.places, "place", "places"))
	silent := r.SpeechLevelDB < silentDB
	add(silent, WarnSilent, "The recording is silent. Check the microphone.")
	add(!silent && r.SpeechLevelDB < lowLevelDB, WarnLowLevel,
		"The recording is very quiet; words may be missed. Speak closer to the microphone or raise its level.")
	add(!silent && r.Seconds >= fewestForIt && r.SpeechLevelDB-r.NoiseDB < noisyDB, WarnNoisy,
		"The background is almost as loud as the voice; words may be wrong or missed.")
	add(math.Abs(r.DC) >= offsetDC, WarnOffset,
		"The recording has a constant offset, a fault of the recorder or its cable; it was removed.")
	add(r.Rate > 0 && r.Rate <= 8000, WarnNarrowBand,
		"The recording has telephone quality (%g kHz); a higher setting of the recorder gives fewer wrong words.", float64(r.Rate)/1000)
	add(f.tracks > 1, WarnTracks, "The file holds %d sound tracks; the first one was used.", f.tracks)
}

func (r *Report) warnChannels(f facts, add func(bool, string, string, ...any)) {
	switch {
	case r.DeadChannel && r.Channels == 2:
		add(true, WarnDeadChannel, "One of the two channels is silent; the other one was used.")
	case r.DeadChannel:
		add(true, WarnDeadChannel, "Not all of the %d channels have sound; the silent ones were left out.", r.Channels)
	case f.opposite && r.Used == UsedMix:
		add(true, WarnOppositePhase, "Two channels are in opposite phase (a swapped wire); one was turned round.")
	case f.opposite:
		add(true, WarnOppositePhase, "Two channels are in opposite phase (a swapped wire) and would cancel each other; only one was used.")
	}
}

// clock writes 3:10 or 1:02:03.
func clock(seconds float64) string {
	s := int(math.Round(seconds))
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
