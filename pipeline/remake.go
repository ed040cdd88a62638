package pipeline

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
)

// Remaker makes renditions for playback again from their originals.
type Remaker struct {
	Store   Store
	Objects Objects
	Decode  func(ctx context.Context, path string) (Sound, error)
	TempDir string
}

// Remake makes the rendition of one dictation again. It answers once the new one stands in the store and the row names it.
func (m *Remaker) Remake(ctx context.Context, practice, dictation uuid.UUID) error {
	var playback Audio
	err := m.Store.InTx(ctx, practice, func(ctx context.Context, tx Tx) (err error) {
		stones, err := tx.TombstonesOf(ctx, dictation)
		if err != nil {
			return err
		}
		if len(stones) > 0 {
			return purged(stones[0])
		}
		playback, err = tx.AudioOf(ctx, dictation, Playback)
		return err
	})
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(m.TempDir, "remake-*")
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "temp_unavailable", "There is no room for temporary files.")
	}
	defer os.RemoveAll(dir)
	stored, err := m.render(ctx, practice, dictation, playback.ID, dir)
	if err != nil {
		return err
	}
	return m.Store.InTx(ctx, practice, func(ctx context.Context, tx Tx) error {
		if err := tx.ReplacePlayback(ctx, playback.ID, stored); err != nil {
			return err
		}
		return tx.Audit(ctx, done(access.SystemActor(practice), access.Process, dictation, map[string]string{
			"result": "remade", "audio": playback.ID.String(), "sha256": stored.SHA256,
		}))
	})
}

// render decodes the original and stores the rendition under the row's id.
func (m *Remaker) render(ctx context.Context, practice, dictation, audio uuid.UUID, dir string) (Stored, error) {
	w := Worker{Store: m.Store, Objects: m.Objects}
	path := filepath.Join(dir, "recording")
	if _, err := w.fetch(ctx, Job{PracticeID: practice, DictationID: dictation}, path); err != nil {
		return Stored{}, err
	}
	sound, err := m.Decode(ctx, path)
	if err != nil {
		return Stored{}, err
	}
	defer sound.Close()
	f, err := os.OpenFile(filepath.Join(dir, "playback.wav"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return Stored{}, fmt.Errorf("make playback file: %w", err)
	}
	defer f.Close()
	if err := sound.WriteWAV(ctx, f); err != nil {
		return Stored{}, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return Stored{}, fmt.Errorf("rewind playback file: %w", err)
	}
	return m.Objects.Put(ctx, practice, audio, f, size)
}
