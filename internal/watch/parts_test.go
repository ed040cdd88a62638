package watch

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vesper/internal/fault"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheJournalOutlivesCutAndDamagedLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j, err := openJournal(path, time.Now)
	must(t, err)
	must(t, j.put(record{Key: "a", Upload: "/u/1"}))
	must(t, j.put(record{Key: "b", Upload: "/u/2"}))
	must(t, j.put(record{Key: "b", Dictation: "d2"}))
	must(t, j.put(record{Key: "c", Upload: "/u/3"}))
	must(t, j.put(record{Key: "c", Dropped: true}))
	must(t, j.close())
	whole, err := os.ReadFile(path)
	must(t, err)
	for cut := range whole {
		must(t, os.WriteFile(path, whole[:cut], 0o600))
		j, err := openJournal(path, time.Now)
		must(t, err)
		if r := j.get("b"); r.Dictation != "" && r.Dictation != "d2" {
			t.Fatalf("cut at %d: %+v", cut, r)
		}
		must(t, j.close())
	}
	must(t, os.WriteFile(path, append(append([]byte("{\x00\x00garbage\n\n"), whole...), make([]byte, 4096)...), 0o600))
	j, err = openJournal(path, time.Now)
	must(t, err)
	if j.get("a").Upload != "/u/1" || j.get("b").Dictation != "d2" || j.get("c").Key != "" {
		t.Errorf("after damage: %+v", j.last)
	}
	must(t, j.put(record{Key: "d", Upload: "/u/4"}))
	must(t, j.close())
	j, err = openJournal(path, time.Now)
	must(t, err)
	defer j.close()
	if j.get("d").Upload != "/u/4" {
		t.Error("what is written after damage is lost")
	}
}

func TestTheJournalStaysSmall(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	now := time.Now()
	j, err := openJournal(path, func() time.Time { return now })
	must(t, err)
	for i := range 2100 {
		must(t, j.put(record{Key: "the same", Upload: fmt.Sprint(i)}))
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 20_000 {
		t.Errorf("one recording, 2,100 lines: %d bytes, %v", info.Size(), err)
	}
	must(t, j.put(record{Key: "received", Dictation: "d"}))
	now = now.Add(8 * 24 * time.Hour)
	must(t, j.close())
	j, err = openJournal(path, func() time.Time { return now })
	must(t, err)
	if j.get("the same").Key != "" || j.get("received").Key == "" {
		t.Errorf("after a week: %+v", j.last)
	}
	must(t, j.close())
	var many bytes.Buffer
	for i := range mostReceipts + 500 {
		raw, _ := json.Marshal(record{Key: fmt.Sprint(i), Dictation: "d", At: now.Add(time.Duration(i) * time.Millisecond)})
		many.Write(append(raw, '\n'))
	}
	must(t, os.WriteFile(path, many.Bytes(), 0o600))
	j, err = openJournal(path, func() time.Time { return now })
	must(t, err)
	defer j.close()
	if len(j.last) != mostReceipts || j.get("0").Key != "" || j.get(fmt.Sprint(mostReceipts+499)).Key == "" {
		t.Errorf("%d receipts are kept", len(j.last))
	}
}

func nobody() {}

func TestOneFolderHasOneWatcher(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := takeLock(t.Context(), path, time.Millisecond, nobody)
	must(t, err)
	if _, err := takeLock(t.Context(), path, time.Millisecond, nobody); fault.As(err).Code != "watch_busy" {
		t.Errorf("a second one: %v", err)
	}
	must(t, first.beat())
	first.release()
	waited := false
	second, err := takeLock(t.Context(), path, time.Millisecond, func() { waited = true })
	must(t, err)
	if waited {
		t.Error("it waited for a lock that was given back")
	}
	// The share goes away and comes back as it was before, or somebody else took over.
	must(t, os.WriteFile(path, []byte(`{"host":"other","pid":1,"token":"x"}`), 0o600))
	if err := second.beat(); !isGone(err) {
		t.Errorf("beat on the lock of another: %v", err)
	}
	second.release()
	if h, err := readHolder(path); err != nil || h.Host != "other" {
		t.Errorf("the lock of another was released: %+v %v", h, err)
	}
}

func TestAHolderOnAnotherMachineCountsWhileItShowsLife(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	write := func(beat int) {
		raw, _ := json.Marshal(holder{Host: "recorder-pc", PID: 77, Token: "theirs", Beat: beat})
		must(t, os.WriteFile(path, raw, 0o600))
	}
	write(1)
	_, err := takeLock(t.Context(), path, 20*time.Millisecond, func() { write(2) })
	if f := fault.As(err); f == nil || f.Code != "watch_busy" || !strings.Contains(f.Public, "77 on recorder-pc") {
		t.Errorf("%v", err)
	}
	waited := false
	l, err := takeLock(t.Context(), path, time.Millisecond, func() { waited = true })
	must(t, err)
	defer l.release()
	if !waited {
		t.Error("it did not look whether the other one lives")
	}
	ctx, cancel := context.WithCancel(t.Context())
	write(3)
	l.file.Close()
	if _, err := takeLock(ctx, path, time.Hour, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("asked to stop while it waits: %v", err)
	}
}

func TestMovingReplacesAndLosesNothing(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	from := filepath.Join(dir, "visit.wav")
	must(t, os.WriteFile(from, []byte("sound"), 0o600))
	to := filepath.Join(other, "visit.wav")
	must(t, carry(from, to)) // as between two disks
	if raw, err := os.ReadFile(to); err != nil || string(raw) != "sound" {
		t.Errorf("%q %v", raw, err)
	}
	if _, err := os.Stat(from); !os.IsNotExist(err) {
		t.Error("it lies in both places")
	}
	must(t, os.WriteFile(from, []byte("other"), 0o600))
	w := &watcher{Options: Options{Dir: dir, Sent: filepath.Join(dir, "sent"), Now: time.Now}}
	for _, want := range []string{"visit.wav", "visit (2).wav", "visit (3).wav"} {
		must(t, os.WriteFile(from, []byte(want), 0o600))
		to, err := w.move("visit.wav", w.Sent)
		must(t, err)
		if filepath.Base(to) != want {
			t.Errorf("moved to %s, want %s", to, want)
		}
		if raw, err := os.ReadFile(to); err != nil || string(raw) != want {
			t.Errorf("%s holds %q %v", to, raw, err)
		}
	}
	must(t, os.WriteFile(from, []byte("kept"), 0o600))
	w.Sent = filepath.Join(from, "no folder")
	if _, err := w.move("visit.wav", w.Sent); err == nil {
		t.Error("moved into a file")
	}
	if raw, err := os.ReadFile(from); err != nil || string(raw) != "kept" {
		t.Errorf("after a failed move: %q %v", raw, err)
	}
}

func box(kind string, n int) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+n))
	return append(append(b, kind...), bytes.Repeat([]byte{1}, n)...)
}

