package watch_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/internal/watch"
)

func TestARecordingIsSentOnceAndMovedAfterItsReceipt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	content := tone(8000)
	w.put("visit.wav", content)
	if r := w.once(w.options()); r.Received != 1 || r.Duplicates != 0 || r.Left != 0 {
		t.Errorf("%+v", r)
	}
	if got := w.lies("sent/" + today()); !slices.Equal(got, []string{"visit.wav"}) || len(w.lies("")) != 0 {
		t.Errorf("sent %v, left %v", got, w.lies(""))
	}
	there, err := os.ReadFile(filepath.Join(w.dir, "sent", today(), "visit.wav"))
	if err != nil || !bytes.Equal(there, content) {
		t.Errorf("what was moved is not what was recorded: %v", err)
	}
	if n := len(w.dictations()); n != 1 {
		t.Errorf("%d dictations", n)
	}
}

func TestTheSameRecordingUnderAnotherNameIsNoSecondDictation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	content := tone(8000)
	w.put("visit.wav", content)
	w.once(w.options())
	carried := w.wire.carried()

	w.put("visit.wav", content) // copied again
	w.put("renamed.WAV", content)
	if r := w.once(w.options()); r.Received != 2 || r.Duplicates != 2 {
		t.Errorf("%+v", r)
	}
	if w.wire.carried() != carried {
		t.Error("what the journal knows was uploaded again")
	}
	if err := os.RemoveAll(filepath.Join(w.dir, ".vesper-watch")); err != nil {
		t.Fatal(err)
	}
	w.put("visit.wav", content)
	if r := w.once(w.options()); r.Received != 1 || r.Duplicates != 1 {
		t.Errorf("without the journal: %+v", r)
	}
	if got := w.lies("sent/" + today()); !slices.Equal(got, []string{"renamed.WAV", "visit (2).wav", "visit (3).wav", "visit.wav"}) {
		t.Errorf("sent %v", got)
	}
	if n := len(w.dictations()); n != 1 {
		t.Errorf("%d dictations of one recording", n)
	}
}

func TestAReceiptThatTheServerKnowsNothingOfIsNotBelieved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	content := tone(8000)
	w.put("visit.wav", content)
	o := w.options()
	w.once(o)
	other := newWorld(t) // the server was set up anew under the same address, say
	other.dir = w.dir
	again := other.options()
	again.Scope = o.Scope
	w.put("visit.wav", content)
	if r := other.once(again); r.Received != 1 || r.Duplicates != 0 {
		t.Errorf("%+v", r)
	}
	if n := len(other.dictations()); n != 1 {
		t.Errorf("%d dictations on the new server", n)
	}
}

func TestARecordingThatIsStillBeingWrittenWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	whole := tone(400_000)
	path := w.put("long.wav", whole[:1000])
	o := w.options()
	o.Looks = 40 // 0.6 s: longer than a busy machine keeps the writer below waiting
	r := w.watch(o)
	r.tells("long.wav unfinished") // its header promises more
	// One that has no length in its header grows, faster than it could settle.
	growing := w.put("device.mp3", []byte("ID3"))
	f, err := os.OpenFile(growing, os.O_APPEND|os.O_WRONLY, 0)
	w.must(err)
	defer f.Close()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 300 {
		<-tick.C
		_, err := f.Write(make([]byte, 100))
		w.must(err)
	}
	if w.wire.carried() != 0 {
		t.Error("bytes of unfinished recordings were sent")
	}
	w.must(os.Remove(growing))
	w.must(os.WriteFile(path, whole, 0o600))
	r.tells("long.wav moved")
	if n := w.wire.carried(); n != int64(len(whole)) || len(w.dictations()) != 1 {
		t.Errorf("%d bytes of %d, %d dictations", n, len(whole), len(w.dictations()))
	}
}

