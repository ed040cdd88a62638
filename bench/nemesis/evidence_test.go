package nemesis_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/bench/nemesis"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/storage/objects"
	"vesper/storage/postgres"
)

// rows are all that the checker wants from PostgreSQL, as one document.
const rows = `SELECT json_build_object(
	'now', now(),
	'dictations', (SELECT coalesce(json_agg(d), '[]') FROM (SELECT id, author_id, client_key, coalesce(parent_id::text, '') AS parent_id, state, reason FROM dictations) d),
	'audio', (SELECT coalesce(json_agg(a), '[]') FROM (SELECT id, dictation_id, rendition, sha256 FROM audio_objects) a),
	'jobs', (SELECT coalesce(json_agg(j), '[]') FROM (SELECT id, dictation_id, kind, gen, state, attempt, run_after, lease_until, finished_at, error_code FROM jobs) j),
	'moves', (SELECT coalesce(json_agg(m), '[]') FROM (SELECT ord, dictation_id, from_state, to_state FROM state_changes) m),
	'claims', (SELECT coalesce(json_agg(c), '[]') FROM (SELECT dictation_id, until FROM claims WHERE ended_at IS NULL) c),
	'transcripts', (SELECT coalesce(json_agg(t), '[]') FROM (SELECT id, dictation_id, job_id FROM transcripts) t),
	'versions', (SELECT coalesce(json_agg(v), '[]') FROM (SELECT v.note_id, n.dictation_id, v.number, v.kind, v.content_hash FROM note_versions v JOIN notes n ON n.id = v.note_id) v),
	'signatures', (SELECT coalesce(json_agg(s), '[]') FROM (SELECT s.id, s.note_id, n.dictation_id, s.version, s.text_sha256, encode(sha256(s.text), 'hex') AS computed FROM signatures s JOIN notes n ON n.id = s.note_id) s),
	'deliveries', (SELECT coalesce(json_agg(d), '[]') FROM (SELECT note_id, signature_id, state, ehr_id, text_sha256 FROM deliveries) d),
	'events', (SELECT coalesce(json_agg(e), '[]') FROM (SELECT action, subject_id, outcome, detail FROM audit_events WHERE action LIKE 'note.%' OR action LIKE 'dictation.%') e)
)::text`

// gather reads everything past the program and past the links.
func (p *practice) gather(t *testing.T) nemesis.Evidence {
	t.Helper()
	var e nemesis.Evidence
	if err := json.Unmarshal([]byte(testkit.Column[string](t, p.admin, rows)[0]), &e); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	store := p.openObjects(t, ctx)
	p.readAll(t, ctx, store, &e)
	e.Documents = documents(t, p.ehrDir)
	e.Audit = p.verify(t, ctx, store)
	return e
}

func (p *practice) openObjects(t *testing.T, ctx context.Context) *objects.Store {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(p.keyDir, "master_key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	s3 := p.store.S3()
	store, err := objects.Open(ctx, objects.Config{
		Endpoint: strings.TrimPrefix(s3.Endpoint, "http://"), Region: s3.Region, AccessKey: s3.AccessKey, SecretKey: s3.SecretKey.Reveal(),
		Bucket: bucket, MasterKey: key,
	})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// readAll takes every recording out of the store and hashes what comes.
func (p *practice) readAll(t *testing.T, ctx context.Context, store *objects.Store, e *nemesis.Evidence) {
	t.Helper()
	type object struct {
		ID, Practice uuid.UUID
		Key, Version string
		Size         int64
		SHA256       string
		Sealed       string
	}
	listed := testkit.Column[string](t, p.admin, `SELECT json_build_object('ID', id, 'Practice', practice_id, 'Key', key, 'Version', version_id,
		'Size', size, 'SHA256', sha256, 'Sealed', encode(sealed_key, 'hex'))::text FROM audio_objects`)
	e.Stored, e.Broken = map[string]string{}, map[string]string{}
	for _, raw := range listed {
		var o object
		if err := json.Unmarshal([]byte(raw), &o); err != nil {
			t.Fatal(err)
		}
		sealed, err := hex.DecodeString(o.Sealed)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		r, err := store.Get(ctx, objects.Object{
			Practice: o.Practice, AudioID: o.ID, Key: o.Key, VersionID: o.Version, Size: o.Size, SHA256: o.SHA256, SealedKey: sealed,
		})
		if err == nil {
			_, err = io.Copy(sum, r)
			r.Close()
		}
		if err != nil {
			e.Broken[o.ID.String()] = err.Error()
			continue
		}
		e.Stored[o.ID.String()] = hex.EncodeToString(sum.Sum(nil))
	}
}

// verify checks the audit log as `vesper audit verify` does, with the checkpoints outside the database.
func (p *practice) verify(t *testing.T, ctx context.Context, store *objects.Store) []string {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(p.keyDir, "audit_public_key"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(ctx, p.work, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	report, err := pipeline.Verify(ctx, db, strings.TrimSpace(string(key)), store.Checkpoints)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range report.Findings {
		out = append(out, f.What)
	}
	say("the audit log: %d events, %d checkpoints, %d findings", report.Events, report.Checkpoints, len(out))
	return out
}
