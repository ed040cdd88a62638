package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	tus "github.com/tus/tusd/v2/pkg/handler"

	"vesper/internal/fault"
)

const tusExtensions = "creation,creation-with-upload,creation-defer-length,termination,expiration"

func (s *Server) mountUploads() {
	u := s.uploads
	s.describeUploads()
	for _, slash := range []string{"", "/{$}"} {
		s.mux.HandleFunc("OPTIONS "+uploadsPath+slash, u.options)
		s.raw("POST "+uploadsPath+slash, u.create)
	}
	s.raw("HEAD "+uploadsPath+"/{id}", u.head)
	s.raw("PATCH "+uploadsPath+"/{id}", u.patch)
	s.raw("DELETE "+uploadsPath+"/{id}", u.delete)
	s.raw("POST "+uploadsPath+"/{id}/finish", u.complete)
}

// options tells a client what this server can do.
func (u *uploads) options(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Tus-Resumable", "1.0.0")
	h.Set("Tus-Version", "1.0.0")
	h.Set("Tus-Extension", tusExtensions)
	h.Set("Tus-Max-Size", offset(u.max))
	w.WriteHeader(http.StatusNoContent)
}

func (u *uploads) create(w http.ResponseWriter, r *http.Request) {
	u.cleanNowAndThen()
	if _, err := u.server.uploadGate(r).pass(); err != nil {
		fail(w, r, u.log, err)
		return
	}
	defer func() {
		if done := of(r.Context()).uploadBegun; done != nil {
			done()
		}
	}()
	u.pass(w, r, "", u.tus.PostFile)
}

// own locks the upload named in the path and reads it, if it is the actor's own. Taking the lock ends a request of the
// same upload that hangs on a dead connection. It answers failures itself; unlock is nil then.
func (u *uploads) own(w http.ResponseWriter, r *http.Request) (st state, unlock func()) {
	w.Header().Set("Tus-Resumable", "1.0.0")
	st, unlock, err := u.lockOwn(r)
	if err != nil {
		if unlock != nil {
			unlock()
		}
		fail(w, r, u.log, err)
		return state{}, nil
	}
	return st, unlock
}

func (u *uploads) lockOwn(r *http.Request) (state, func(), error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return state{}, nil, unknownUpload()
	}
	if _, err := u.pieceGate(r).pass(); err != nil {
		return state{}, nil, err
	}
	actor := of(r.Context()).actor
	// Whose it is comes first: nobody may disturb the uploads of others by taking their locks.
	if _, err := u.read(r.Context(), actor, id.String()); err != nil {
		return state{}, nil, err
	}
	unlock, err := u.lock(r.Context(), id.String())
	if err != nil {
		return state{}, nil, err
	}
	st, err := u.read(r.Context(), actor, id.String())
	return st, unlock, err
}

func (u *uploads) lock(ctx context.Context, id string) (func(), error) {
	l, err := u.locks.NewLock(id)
	if err != nil {
		return nil, fmt.Errorf("make upload lock: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := l.Lock(ctx, func() {}); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "upload_busy", "Another request is working on this upload. Try again in a moment.")
	}
	return func() { _ = l.Unlock() }, nil
}

// head says how much is here, and after the receipt which dictation it became.
func (u *uploads) head(w http.ResponseWriter, r *http.Request) {
	st, unlock := u.own(w, r)
	if unlock == nil {
		return
	}
	defer unlock()
	h := w.Header()
	showLength(h, st.info)
	u.showState(h, st, st.shown())
	meta := maps.Clone(st.info.MetaData)
	delete(meta, keyOwner)
	delete(meta, keyOwnerPractice)
	if len(meta) > 0 {
		h.Set("Upload-Metadata", tus.SerializeMetadataHeader(meta))
	}
	w.WriteHeader(http.StatusOK)
}

func (u *uploads) showState(h http.Header, st state, shown int64) {
	h.Set("Upload-Offset", offset(shown))
	h.Set("Upload-Expires", u.expires(st.modified))
	if st.kept != nil {
		h.Set(dictationHeader, st.kept.Receipt.ID.String())
	}
	if heard := u.early.heard(st.info.ID); heard != "" {
		h.Set(heardHeader, heard)
	}
}

// patch appends bytes. When all bytes were here before, it repeats the end instead.
func (u *uploads) patch(w http.ResponseWriter, r *http.Request) {
	st, unlock := u.own(w, r)
	if unlock == nil {
		return
	}
	if !st.complete() {
		unlock()
		if err := u.grows(r, st.info); err != nil {
			fail(w, r, u.log, err)
			return
		}
		defer u.early.during(of(r.Context()).actor, st.info)()
		u.pass(w, r, st.info.ID, u.tus.PatchFile)
		return
	}
	defer unlock()
	if err := u.repeat(r, &st); err != nil {
		fail(w, r, u.log, err)
		return
	}
	u.showState(w.Header(), st, st.shown())
	w.WriteHeader(http.StatusNoContent)
}

// repeat checks that the client sends the end of this upload again (its last byte, or nothing at the full offset) and
// submits it if it is not received yet.
func (u *uploads) repeat(r *http.Request, st *state) error {
	at, err := strconv.ParseInt(r.Header.Get("Upload-Offset"), 10, 64)
	body, readErr := io.ReadAll(io.LimitReader(r.Body, 2))
	switch {
	case err != nil || at < st.info.Size-1 || at > st.info.Size:
		return fault.New(fault.Conflict, "upload_offset", "The server has another number of bytes. Ask it with HEAD, then go on from there.")
	case readErr != nil:
		return bodyFault(readErr, u.max)
	case at+int64(len(body)) > st.info.Size:
		return fault.New(fault.TooLarge, "upload_size", "More bytes came than the upload was announced with.")
	case st.kept != nil || at+int64(len(body)) < st.info.Size:
		return nil
	case len(body) == 1 && !u.endsWith(st.info, body[0]):
		return fault.New(fault.Conflict, "upload_differs", "These bytes are not the end of this upload. Start a new one.")
	}
	got, err := u.finish(r.Context(), of(r.Context()).actor, st.info)
	if err != nil {
		return err
	}
	st.kept = &kept{Size: st.info.Size, Receipt: got}
	return nil
}

func (u *uploads) endsWith(info tus.FileInfo, b byte) bool {
	f, err := os.Open(u.path(info.ID))
	if err != nil {
		return false
	}
	defer f.Close()
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size-1)
	return err == nil && last[0] == b
}