func TestARecordingThatStaysHalfWrittenIsSentAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("crashed.wav", tone(8000)[:9000])
	o := w.options()
	o.Patience = 150 * time.Millisecond
	w.watch(o).tells("crashed.wav moved")
	if n := len(w.dictations()); n != 1 {
		t.Errorf("%d dictations", n)
	}
}

func TestARecordingThatChangesWhileItIsSentIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := tone(8000), tone(12_000)
	path := w.put("visit.wav", first)
	w.wire.set(nil, func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/finish") {
			w.wire.set(nil, nil)
			w.must(os.WriteFile(path, second, 0o600))
		}
		return false
	})
	r := w.watch(w.options())
	r.tells("visit.wav changed")
	r.tells("visit.wav moved")
	there, err := os.ReadFile(filepath.Join(w.dir, "sent", today(), "visit.wav"))
	if err != nil || !bytes.Equal(there, second) {
		t.Errorf("what was moved is not the last recording: %v", err)
	}
	if n := len(w.dictations()); n != 2 {
		t.Errorf("%d dictations of two contents", n)
	}
}

func TestUnusableRecordingsGoAsideWithTheReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("letter.wav", []byte(strings.Repeat("Dear colleague, I saw your patient today. ", 200)))
	w.put("device.ds2", append([]byte("\x03ds2"), bytes.Repeat([]byte{1, 2, 3}, 2000)...))
	w.put("locked.DS2", append([]byte("\x03enc"), bytes.Repeat([]byte{1, 2, 3}, 2000)...))
	if r := w.once(w.options()); r.Rejected != 3 || r.Received != 0 {
		t.Errorf("%+v", r)
	}
	got := w.lies("rejected/" + today())
	if !slices.Equal(got, []string{"device.ds2", "device.ds2.why.txt", "letter.wav", "letter.wav.why.txt", "locked.DS2", "locked.DS2.why.txt"}) {
		t.Errorf("rejected %v", got)
	}
	for name, word := range map[string]string{"device.ds2": "export", "locked.DS2": "encrypted", "letter.wav": "recording"} {
		why, err := os.ReadFile(filepath.Join(w.dir, "rejected", today(), name+".why.txt"))
		if err != nil || !strings.Contains(strings.ToLower(string(why)), word) {
			t.Errorf("%s: %s %v", name, why, err)
		}
	}
	if n := len(w.dictations()); n != 0 {
		t.Errorf("%d dictations", n)
	}
}

func TestADSSRecordingIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("DS0001.DSS", dss())
	if r := w.once(w.options()); r.Received != 1 {
		t.Errorf("%+v", r)
	}
}

// dss is a file with the structure of a recorder's: a header of two blocks, SP coding, blocks of 512 bytes.
func dss() []byte {
	head := make([]byte, 1024)
	copy(head, "\x02dss")
	for n := range 10 {
		block := make([]byte, 512)
		for i := 6; i < len(block); i++ {
			block[i] = byte((i*31 + n*17) % 255)
		}
		head = append(head, block...) //nolint:makezero // blocks follow the header
	}
	return head
}

