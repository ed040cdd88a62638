package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/tus/tusd/v2/pkg/filestore"
	tus "github.com/tus/tusd/v2/pkg/handler"
	"github.com/tus/tusd/v2/pkg/memorylocker"

	"vesper/internal/access"
	"vesper/internal/crashpoint"
	"vesper/internal/fault"
)

const uploadsPath = "/api/v1/uploads"

// Keys that the server adds to an upload's metadata. Clients can neither set nor see them.
const (
	keyOwner         = "vesper-owner"
	keyOwnerPractice = "vesper-practice"
)

// uploads takes recordings in pieces (tus 1.0). The library moves the bytes; who may touch an upload, and what a
// finished one means, is decided here:
//
//	created ─PATCH…─▶ all bytes here ─Submit─▶ received (the spool file is gone, a small receipt stays)
//	                        ▲     │
//	                        └─────┘ Submit failed: nothing is lost, the client repeats the end
//
// A stock client takes "offset = length" for success. So an upload whose bytes are all here but which is not received
// yet shows one byte less; the client then sends that byte again, and that is the repetition of Submit.
type uploads struct {
	server  *Server
	dir     string
	max     int64
	expiry  time.Duration
	log     *slog.Logger
	store   filestore.FileStore
	locks   *memorylocker.MemoryLocker
	tus     *tus.UnroutedHandler
	running sync.WaitGroup
	guard   *uploadGuard
	early   *arrivals

	cleaned   time.Time
	cleanedMu sync.Mutex
}

func newUploads(s *Server, c Config) (*uploads, error) {
	u := &uploads{
		server: s, dir: c.SpoolDir, max: c.MaxUpload, expiry: c.UploadExpiry, log: c.Log, locks: memorylocker.New(),
		store: filestore.FileStore{Path: c.SpoolDir, DirModePerm: 0o700, FileModePerm: 0o600},
		guard: newUploadGuard(c.Uploads, c.MaxUpload),
	}
	parts := tus.NewStoreComposer()
	parts.UseCore(u.store)
	parts.UseTerminater(u.store)
	parts.UseLocker(u.locks)
	parts.UseLengthDeferrer(lengths{u})
	u.early = newArrivals(u, c)
	h, err := tus.NewUnroutedHandler(tus.Config{
		StoreComposer: parts, BasePath: uploadsPath + "/", MaxSize: c.MaxUpload, DisableDownload: true, DisableConcatenation: true,
		Cors: &tus.CorsConfig{Disable: true}, Logger: quietLog(c.Log), NetworkTimeout: stallTime,
		PreUploadCreateCallback: u.beforeCreate, PreFinishResponseCallback: u.whenComplete,
	})
	if err != nil {
		return nil, fmt.Errorf("build upload handler: %w", err)
	}
	u.tus = h
	return u, nil
}

// beforeCreate looks at a new upload before any byte is taken, and ties it to its owner.
func (u *uploads) beforeCreate(e tus.HookEvent) (tus.HTTPResponse, tus.FileInfoChanges, error) {
	refuse := func(err error) (tus.HTTPResponse, tus.FileInfoChanges, error) {
		return tus.HTTPResponse{}, tus.FileInfoChanges{}, u.tusError(e.Context, err)
	}
	actor := of(e.Context).actor
	meta := tus.MetaData{}
	for k, v := range e.Upload.MetaData {
		if err := checkField(k, v); err != nil {
			return refuse(err)
		}
		meta[k] = v
	}
	sub, err := submission(meta, actor)
	if err == nil {
		err = u.server.maySubmit(e.Context, actor, sub)
	}
	if err == nil && e.Upload.Size == 0 && !e.Upload.SizeIsDeferred {
		err = empty()
	}
	if err == nil {
		err = roomFor(u.dir, announced(e.Upload))
	}
	if err != nil {
		return refuse(err)
	}
	id := uuid.NewString()
	done, err := u.admit(e.Context, actor, id, e.Upload.Size, e.Upload.SizeIsDeferred)
	if err != nil {
		return refuse(err)
	}
	of(e.Context).uploadBegun = done
	meta[keyOwner], meta[keyOwnerPractice] = actor.ID.String(), actor.PracticeID.String()
	return tus.HTTPResponse{Header: tus.HTTPHeader{"Upload-Expires": u.expires(time.Now())}},
		tus.FileInfoChanges{ID: id, MetaData: meta}, nil
}

func (u *uploads) expires(since time.Time) string {
	return since.Add(u.expiry).UTC().Format(http.TimeFormat)
}

// whenComplete runs inside the request that brought the last byte, under the upload's lock.
func (u *uploads) whenComplete(e tus.HookEvent) (tus.HTTPResponse, error) {
	got, err := u.finish(e.Context, of(e.Context).actor, e.Upload)
	if err != nil {
		return tus.HTTPResponse{}, u.tusError(e.Context, err)
	}
	return tus.HTTPResponse{Header: tus.HTTPHeader{dictationHeader: got.ID.String()}}, nil
}