func (u *uploads) delete(w http.ResponseWriter, r *http.Request) {
	st, unlock := u.own(w, r)
	if unlock == nil {
		return
	}
	defer unlock()
	if r.Header.Get("Tus-Resumable") != "1.0.0" {
		tusProblems["ERR_UNSUPPORTED_VERSION"].write(w, r)
		return
	}
	u.remove(st.info.ID, "", ".info", ".receipt")
	if st.kept == nil {
		u.early.withdraw(r.Context(), of(r.Context()).actor, st.info)
	}
	w.WriteHeader(http.StatusNoContent)
}

// complete repeats the end of an upload whose bytes are all here, for clients that would rather ask for the receipt
// than send a byte again.
func (u *uploads) complete(w http.ResponseWriter, r *http.Request) {
	st, unlock := u.own(w, r)
	if unlock == nil {
		return
	}
	defer unlock()
	if !st.complete() {
		fail(w, r, u.log, fault.New(fault.Conflict, "upload_incomplete", "Not all bytes are here yet. Go on with the upload."))
		return
	}
	if st.kept != nil {
		st.kept.Receipt.write(w, http.StatusOK)
		return
	}
	got, err := u.finish(r.Context(), of(r.Context()).actor, st.info)
	if err != nil {
		fail(w, r, u.log, err)
		return
	}
	got.write(w, http.StatusOK)
}

// clean removes expired uploads until ctx ends.
func (u *uploads) clean(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		u.cleanNowAndThen()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// cleanNowAndThen looks through the folder at most twice an hour.
func (u *uploads) cleanNowAndThen() {
	u.cleanedMu.Lock()
	defer u.cleanedMu.Unlock()
	if time.Since(u.cleaned) < 30*time.Minute {
		return
	}
	u.cleaned = time.Now()
	if n, err := u.sweep(time.Now()); err != nil || n > 0 {
		u.log.Info("removed expired uploads", "files", n, "err", err)
	}
}

// sweep removes what nobody touched for the expiry time: uploads with all their files, receipts, and forms whose
// process died (those after a day).
func (u *uploads) sweep(now time.Time) (int, error) {
	entries, err := os.ReadDir(u.dir)
	if err != nil {
		return 0, fmt.Errorf("read spool folder: %w", err)
	}
	removed := 0
	for _, e := range entries {
		name := e.Name()
		limit, ok := u.limit(name)
		if !ok || now.Sub(newest(u.path(name), u.path(stem(name)))) < limit {
			continue
		}
		if err := os.Remove(u.path(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return removed, fmt.Errorf("remove expired upload: %w", err)
		}
		removed++
	}
	return removed, nil
}

// limit is the age at which a file goes; false for files that are not ours.
func (u *uploads) limit(name string) (time.Duration, bool) {
	if len(name) > len(formSpool) && name[:len(formSpool)] == formSpool {
		return 24 * time.Hour, true
	}
	_, err := uuid.Parse(stem(name))
	return u.expiry, err == nil && slices.Contains([]string{"", ".info", ".receipt", ".part"}, name[len(stem(name)):])
}

// stem is the upload's id in a file name.
func stem(name string) string { return name[:min(len(name), 36)] }

// newest is the later time of the two files: an upload's description is as old as its bytes are new.
func newest(a, b string) time.Time {
	var out time.Time
	for _, p := range []string{a, b} {
		if st, err := os.Stat(p); err == nil && st.ModTime().After(out) {
			out = st.ModTime()
		}
	}
	return out
}

// wait lets submissions that are under way come to their end.
func (u *uploads) wait(ctx context.Context) {
	done := make(chan struct{})
	go func() { u.running.Wait(); u.early.wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
