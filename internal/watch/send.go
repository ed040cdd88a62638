package watch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path"
	"slices"
	"strings"

	"vesper/internal/client"
	"vesper/internal/fault"
)

const (
	codeStays      = "watch_stays"      // received, and cannot be moved away
	codeNoPassword = "password_missing" // nobody gives one
)

// send takes one settled recording the whole way. It runs beside the table and reads of it only its copy.
func (w *watcher) send(ctx context.Context, f file) outcome {
	end, duplicate, err := w.deliver(ctx, &f)
	if err != nil {
		var known *fault.Error
		var local *os.PathError
		switch {
		case errors.Is(err, errChanged), errors.As(err, &local) && !errors.As(err, &known):
			w.report(f, Changed, "", 0)
			return outcome{file: f, end: changed}
		case ctx.Err() != nil:
			err = ctx.Err()
		case isUnusable(err):
			end, err = w.putAside(&f, err)
		}
	}
	if err != nil {
		end = failed
	}
	return outcome{file: f, end: end, duplicate: duplicate, err: err}
}

// deliver uploads unless it was received before, and moves.
func (w *watcher) deliver(ctx context.Context, f *file) (end ending, duplicate bool, err error) {
	src, size, err := open(w.path(f.name))
	if err != nil {
		return failed, false, err
	}
	defer src.Close()
	if size != f.sight.size {
		return failed, false, errChanged
	}
	if f.sum, err = hash(src); err != nil {
		return failed, false, err
	}
	receipt, err := w.received(ctx, f)
	if err != nil {
		return failed, false, err
	}
	if receipt == nil {
		if receipt, err = w.upload(ctx, f, src, size); err != nil {
			return failed, false, err
		}
	}
	// What leaves the folder is what the server has, not what was there when the upload began.
	before, err := src.Stat()
	if err != nil {
		return failed, false, err
	}
	if now, err := hash(src); err != nil || now != receipt.SHA256 || before.Size() != receipt.Bytes {
		return failed, false, errors.Join(errChanged, err)
	}
	what := Received
	if receipt.Duplicate {
		what = Known
	}
	w.report(*f, what, "", size)
	return sent, receipt.Duplicate, w.putAway(f, before)
}

// key names a recording of an author on this server.
func (w *watcher) key(f *file) string {
	return f.sum + "-" + digest(w.Scope, strings.ToLower(f.fields.Author))
}

// digest stands for some words in the journal, which shall not hold them.
func digest(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\n")))
	return hex.EncodeToString(sum[:6])
}

// received returns the receipt that the journal holds for these bytes, if the server still knows the dictation.
func (w *watcher) received(ctx context.Context, f *file) (*client.Receipt, error) {
	r := w.journal.get(w.key(f))
	if r.Dictation == "" {
		return nil, nil
	}
	err := w.Session.do(ctx, func(c *client.Client) error {
		_, err := c.Status(ctx, r.Dictation)
		return err
	})
	switch k := fault.KindOf(err); {
	case k == fault.NotFound || k == fault.Forbidden:
		return nil, w.note(record{Key: r.Key, Dropped: true})
	case err != nil:
		return nil, err
	}
	return &client.Receipt{ID: r.Dictation, SHA256: f.sum, Bytes: f.sight.size, Duplicate: true}, nil
}

// upload brings the bytes to the server, behind those that it has of an upload that was begun before.
func (w *watcher) upload(ctx context.Context, f *file, src *os.File, size int64) (*client.Receipt, error) {
	anew := false // the upload was lost, with these fields, and begun once more
	for {
		path, err := w.begin(ctx, f, size)
		if err != nil {
			return nil, err
		}
		var r client.Receipt
		err = w.Session.do(ctx, func(c *client.Client) (err error) {
			r, err = c.Resume(ctx, path, src, size, func(at int64) { w.report(*f, Uploading, "", at) })
			return err
		})
		switch code := fault.As(err); {
		case err == nil && (r.SHA256 != f.sum || r.Bytes != size):
			// The file was written to while it was read. What the server has is whole in itself, and not this file.
			return nil, errors.Join(errChanged, w.note(record{Key: w.key(f), Dropped: true}))
		case err == nil:
			return &r, w.note(record{Key: w.key(f), Dictation: r.ID})
		case !anew && slices.Contains(lostUpload, code.Code):
			if err := w.note(record{Key: w.key(f), Dropped: true}); err != nil {
				return nil, err
			}
			anew = true
		case w.sendable(f, code):
			// The upload was begun with them. Nothing is left of it that the server would have to keep.
			_ = w.note(record{Key: w.key(f), Dropped: true})
			w.discard(ctx, path)
			anew = false
		default:
			return nil, err
		}
	}
}