// finish submits a whole upload. Its caller holds the lock. Once the receipt is on disk the recording is removed from
// the spool; a crash in between only means that Submit is asked again and answers with the same dictation.
func (u *uploads) finish(ctx context.Context, actor access.Actor, info tus.FileInfo) (receipt, error) {
	sub, err := submission(info.MetaData, actor)
	if err != nil {
		return receipt{}, err
	}
	f, err := os.Open(u.path(info.ID))
	if err != nil {
		return receipt{}, spoolFault(err)
	}
	defer f.Close()
	sub.Body = f
	crashpoint.At("tus.whole")
	if sub.Upload, err = uuid.Parse(info.ID); err != nil {
		return receipt{}, err
	}
	got, err := u.server.receive(ctx, actor, sub)
	if err != nil {
		return receipt{}, err
	}
	crashpoint.At("tus.before-receipt")
	u.early.forget(info.ID)
	r := viewReceipt(got)
	if err := u.keepReceipt(info, r); err != nil {
		// Received all the same: the client is told so, and the leftovers expire.
		u.log.ErrorContext(ctx, "keep upload receipt", "upload", info.ID, "err", err)
		return r, nil
	}
	crashpoint.At("tus.after-receipt")
	u.remove(info.ID, "", ".info")
	return r, nil
}

// kept is what stays of an upload after its receipt, for a client that did not hear the answer.
type kept struct {
	Owner    string  `json:"owner"`
	Practice string  `json:"practice"`
	Size     int64   `json:"size"`
	Receipt  receipt `json:"receipt"`
}

func (u *uploads) keepReceipt(info tus.FileInfo, r receipt) error {
	raw, err := json.Marshal(kept{info.MetaData[keyOwner], info.MetaData[keyOwnerPractice], info.Size, r})
	if err != nil {
		return err
	}
	temp := u.path(info.ID) + ".part"
	if err := os.WriteFile(temp, raw, 0o600); err != nil {
		return err
	}
	return os.Rename(temp, u.path(info.ID)+".receipt")
}

func (u *uploads) path(id string) string { return filepath.Join(u.dir, id) }

func (u *uploads) remove(id string, suffixes ...string) {
	for _, s := range suffixes {
		if err := os.Remove(u.path(id) + s); err != nil && !errors.Is(err, os.ErrNotExist) {
			u.log.Warn("remove upload", "upload", id, "err", err)
		}
	}
}

// state is what is known of one upload.
type state struct {
	info     tus.FileInfo
	kept     *kept // set once it is received
	modified time.Time
}

func (s state) complete() bool { return !s.info.SizeIsDeferred && s.info.Offset == s.info.Size }

// shown is the offset that clients see.
func (s state) shown() int64 {
	if s.complete() && s.kept == nil {
		return s.info.Size - 1
	}
	return s.info.Offset
}

// read returns the upload if it is the actor's own. An upload of somebody else, an expired one and none at all look the
// same.
func (u *uploads) read(ctx context.Context, actor access.Actor, id string) (state, error) {
	st, owner, practice, err := u.open(ctx, id)
	if err != nil {
		return state{}, err
	}
	if owner != actor.ID.String() || practice != actor.PracticeID.String() || time.Since(st.modified) > u.expiry {
		return state{}, unknownUpload()
	}
	return st, nil
}

func (u *uploads) open(ctx context.Context, id string) (st state, owner, practice string, err error) {
	if st, k, err := u.openReceipt(id); !errors.Is(err, os.ErrNotExist) {
		return st, k.Owner, k.Practice, err
	}
	up, err := u.store.GetUpload(ctx, id)
	if errors.Is(err, tus.ErrNotFound) {
		// It may have been received between the two looks: the receipt is written before the rest is removed.
		st, k, err := u.openReceipt(id)
		if errors.Is(err, os.ErrNotExist) {
			err = unknownUpload()
		}
		return st, k.Owner, k.Practice, err
	}
	if err != nil {
		return state{}, "", "", spoolFault(err)
	}
	info, err := up.GetInfo(ctx)
	if err != nil {
		return state{}, "", "", spoolFault(err)
	}
	return state{info: info, modified: modified(u.path(id))}, info.MetaData[keyOwner], info.MetaData[keyOwnerPractice], nil
}

// openReceipt reads what is kept of a received upload; os.ErrNotExist means that it is not received.
func (u *uploads) openReceipt(id string) (state, kept, error) {
	var k kept
	raw, err := os.ReadFile(u.path(id) + ".receipt")
	if errors.Is(err, os.ErrNotExist) {
		return state{}, k, os.ErrNotExist
	}
	if err == nil {
		err = json.Unmarshal(raw, &k)
	}
	if err != nil {
		return state{}, kept{}, spoolFault(err)
	}
	info := tus.FileInfo{ID: id, Size: k.Size, Offset: k.Size}
	return state{info: info, kept: &k, modified: modified(u.path(id) + ".receipt")}, k, nil
}

func modified(path string) time.Time {
	st, err := os.Stat(path)
	if err != nil {
		return time.Now()
	}
	return st.ModTime()
}

func unknownUpload() error {
	return fault.New(fault.NotFound, "upload_unknown", "There is no such upload, or it has expired. Start it again.")
}

func offset(n int64) string { return strconv.FormatInt(n, 10) }