func TestHalfWrittenRecordingsAreRecognised(t *testing.T) {
	t.Parallel()
	wav := func(said uint32, n int) []byte {
		return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), said), append([]byte("WAVEfmt "), bytes.Repeat([]byte{5}, n)...)...)
	}
	mp4 := append(append(box("ftyp", 12), box("mdat", 6000)...), box("moov", 100)...)
	large := append(append(box("ftyp", 12), "\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x20"...), append(bytes.Repeat([]byte{1}, 16), box("moov", 20)...)...)
	cases := map[string]struct {
		bytes []byte
		whole bool
	}{
		"nothing":                        {nil, false},
		"a few bytes":                    {[]byte("RI"), true},
		"a WAV":                          {wav(1008, 1000), true},
		"a WAV that is cut":              {wav(2000, 1000), false},
		"a WAV without its length yet":   {wav(0, 1000), false},
		"a WAV of a stream":              {wav(0xffffffff, 1000), true},
		"an MP4":                         {mp4, true},
		"an MP4 that is cut":             {mp4[:4000], false},
		"an MP4 without its index":       {mp4[:len(mp4)-108], false},
		"an MP4 with a long box":         {large, true},
		"an MP4 whose last box is open":  {append(box("ftyp", 12), "\x00\x00\x00\x00mdat123"...), false},
		"a file laid out before its end": {append([]byte("OggS"), make([]byte, 5000)...), false},
		"something else":                 {bytes.Repeat([]byte("ID3 "), 3000), true},
	}
	for name, c := range cases {
		if got := whole(bytes.NewReader(c.bytes), int64(len(c.bytes))); got != c.whole {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzWhole(f *testing.F) {
	f.Add(append(append(box("ftyp", 12), box("mdat", 60)...), box("moov", 10)...))
	f.Add([]byte("RIFF\x10\x00\x00\x00WAVEfmt "))
	f.Add([]byte("\x00\x00\x00\x01ftyp\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(_ *testing.T, b []byte) { whole(bytes.NewReader(b), int64(len(b))) })
}

func FuzzSidecar(f *testing.F) {
	f.Add(".json", []byte(`{"MRN":"T-1","stat":true,"n":12345678901234567890}`))
	f.Add(".txt", []byte("\ufeffMRN: T-1\r\nwork type = hp\n"))
	f.Fuzz(func(t *testing.T, ext string, b []byte) {
		fields, err := parseSidecar(ext, b, map[string]string{"patient": "MRN"})
		if err == nil {
			for k := range fields {
				if !strings.Contains(strings.Join(fieldNames, " "), k) {
					t.Errorf("field %q", k)
				}
			}
		}
	})
}

func TestRecordNumbersStayAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for ext, raw := range map[string]string{".json": `{"mrn": 1234567890123, "STAT": true}`, ".txt": "MRN: 1234567890123\nstat: yes"} {
		fields, err := parseSidecar(ext, []byte(raw), map[string]string{"patient": "MRN"})
		if err != nil || fields["patient"] != "1234567890123" || fields["stat"] == "" {
			t.Errorf("%s: %v %v", ext, fields, err)
		}
	}
}
