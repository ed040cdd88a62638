package audio

import "math"

// The values of Report.Used.
const (
	UsedMono  = "mono"  // the recording has one channel, or copies of one
	UsedLeft  = "left"  // the first of two
	UsedRight = "right" // the second of two
	UsedMix   = "mix"   // the mean of several
)

// Report says what a recording is and how well it can be heard. Levels are in dBFS of the mono signal that is transcribed,
// −120 standing for silence. A recording that changes (a second speaker joins on the other channel) is described by what
// held longest.
type Report struct {
	Container        Container `json:"container,omitempty"`
	Codec            string    `json:"codec,omitempty"`
	Rate             int       `json:"rate"`                        // Hz, as recorded
	Channels         int       `json:"channels"`                    // as recorded
	Used             string    `json:"used,omitempty"`              // mono, left, right, mix, or "channel 3"
	DeadChannel      bool      `json:"dead_channel,omitempty"`      // one has no sound and another has
	DuplicateChannel bool      `json:"duplicate_channel,omitempty"` // one is a copy of the first
	ClippedSeconds   float64   `json:"clipped_seconds"`             // in steps of 20 ms
	PeakDB           float64   `json:"peak_db"`
	SpeechLevelDB    float64   `json:"speech_level_db"` // while there is sound
	NoiseDB          float64   `json:"noise_db"`        // while there is none
	DC               float64   `json:"dc"`              // constant offset, full scale being 1; removed when above 0.005
	Truncated        bool      `json:"truncated,omitempty"`
	Seconds          float64   `json:"seconds"`           // that arrived
	Claimed          float64   `json:"claimed,omitempty"` // seconds that the header promises; 0 when it does not tell
	Warnings         []Warning `json:"warnings,omitempty"`
}

// Warning is one thing about the recording that a person should know: a stable code and a plain sentence.
type Warning struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Has says whether the report holds a warning with this code.
func (r Report) Has(code string) bool {
	for _, w := range r.Warnings {
		if w.Code == code {
			return true
		}
	}
	return false
}

// facts is what the warnings need beside the report.
type facts struct {
	places     int  // with clipping
	opposite   bool // two channels cancel each other
	bad        int  // samples that were no numbers
	unfinished bool // the recorder never wrote the length
	damaged    bool // the decoder found parts it could not read
	tracks     int  // of sound in the file
}

// describe writes what the channels turned out to be, and returns what only the warnings need.
func (m *mixer) describe(r *Report) facts {
	f := facts{places: m.clips.places}
	most := int64(-1)
	for name, n := range m.chosen {
		if n > most || n == most && name < r.Used {
			r.Used, most = name, n
		}
	}
	r.ClippedSeconds = float64(m.clips.frames) / 50
	loudest, copies := float64(floorDB), 0
	for _, ch := range m.channels {
		loudest = max(loudest, ch.frames.nthLoudest(soundFrames))
		if mean := ch.sum / float64(max(1, m.seen)); math.Abs(mean) > math.Abs(r.DC) {
			r.DC = mean
		}
	}
	for c, ch := range m.channels {
		level := ch.frames.nthLoudest(soundFrames)
		if loudest >= quietest && (level < quietest || level < loudest-belowLoudest) {
			r.DeadChannel = true
		}
		if c > 0 && m.pairs[c].copies() {
			copies++
		}
		f.opposite = f.opposite || c > 0 && m.pairs[c].correlation() <= -0.5
	}
	r.DuplicateChannel = copies > 0
	if copies > 0 && copies == len(m.channels)-1 {
		r.Used = UsedMono
	}
	return f
}
