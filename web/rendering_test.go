package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

func TestAVersionIsDownloadedAsAFileThatNoBrowserRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.drafted()
	c := w.as("physician")
	path := "/api/v1/dictations/" + id.String() + "/versions/0/file"
	for format, kind := range map[string]string{
		"": "application/pdf", "?format=pdf": "application/pdf", "?format=html": "text/html; charset=utf-8", "?format=text": "text/plain; charset=utf-8",
		"?format=markdown": "text/markdown; charset=utf-8", "?format=fhir": "application/xhtml+xml; charset=utf-8",
	} {
		a := c.get(path + format).want(200)
		sum := sha256.Sum256([]byte(a.body))
		if a.header.Get("Content-Type") != kind || a.header.Get("Digest-SHA256") != hex.EncodeToString(sum[:]) {
			t.Errorf("%q: %v", format, a.header)
		}
		if !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment; filename=note-") || a.header.Get("Cache-Control") != "no-store" ||
			!strings.Contains(a.header.Get("Content-Security-Policy"), "sandbox") || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q is not only to be saved: %v", format, a.header)
		}
		if kind != "application/pdf" && !strings.Contains(a.body, "DRAFT – NOT SIGNED") {
			t.Errorf("%q is not marked as a draft", format)
		}
	}
	c.get(path+"?format=docx").problem(422, "format_unknown")
	for _, wrong := range []string{"/versions/99/file", "/versions/-1/file", "/versions/one/file"} {
		c.get("/api/v1/dictations/" + id.String() + wrong).want(404)
	}
	c.get("/api/v1/dictations/" + newID().String() + "/versions/1/file").want(404)
	w.anonymous().get(path).want(401)
}
