package watch

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// open opens a recording for reading. A link in its place, or a pipe, is refused, not followed and not waited for. A
// program that keeps the file to itself while it writes makes this fail, which is as good as a change.
func open(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = os.ErrInvalid
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// tail is how many bytes of zeros at the end make a recording look like one whose copy was laid out in full first.
const tail = 4096

// whole says whether a recording that no longer changes looks finished. It is asked only how long to wait: one that
// does not look finished is sent too when nothing has changed for long, because it is all there is.
func whole(f io.ReaderAt, size int64) bool {
	if size == 0 {
		return false
	}
	if size >= tail {
		end := make([]byte, tail)
		if _, err := f.ReadAt(end, size-tail); err == nil && len(bytes.Trim(end, "\x00")) == 0 {
			return false
		}
	}
	head := make([]byte, 12)
	if n, err := f.ReadAt(head, 0); err != nil && n < len(head) {
		return true // too short for a header to say anything
	}
	switch {
	case bytes.HasPrefix(head, []byte("RIFF")):
		return wholeRIFF(head, size)
	case bytes.Equal(head[4:8], []byte("ftyp")):
		return wholeMP4(f, size)
	default:
		return true
	}
}

// wholeRIFF compares the length in the header. Recorders write it last; until then it is none, or as large as can be.
func wholeRIFF(head []byte, size int64) bool {
	said := int64(binary.LittleEndian.Uint32(head[4:]))
	if said == 0 {
		return false
	}
	return said >= 0x7fff0000 || said+8 <= size
}

// wholeMP4 walks over the boxes: the last one ends with the file, and one of them is the index.
func wholeMP4(f io.ReaderAt, size int64) bool {
	index := false
	box := make([]byte, 16)
	at := int64(0)
	for range 10_000 {
		if at+8 > size {
			return index && at == size
		}
		n, err := f.ReadAt(box, at)
		if err != nil && n < 8 {
			return false
		}
		length := int64(binary.BigEndian.Uint32(box))
		if length == 1 && n == len(box) {
			length = int64(binary.BigEndian.Uint64(box[8:])) //nolint:gosec // a length beyond int64 is negative, which ends the walk
		}
		kind := string(box[4:8])
		index = index || kind == "moov"
		if length == 0 { // up to the end of the file
			return index
		}
		if length < 8 || length > size-at {
			return false
		}
		at += length
	}
	return index
}
