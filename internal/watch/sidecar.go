package watch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"vesper/internal/fault"
)

// sidecarMax is the largest file of fields that is read.
const sidecarMax = 64 << 10

// beside reads the file of fields of a recording; without one there are none.
func (w *watcher) beside(s sight) (map[string]string, error) {
	if s.side == "" {
		if w.rules.Sidecar == sidecarRequired {
			return nil, fault.New(fault.NotFound, "sidecar_missing", "The file with its fields is not here yet.")
		}
		return nil, nil
	}
	f, size, err := open(w.path(s.side))
	if err != nil {
		return nil, fault.Wrap(plain(err), fault.Unavailable, "sidecar_unreadable", "The file with its fields cannot be opened.")
	}
	defer f.Close()
	if size > sidecarMax {
		return nil, sidecarFault(nil)
	}
	raw, err := io.ReadAll(io.LimitReader(f, sidecarMax))
	if err != nil {
		return nil, fault.Wrap(plain(err), fault.Unavailable, "sidecar_unreadable", "The file with its fields cannot be read.")
	}
	return parseSidecar(path.Ext(s.side), raw, w.rules.SidecarFields)
}

func sidecarFault(err error) error {
	return fault.Wrap(err, fault.Invalid, "sidecar_invalid", "The file with its fields is no JSON object, or too large.")
}

// parseSidecar reads fields from JSON or from lines of NAME: VALUE or NAME=VALUE. names says what a field is called there,
// if not by its own name. What is not asked for is left alone: such files hold much that is not for us.
func parseSidecar(ext string, raw []byte, names map[string]string) (map[string]string, error) {
	raw = []byte(strings.TrimPrefix(string(raw), "\ufeff"))
	values := map[string]string{}
	if strings.EqualFold(ext, ".json") {
		var all map[string]any
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber() // a record number is no float
		if err := dec.Decode(&all); err != nil {
			return nil, sidecarFault(err)
		}
		for k, v := range all {
			switch v.(type) {
			case string, bool, json.Number:
				values[fold(k)] = strings.TrimSpace(fmt.Sprint(v))
			}
		}
	} else {
		for line := range strings.Lines(string(raw)) {
			line = strings.TrimSpace(line)
			at := strings.IndexAny(line, ":=")
			if at < 1 || line[0] == '#' {
				continue
			}
			values[fold(line[:at])] = strings.TrimSpace(line[at+1:])
		}
	}
	out := map[string]string{}
	for _, field := range fieldNames {
		name := field
		if other, ok := names[field]; ok {
			name = other
		}
		if v, ok := values[fold(name)]; ok {
			out[field] = v
		}
	}
	return out, nil
}

// fold makes one name of "Work Type", "work_type" and "WORK-TYPE".
func fold(name string) string {
	return strings.ToLower(strings.Join(slices.DeleteFunc(strings.FieldsFunc(name, func(r rune) bool {
		return r == ' ' || r == '_' || r == '-' || r == '\t' || r == '"'
	}), func(s string) bool { return s == "" }), "_"))
}
