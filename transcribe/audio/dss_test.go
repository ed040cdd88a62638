package audio

import (
	"math"
	"math/rand/v2"
	"testing"
)

// dssFile builds a Digital Speech Standard file as public demuxers describe it: a header whose first byte counts its blocks
// of 512 bytes, with the coding at 0x2a4 (0: SP, 2: LP), then blocks of 512 bytes with a header of 6, through which the
// frames run on. No encoder exists outside the makers' software, so the frames are noise: what is checked is that they are
// found, decoded and as long as they must be.
func dssFile(version, coding byte, payload []byte) []byte {
	head := make([]byte, int(version)*512)
	copy(head, []byte{version, 'd', 's', 's'})
	copy(head[0x0c:], "AUTHOR")
	copy(head[0x26:], "261124090000261124090012")
	head[0x2a4] = coding
	for len(payload) > 0 {
		block := make([]byte, 512)
		n := copy(block[6:], payload)
		head = append(head, block[:6+n]...) //nolint:makezero // blocks follow the header
		payload = payload[n:]
	}
	return head
}

func noise(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.IntN(255)) // never 0xff, which ends a recording
	}
	return b
}

func TestDSSInBothQualitiesIsDecodedToItsLength(t *testing.T) {
	t.Parallel()
	lp := noise(24 * 100)
	for i := 0; i < len(lp); i += 24 {
		lp[i] &^= 3 // a frame of 24 bytes, 30 ms
	}
	cases := map[string]struct {
		bytes   []byte
		codec   string
		rate    int
		seconds float64
	}{
		"SP":           {dssFile(2, 0, noise(41*100)), "dss_sp", 11025, 100 * 264. / 11025}, // two frames of 42 bytes share 82
		"SP version 3": {dssFile(3, 0, noise(41*100)), "dss_sp", 11025, 100 * 264. / 11025},
		"LP":           {dssFile(2, 2, lp), "g723_1", 8000, 3},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, pcm := decodeBytes(t, "a.dss", c.bytes, Options{})
			r := pcm.Report()
			if r.Container != DSS || r.Codec != c.codec || r.Rate != c.rate || math.Abs(pcm.Seconds()-c.seconds) > 0.08 || r.PeakDB < -60 {
				t.Errorf("%.3f s of %.3f, %+v", pcm.Seconds(), c.seconds, r)
			}
			sameFromStream(t, c.bytes, pcm)
		})
	}
}

func TestDS2IsRefusedWithWhatToDo(t *testing.T) {
	t.Parallel()
	for _, magic := range []string{"\x03ds2", "\x03enc"} {
		_, err := Decode(t.Context(), write(t, "a.ds2", append([]byte(magic), noise(2000)...)), Options{})
		wantCode(t, err, CodeUnsupported)
		if !containsAll(err.Error(), "DS2", "Export") {
			t.Errorf("%v", err)
		}
	}
}
