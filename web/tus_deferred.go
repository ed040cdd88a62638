package web

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strconv"

	tus "github.com/tus/tusd/v2/pkg/handler"

	"vesper/internal/fault"
)

// deferredRoom is how much must fit on the disk before an upload of unknown length is begun: half an hour of speech in a
// browser's format. Each request is looked at again.
const deferredRoom = 16 << 20

// lengths lets an upload's length be declared after it was begun. The library would overwrite the description in place, and
// a server that is killed meanwhile would leave an upload that nobody can read.
type lengths struct{ u *uploads }

// AsLengthDeclarableUpload implements tus.LengthDeferrerDataStore.
func (l lengths) AsLengthDeclarableUpload(up tus.Upload) tus.LengthDeclarableUpload {
	return declarable{l.u, up}
}

type declarable struct {
	u      *uploads
	upload tus.Upload
}

// DeclareLength implements tus.LengthDeclarableUpload.
func (d declarable) DeclareLength(ctx context.Context, length int64) error {
	info, err := d.upload.GetInfo(ctx)
	if err != nil {
		return err
	}
	info.Size, info.SizeIsDeferred = length, false
	raw, err := json.Marshal(info)
	if err != nil {
		return err
	}
	temp := d.u.path(info.ID) + ".part"
	if err := os.WriteFile(temp, raw, 0o600); err != nil {
		return err
	}
	return os.Rename(temp, d.u.path(info.ID)+".info")
}

// grows refuses bytes by which an upload of unknown length would become too large, or fill the disk. The library looks at
// neither when a request says how much it brings. A length that is declared again, because the answer to the first time was
// lost, is none of its business.
func (u *uploads) grows(r *http.Request, info tus.FileInfo) error {
	if !info.SizeIsDeferred {
		if r.Header.Get("Upload-Length") == offset(info.Size) {
			r.Header.Del("Upload-Length")
		}
		return nil
	}
	declared, err := strconv.ParseInt(r.Header.Get("Upload-Length"), 10, 64)
	if err != nil {
		declared = 0 // not yet, or nonsense, which the library refuses
	}
	brought := max(r.ContentLength, 0)
	switch {
	case declared > u.max, info.Offset+brought > u.max:
		return fault.New(fault.TooLarge, "audio_too_large", "The recording is larger than this server takes. Split it and send the parts.")
	case r.Header.Get("Upload-Length") == "0":
		return empty()
	}
	whole := max(declared, info.Offset+brought)
	if r.ContentLength < 0 {
		whole = u.max // it does not say how much it brings
	}
	if err := u.mayGrow(of(r.Context()).actor, info.ID, whole); err != nil {
		return err
	}
	return roomFor(u.dir, brought)
}

// announced is how many bytes an upload is to bring, as far as is known.
func announced(info tus.FileInfo) int64 {
	if info.SizeIsDeferred {
		return deferredRoom
	}
	return info.Size
}

// showLength says how long the upload is, or that it is not known yet.
func showLength(h http.Header, info tus.FileInfo) {
	if info.SizeIsDeferred {
		h.Set("Upload-Defer-Length", "1")
		return
	}
	h.Set("Upload-Length", offset(info.Size))
}
