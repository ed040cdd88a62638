package main_test

import (
	"bytes"
	"encoding/json"
	"syscall"
	"testing"
	"time"

	"vesper/internal/client"
	"vesper/internal/testkit"
)

// TestALongDictationIsHeardWhileItArrives sends a dictation piece by piece, kills everything once a part of it is heard, goes
// on, and holds the draft against that of the same recording sent whole.
func TestALongDictationIsHeardWhileItArrives(t *testing.T) {
	t.Parallel()
	i := up(t, folder(t), "--demo")
	c := i.as("dr.avery")
	i.drafts(i.sampleOf(c)) // nothing that is complete waits: else it would go first
	sound := read(t, "../../testdata/dictations/cardiology-consult/audio.mp3")

	g, err := c.Grow(t.Context(), "growing.mp3", client.Submission{WorkType: "consult", Patient: "DEMO-0001"})
	if err != nil {
		t.Fatal(err)
	}
	most := len(sound) * 4 / 5
	if _, err := g.Append(t.Context(), sound[:most]); err != nil {
		t.Fatal(err)
	}
	often := time.NewTicker(200 * time.Millisecond) // no more often than the server lets anybody ask
	defer often.Stop()
	testkit.Until(t, 2*time.Minute, "a part is heard", func() bool {
		<-often.C
		heard, err := g.Append(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return heard > 0
	})
	i.signal(syscall.SIGKILL)
	i.ends()
	testkit.Until(t, 30*time.Second, "the services end with their supervisor", func() bool { return len(processesOf(t, i.dir)) == 0 })

	i = up(t, i.dir, "--demo")
	c = i.as("dr.avery")
	if g, err = c.Regrow(t.Context(), g.Path()); err != nil || g.Sent() != int64(most) {
		t.Fatalf("the server has %d of %d bytes: %v", g.Sent(), most, err)
	}
	id, err := g.End(t.Context(), sound[most:])
	if err != nil {
		t.Fatal(err)
	}
	i.drafts(id)
	if n := i.heardEarly(id); n == "" || n == "0" {
		t.Errorf("%q parts were heard before the end", n)
	}

	twin := file(t, "whole.mp3", string(sound)+"TAG"+string(make([]byte, 125))) // the same sound in other bytes
	r, err := c.Submit(t.Context(), twin, client.Submission{WorkType: "consult", Patient: "DEMO-0001"})
	if err != nil || r.Duplicate {
		t.Fatalf("%+v %v", r, err)
	}
	i.drafts(r.ID)
	if n := i.heardEarly(r.ID); n != "" {
		t.Errorf("%s parts of the whole recording were heard before its end", n)
	}
	early, whole := sections(t, c, id), sections(t, c, r.ID)
	if !bytes.Equal(early, whole) || len(whole) < 1000 {
		t.Errorf("heard while it arrived:\n%s\nheard whole:\n%s", early, whole)
	}
	i.signal(syscall.SIGINT)
	if code := i.ends(); code != 0 && code != 130 {
		t.Errorf("Ctrl-C ends with %d", code)
	}
}

// heardEarly is how many parts of a dictation were heard before its end, as the record has it; "" for none.
func (i *installation) heardEarly(id string) string {
	i.t.Helper()
	var h struct {
		Events []struct{ Detail map[string]string }
	}
	if err := i.as("casey").Do(i.t.Context(), "GET", "/api/v1/dictations/"+id+"/history", nil, &h); err != nil {
		i.t.Fatal(err)
	}
	for _, e := range h.Events {
		if e.Detail["result"] == "heard_early" {
			return e.Detail["chunks"]
		}
	}
	return ""
}

// sections are a draft's, with the source of each word but for the transcript's id.
func sections(t *testing.T, c *client.Client, id string) []byte {
	t.Helper()
	var d struct {
		Version struct {
			Document struct {
				Sections []struct {
					Key  string
					Runs []struct {
						Text   string
						Source struct {
							Kind       string
							Start, End float64
						}
					}
				}
			}
		}
	}
	if err := c.Do(t.Context(), "GET", "/api/v1/dictations/"+id, nil, &d); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(d.Version.Document.Sections)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
