package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
)

func TestARecordingIsHeardInRangesAndNeverKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("physician")
	file := tone()
	sum := sha256.Sum256(file)
	tag := `"` + hex.EncodeToString(sum[:]) + `"`
	id := c.submit(file, "Lydia Testa.wav", nil, nil).want(201).field("id").(string)
	path := "/api/v1/dictations/" + id + "/audio"

	whole := c.get(path).want(200) // no rendition yet: the original
	if whole.body != string(file) || whole.header.Get("Content-Type") != "audio/wav" || whole.header.Get("ETag") != tag {
		t.Errorf("%d bytes, %v", len(whole.body), whole.header)
	}
	if whole.header.Get("Cache-Control") != "no-store" || whole.header.Get("Accept-Ranges") != "bytes" {
		t.Errorf("headers %v", whole.header)
	}
	if got, want := whole.header.Get("Content-Disposition"), "inline; filename=dictation-"+id+".wav"; got != want {
		t.Errorf("disposition %q, want %q", got, want)
	}
	part := c.get(path, "Range", "bytes=1000-1999").want(206)
	if part.body != string(file[1000:2000]) || part.header.Get("Content-Range") != fmt.Sprintf("bytes 1000-1999/%d", len(file)) {
		t.Errorf("range %v", part.header)
	}
	if tail := c.get(path, "Range", "bytes=-10").want(206); tail.body != string(file[len(file)-10:]) {
		t.Errorf("tail of %d bytes", len(tail.body))
	}
	c.get(path, "Range", "bytes=9999999-").want(416)
	c.get(path, "If-None-Match", tag).want(304)
	if stale := c.get(path, "Range", "bytes=0-9", "If-Range", `"older"`).want(200); len(stale.body) != len(file) {
		t.Error("a range of another recording was answered")
	}
	if head := c.do("HEAD", path, nil).want(200); head.header.Get("Content-Length") != fmt.Sprint(len(file)) || head.body != "" {
		t.Errorf("head %v", head.header)
	}
	c.get(path+"?rendition=loud").problem(422, "rendition_invalid")
	c.get("/api/v1/dictations/not-an-id/audio").problem(404, "not_found")
	w.as("other").get(path).problem(403, "forbidden")
	w.anonymous().get(path).problem(401, "sign_in_required")
}

func TestAClaimedTypeThatABrowserWouldRunIsServedAsBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("physician")
	file := tone()
	path := c.begin(len(file), map[string]string{"filetype": "text/html", "filename": "x.html"}).want(201).header.Get("Location")
	id := c.patch(path, 0, file).want(204).header.Get("Vesper-Dictation")
	a := c.get("/api/v1/dictations/" + id + "/audio").want(200)
	if got := a.header.Get("Content-Type"); got != "application/octet-stream" {
		t.Errorf("content type %q", got)
	}
}
