package audio

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

const (
	keptSaying = 2048 // bytes of complaints that are kept
	longLine   = 4096 // bytes of one line that are looked at
)

// sayings listens to what ffmpeg prints. Of its description of the input, which can hold a patient's name as a title, only
// codec, duration and the number of sound tracks are taken; the rest is forgotten at once. Complaints are kept up to 2 KB.
type sayings struct {
	line       []byte
	complaints bytes.Buffer
	output     bool // the description of the output has begun
	codec      string
	seconds    float64
	tracks     int
	errors     int
}

var (
	soundTrack = regexp.MustCompile(`^\[info\]   Stream #0:\d+\S*: Audio: ([a-z0-9_]{1,32})`)
	duration   = regexp.MustCompile(`^\[info\]   Duration: (\d{2,}):(\d{2}):(\d{2}\.\d{2}), `)
)

func (s *sayings) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		part := rest
		if end >= 0 {
			part = rest[:end]
		}
		s.line = append(s.line, part[:min(len(part), longLine-len(s.line))]...)
		if end < 0 {
			break
		}
		s.hear(string(s.line))
		s.line, rest = s.line[:0], rest[end+1:]
	}
	return len(p), nil
}

func (s *sayings) hear(line string) {
	switch {
	case !strings.Contains(line, "[info]"):
		s.complain(line)
	case strings.HasPrefix(line, "[info] Output #"):
		s.output = true
	case s.output:
	default:
		if m := soundTrack.FindStringSubmatch(line); m != nil {
			if s.tracks++; s.tracks == 1 {
				s.codec = m[1]
			}
		}
		if m := duration.FindStringSubmatch(line); m != nil {
			h, _ := strconv.ParseFloat(m[1], 64)
			minutes, _ := strconv.ParseFloat(m[2], 64)
			sec, _ := strconv.ParseFloat(m[3], 64)
			s.seconds = h*3600 + minutes*60 + sec
		}
	}
}

func (s *sayings) complain(line string) {
	if strings.Contains(line, "[error]") && damage.MatchString(line) {
		s.errors++
	}
	if room := keptSaying - s.complaints.Len(); room > len(line) {
		s.complaints.WriteString(line + "\n")
	}
}

// damage is what the demuxers and decoders say about data they could not use.
var damage = regexp.MustCompile(`(?i)error while decoding|error submitting packet|invalid data found when processing|corrupt|` +
	`invalid frame|crc error|crc mismatch|concealing`)

func (s *sayings) has(parts ...string) bool {
	said := s.complaints.String()
	for _, p := range parts {
		if strings.Contains(said, p) {
			return true
		}
	}
	return false
}

// conclude turns ffmpeg's end into the report or a fault. What it printed is only looked at for known phrases and kept as a
// private cause.
func (d *decoding) conclude(waitErr error, said *sayings, c Container) error {
	if len(said.line) > 0 {
		said.hear(string(said.line))
	}
	d.describeTrack(said)
	cause := waitErr
	if text := strings.TrimSpace(said.complaints.String()); text != "" {
		cause = fmt.Errorf("ffmpeg: %q (%w)", text, orNil(waitErr))
	}
	n := d.pcm.Samples()
	var exit *exec.ExitError
	switch {
	case errors.As(waitErr, &exit) && exit.ExitCode() == sandboxFailed:
		return errNoFFmpeg(cause)
	case n > 0 && waitErr == nil:
		d.facts.damaged = said.errors > 0
		d.report.Truncated = said.has("truncated", "End of file", "partial file", "Premature end", "ended prematurely") || d.short(n)
		return nil
	case said.has("matches no streams", "does not contain any stream"):
		return errNoTrack(cause)
	case said.has("Decoder not found", "no decoder found", "Unknown decoder", "Decoder (codec", "Unsupported codec"),
		said.tracks > 0 && said.has("not on whitelist"):
		return errUnsupported("The codec inside this "+string(c)+" file", cause)
	case outOfBounds(waitErr) || said.has("Cannot allocate memory"):
		return errTooComplex(cause)
	case n > 0: // it broke off in the middle: what was heard is kept
		d.report.Truncated = true
		return nil
	case waitErr == nil && said.complaints.Len() == 0:
		return errNoSound()
	default:
		return errCorrupt(cause)
	}
}

func (d *decoding) describeTrack(said *sayings) {
	d.facts.tracks = said.tracks
	if d.report.Codec == "" {
		d.report.Codec = said.codec
	}
	if d.report.Claimed == 0 && d.report.Container != WAV { // wave() knows better
		d.report.Claimed = said.seconds
	}
}

// short says whether clearly less came than the file promises: a second, and more than what encoders pad.
func (d *decoding) short(samples int) bool {
	got := float64(samples) / Rate
	return d.report.Claimed > got+1 && got < 0.99*d.report.Claimed
}
