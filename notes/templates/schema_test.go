package templates

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
)

type object struct {
	Properties map[string]json.RawMessage `json:"properties"`
	Defs       map[string]object          `json:"$defs"`
}

// TestTheSchemaNamesExactlyTheFieldsThatAreRead keeps the published schema and the reader of files together.
func TestTheSchemaNamesExactlyTheFieldsThatAreRead(t *testing.T) {
	t.Parallel()
	var root object
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		have object
		read reflect.Type
	}{
		{"work type", root, reflect.TypeFor[file]()},
		{"section", root.Defs["section"], reflect.TypeFor[entry]()},
		{"label", root.Defs["label"], reflect.TypeFor[Label]()},
		{"statement", root.Defs["statement"], reflect.TypeFor[Statement]()},
		{"normal", root.Defs["normal"], reflect.TypeFor[normal]()},
	} {
		if have, read := sortedKeys(c.have.Properties), fields(c.read); !slices.Equal(have, read) {
			t.Errorf("%s: the schema has %v, the reader takes %v", c.name, have, read)
		}
	}
}

func fields(t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous {
			out = append(out, fields(f.Type)...)
		} else {
			out = append(out, f.Tag.Get("yaml"))
		}
	}
	slices.Sort(out)
	return out
}
