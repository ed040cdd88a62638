package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
	"vesper/storage/objects"
)

// BenchmarkCheck is what a check costs for each recording, against a real database and a real store on this machine: 3,000
// recordings of 64 KiB.
func BenchmarkCheck(b *testing.B) {
	const many, size = 3000, 64 << 10
	w := setup(b)
	id := w.drafted()
	stored := make([]objects.Object, many)
	var g errgroup.Group
	g.SetLimit(4)
	for i := range many {
		g.Go(func() (err error) {
			stored[i], err = w.vault.Store.Put(context.Background(), objects.PutRequest{
				Practice: w.practice, AudioID: newID(), Size: size, Reader: bytes.NewReader(bytes.Repeat([]byte{byte(i), byte(i >> 8)}, size/2)),
			})
			return err
		})
	}
	w.must(g.Wait())
	w.copyRows(id, stored)
	for _, mode := range []keeping.Mode{keeping.Quick, keeping.Deep} {
		b.Run(string(mode), func(b *testing.B) {
			for b.Loop() {
				if run := w.check(mode); run.Objects != many+2 || run.Found != 0 {
					b.Fatalf("%+v", run)
				}
			}
			b.ReportMetric(float64(many*b.N)/b.Elapsed().Seconds(), "recordings/s")
		})
	}
}

// copyRows gives each object a row, as if it were a recording of the dictation; only the check looks at them.
func (w *world) copyRows(dictation uuid.UUID, stored []objects.Object) {
	w.Helper()
	a := w.audio(dictation, pipeline.Original)
	var sql bytes.Buffer
	sql.WriteString(`SET session_replication_role = replica; ALTER TABLE audio_objects DROP CONSTRAINT audio_objects_dictation_id_rendition_key;`)
	for _, o := range stored {
		fmt.Fprintf(&sql, `INSERT INTO audio_objects (id, practice_id, dictation_id, author_id, rendition, key, sha256, size, sealed_key, version_id)
			SELECT '%s', practice_id, dictation_id, author_id, rendition, '%s', '%s', %d, '\x%x', '%s' FROM audio_objects WHERE id = '%s';`,
			o.AudioID, o.Key, o.SHA256, o.Size, o.SealedKey, o.VersionID, a.ID)
	}
	testkit.Exec(w, w.admin, sql.String())
}