func TestOddNamesAreSentAndWhatIsNoRecordingIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := []string{"  two  spaces .wav", "Müller, Ängström – Visite.wav", "受診記録.WAV", "100% 'quoted' \"name\" $HOME `x`.wav", "-rf.wav", "new\nline.wav", "dots...wav", "emoji 🎤.wav"}
	for _, n := range names {
		w.put(n, tone(4000))
	}
	elsewhere := filepath.Join(t.TempDir(), "secret.wav")
	w.must(os.WriteFile(elsewhere, tone(4000), 0o600))
	left := []string{"link.wav", "pipe.wav", "empty.wav", "copying.wav.part", "~$draft.wav", ".hidden.wav", "notes.docx", "Thumbs.db", "sub/below.wav"}
	w.must(os.Symlink(elsewhere, filepath.Join(w.dir, "link.wav")))
	w.must(os.Symlink(filepath.Dir(elsewhere), filepath.Join(w.dir, "linked")))
	w.must(unix.Mkfifo(filepath.Join(w.dir, "pipe.wav"), 0o600))
	for _, n := range left[2:] {
		content := tone(4000)
		if n == "empty.wav" {
			content = nil
		}
		w.put(n, content)
	}
	if r := w.once(w.options()); r.Received != len(names) || r.Rejected != 0 || r.Left != 1 {
		t.Errorf("%+v", r)
	}
	slices.Sort(names)
	if got := w.lies("sent/" + today()); !slices.Equal(got, names) {
		t.Errorf("sent %q", got)
	}
	slices.Sort(left)
	got := slices.DeleteFunc(w.lies(""), func(s string) bool { return s == "linked" })
	if !slices.Equal(got, left) {
		t.Errorf("left %q", got)
	}
	// An empty file that stays empty is no recording.
	o := w.options()
	o.Patience = 50 * time.Millisecond
	w.watch(o).tells("empty.wav rejected")
}

func TestAFolderThatGoesAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options()
	r := w.watch(o)
	w.put("first.wav", tone(4000))
	r.tells("first.wav moved")
	away := w.dir + "-unmounted"
	w.must(os.Rename(w.dir, away))
	r.tells("folder gone")
	w.must(os.Mkdir(w.dir, 0o700)) // the empty place where the share was mounted
	r.tells("folder back")
	w.must(os.RemoveAll(w.dir))
	w.must(os.Rename(away, w.dir))
	w.put("second.wav", tone(4000))
	r.tells("second.wav moved")
	if n := len(w.dictations()); n != 2 {
		t.Errorf("%d dictations", n)
	}
	r.stop()
	_, _ = r.ends()
	o.Once, o.Dir = true, filepath.Join(w.dir, "absent")
	if _, err := watch.Run(t.Context(), o); fault.As(err).Code != "folder_gone" {
		t.Errorf("once, without the folder: %v", err)
	}
}

func TestFiveHundredRecordingsAreImportedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const n = 500
	for i := range n {
		w.put(filepath.Join("batch", string(rune('a'+i%20)), "dictation-"+time.Duration(i).String()+".wav"), tone(400))
	}
	o := w.options()
	o.Nested, o.Parallel = true, 4
	began := time.Now()
	o.Once = true
	r := w.watch(o)
	testkit.Until(t, 3*time.Minute, "the import ends", func() bool {
		select {
		case <-r.ended:
			return true
		default:
			return false
		}
	})
	w.must(r.err)
	if r.result.Received != n || r.result.Left != 0 || len(w.lies("")) != 0 || len(w.lies("sent/"+today())) != n {
		t.Errorf("%+v, %d left, %d sent", r.result, len(w.lies("")), len(w.lies("sent/"+today())))
	}
	if got := len(w.dictations()); got != n {
		t.Errorf("%d dictations", got)
	}
	t.Logf("%d recordings in %.1f s", n, time.Since(began).Seconds())
}

func TestAFileThatIsPutInTheOthersPlaceIsNotTakenForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := tone(8000), tone(8000)
	path := w.put("visit.wav", first)
	info, err := os.Stat(path)
	w.must(err)
	w.wire.set(nil, func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/finish") { // another recording under the same name, as large and as old
			w.wire.set(nil, nil)
			other := w.put("other.tmp", second)
			w.must(os.Chtimes(other, info.ModTime(), info.ModTime()))
			w.must(os.Rename(other, path))
		}
		return false
	})
	r := w.watch(w.options())
	r.tells("visit.wav changed")
	r.tells("visit.wav moved")
	there, err := os.ReadFile(filepath.Join(w.dir, "sent", today(), "visit.wav"))
	if err != nil || !bytes.Equal(there, second) || len(w.dictations()) != 2 {
		t.Errorf("%d dictations; the second recording lies where it should: %v, %v", len(w.dictations()), bytes.Equal(there, second), err)
	}
}
