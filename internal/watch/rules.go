package watch

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"vesper/internal/client"
	"vesper/internal/fault"
	"vesper/internal/plainyaml"
)

// Fields are what goes with a recording. Empty ones are left to the server.
type Fields struct {
	Author    string `yaml:"author"`    // login or id of the physician who dictated
	Patient   string `yaml:"patient"`   // record number or id
	Encounter string `yaml:"encounter"` // id of the visit
	WorkType  string `yaml:"work_type"`
	Priority  string `yaml:"priority"` // routine or stat
}

// over returns the fields with those that are set in o put over them.
func (f Fields) over(o Fields) Fields {
	pick := func(under, over string) string {
		if over != "" {
			return over
		}
		return under
	}
	return Fields{
		Author: pick(f.Author, o.Author), Patient: pick(f.Patient, o.Patient), Encounter: pick(f.Encounter, o.Encounter),
		WorkType: pick(f.WorkType, o.WorkType), Priority: pick(f.Priority, o.Priority),
	}
}

func (f Fields) digest() string {
	return digest(f.Author, f.Patient, f.Encounter, f.WorkType, f.Priority)
}

func (f Fields) submission(key string) client.Submission {
	return client.Submission{
		Author: f.Author, Patient: f.Patient, Encounter: f.Encounter, WorkType: f.WorkType, Priority: f.Priority, ClientKey: key,
	}
}

// What to do about a file beside the recording that holds fields.
const (
	sidecarOptional = "optional"
	sidecarRequired = "required" // a recording waits for it
	sidecarOff      = "off"
)

// What to do when the server knows no patient or visit of that number.
const (
	unknownSend = "send" // without it; an editor binds the patient
	unknownHold = "hold"
)

// Rules say which files are recordings and what goes with each. They are data: vesper-watch.yaml.
type Rules struct {
	Fields `yaml:",inline"` // defaults

	Nested         bool              `yaml:"nested"`          // look into subfolders too
	Folders        map[string]Fields `yaml:"folders"`         // by subfolder, over those of the folder above it
	Patterns       []string          `yaml:"patterns"`        // of names without extension; named groups are fields
	WorkTypes      map[string]string `yaml:"work_types"`      // what the recorder calls a kind of document → what Vesper calls it
	Sidecar        string            `yaml:"sidecar"`         // optional (default), required or off
	SidecarFields  map[string]string `yaml:"sidecar_fields"`  // our field → what it is called in the file beside
	UnknownPatient string            `yaml:"unknown_patient"` // send (default) or hold
	Extensions     []string          `yaml:"extensions"`      // instead of the known ones

	patterns []*regexp.Regexp
}

// fieldNames are the groups of a pattern and the keys of a file beside the recording. stat stands for urgent by being there.
var fieldNames = []string{"author", "patient", "encounter", "work_type", "priority", "stat"}

// ParseRules reads rules. No bytes at all are the rules that a folder has without a file.
func ParseRules(data []byte) (Rules, error) {
	var r Rules
	if line, wrong, ok := plainyaml.Check(string(data)); !ok {
		return r, fault.New(fault.Invalid, "rules_yaml", fmt.Sprintf("The rules of the folder are not valid: line %d: %s.", line, wrong))
	}
	if err := yaml.UnmarshalWithOptions(data, &r, yaml.Strict()); err != nil && len(strings.TrimSpace(string(data))) > 0 {
		return r, fault.Wrap(err, fault.Invalid, "rules_yaml", "The rules of the folder are not valid: "+firstLine(err))
	}
	return r, r.check()
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func (r *Rules) check() error {
	bad := func(format string, args ...any) error {
		return fault.New(fault.Invalid, "rules_invalid", "The rules of the folder are not valid: "+fmt.Sprintf(format, args...))
	}
	if r.Sidecar == "" {
		r.Sidecar = sidecarOptional
	}
	if r.UnknownPatient == "" {
		r.UnknownPatient = unknownSend
	}
	if !slices.Contains([]string{sidecarOptional, sidecarRequired, sidecarOff}, r.Sidecar) {
		return bad("sidecar is optional, required or off.")
	}
	if !slices.Contains([]string{unknownSend, unknownHold}, r.UnknownPatient) {
		return bad("unknown_patient is send or hold.")
	}
	for name := range r.SidecarFields {
		if !slices.Contains(fieldNames, name) {
			return bad("sidecar_fields has %q; known are %s.", name, strings.Join(fieldNames, ", "))
		}
	}
	for i, e := range r.Extensions {
		r.Extensions[i] = strings.ToLower(strings.TrimPrefix(e, "."))
	}
	for _, p := range r.Patterns {
		re, err := regexp.Compile(p)
		if err != nil {
			return bad("a pattern is no regular expression (%v).", err)
		}
		for _, g := range re.SubexpNames() {
			if g != "" && !slices.Contains(fieldNames, g) {
				return bad("a pattern has the group %q; known are %s.", g, strings.Join(fieldNames, ", "))
			}
		}
		r.patterns = append(r.patterns, re)
	}
	for _, f := range append(slices.Collect(maps.Values(r.Folders)), r.Fields) {
		if _, err := priority(f.Priority); err != nil {
			return bad("priority is routine or stat.")
		}
	}
	return nil
}

// fieldsOf says what goes with a recording, from the least to the most particular: the defaults, its folders from the
// outermost, its name, the file beside it.
func (r Rules) fieldsOf(name string, beside map[string]string) (Fields, error) {
	out := r.Fields
	dir := ""
	for part := range strings.SplitSeq(path.Dir(name), "/") {
		dir = path.Join(dir, part)
		out = out.over(r.Folders[dir])
	}
	named, err := r.read(r.groups(strings.TrimSuffix(path.Base(name), path.Ext(name))))
	if err != nil {
		return out, err
	}
	told, err := r.read(beside)
	if err != nil {
		return out, err
	}
	return out.over(named).over(told), nil
}

// groups are the named parts of a name, by the first pattern that fits.
func (r Rules) groups(stem string) map[string]string {
	for _, re := range r.patterns {
		m := re.FindStringSubmatch(stem)
		if m == nil {
			continue
		}
		out := map[string]string{}
		for i, g := range re.SubexpNames() {
			if g != "" && m[i] != "" {
				out[g] = m[i]
			}
		}
		return out
	}
	return nil
}

// read makes fields of values that a name or a file beside the recording holds.
func (r Rules) read(values map[string]string) (Fields, error) {
	f := Fields{
		Author: values["author"], Patient: values["patient"], Encounter: values["encounter"], WorkType: values["work_type"],
	}
	if ours, ok := r.WorkTypes[f.WorkType]; ok {
		f.WorkType = ours
	}
	var err error
	if f.Priority, err = priority(values["priority"]); err != nil {
		return f, err
	}
	if v, ok := values["stat"]; ok && !slices.Contains([]string{"", "0", "no", "false"}, strings.ToLower(v)) {
		f.Priority = "stat"
	}
	return f, nil
}

func priority(v string) (string, error) {
	switch strings.ToLower(v) {
	case "":
		return "", nil
	case "routine", "normal", "0", "no":
		return "routine", nil
	case "stat", "urgent", "high", "1", "yes":
		return "stat", nil
	default:
		return "", fault.New(fault.Invalid, "priority_invalid", "The priority is stat or routine.")
	}
}