// lostUpload are the codes of an upload that is to begin anew: the server has removed it, or it is not of these bytes.
var lostUpload = []string{"upload_unknown", "http_404", "upload_differs", "upload_size"}

// begin returns the upload of these bytes, a new one where there is none.
func (w *watcher) begin(ctx context.Context, f *file, size int64) (string, error) {
	key := w.key(f)
	if r := w.journal.get(key); r.Upload != "" {
		if r.Fields == f.fields.digest() {
			return r.Upload, nil
		}
		w.discard(ctx, r.Upload) // the rules have changed since
	}
	for {
		var place string
		err := w.Session.do(ctx, func(c *client.Client) (err error) {
			place, err = c.Begin(ctx, path.Base(f.name), size, f.fields.submission("sha256:"+f.sum))
			return err
		})
		if err == nil {
			return place, w.note(record{Key: key, Upload: place, Fields: f.fields.digest()})
		}
		if !w.sendable(f, fault.As(err)) {
			return "", err
		}
	}
}

// discard gives up an upload. If that fails it expires by itself.
func (w *watcher) discard(ctx context.Context, path string) {
	_ = w.Session.do(ctx, func(c *client.Client) error { return c.Discard(ctx, path) })
}

// unknownPatient are the codes that say that patient or visit cannot be what a name or a file says they are.
var unknownPatient = []string{"patient_unknown", "encounter_invalid", "encounter_unknown", "encounter_of_other_patient", "not_found"}

// sendable says whether an upload that was refused may go without patient and visit, and takes them away then. The
// recording is worth more than its label: an editor binds the patient, as for every dictation that comes without one.
func (w *watcher) sendable(f *file, err *fault.Error) bool {
	if err == nil || w.rules.UnknownPatient != unknownSend || f.fields.Patient+f.fields.Encounter == "" {
		return false
	}
	if !slices.Contains(unknownPatient, err.Code) {
		return false
	}
	w.report(*f, Note, "the server does not know the patient or visit that its name or the file beside it gives; sent without", 0)
	f.fields.Patient, f.fields.Encounter = "", ""
	return true
}

// note writes to the journal. That it cannot be written is told and changes nothing else: it is a help, not the truth.
func (w *watcher) note(r record) error {
	if err := w.journal.put(r); err != nil {
		w.events <- Event{What: StateLost, Detail: plain(err).Error()}
	}
	return nil
}

// isUnusable says that the server will never take these bytes. Its codes for that begin with one word.
func isUnusable(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && strings.HasPrefix(f.Code, "audio_") && !fault.Retryable(err)
}

// putAway moves a received recording, and brings it back if it was written to in that very moment.
func (w *watcher) putAway(f *file, before os.FileInfo) error {
	to, err := w.move(f.name, w.Sent)
	if err != nil {
		return stays(err)
	}
	if !w.same(to, before, f.sum) {
		if back, err := free(w.path(f.name)); err == nil && os.Rename(to, back) == nil {
			return errChanged
		}
	}
	if f.sight.side != "" {
		if _, err := w.move(f.sight.side, w.Sent); err != nil {
			w.report(*f, Note, "the file with its fields could not be moved along", 0)
		}
	}
	w.events <- Event{Number: f.number, Name: f.name, Sum: f.sum, What: Moved, Place: w.shown(to), Sent: f.sight.size, Size: f.sight.size}
	return nil
}

// same says whether what was moved is what was compared: the same file with the same size and time, or, where it was put
// in the other's place or copied to another disk, the same bytes.
func (w *watcher) same(to string, before os.FileInfo, sum string) bool {
	after, err := os.Lstat(to)
	if err != nil {
		return true // it is not here to be moved back
	}
	if os.SameFile(before, after) {
		return after.Size() == before.Size() && after.ModTime().Equal(before.ModTime())
	}
	there, _, err := open(to)
	if err != nil {
		return false
	}
	defer there.Close()
	now, err := hash(there)
	return err == nil && now == sum
}

// putAside moves an unusable recording.
func (w *watcher) putAside(f *file, why error) (ending, error) {
	text := fault.As(why).Public
	if err := w.reject(f.name, f.sight.side, text); err != nil {
		return failed, stays(err)
	}
	w.report(*f, Rejected, text, 0)
	return unusable, nil
}

func stays(err error) error {
	return fault.Wrap(plain(err), fault.Unavailable, codeStays,
		"The recording is safe on the server, or the server will not have it, but it cannot be moved out of the folder. Give the account that runs this the right to move files there.")
}

// shown is a place as people know it: within the folder if it lies there.
func (w *watcher) shown(to string) string {
	if rest, ok := strings.CutPrefix(to, w.Dir+string(os.PathSeparator)); ok {
		return rest
	}
	return to
}
