package watch_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vesper/internal/fault"
	"vesper/internal/watch"
)

// card finds what the server has by work type.
func (w *world) card(workType string) map[string]any {
	w.Helper()
	for _, d := range w.dictations() {
		if d["work_type"] == workType {
			return d
		}
	}
	w.Fatalf("no dictation of type %s in %v", workType, w.dictations())
	return nil
}

func TestNamesFoldersAndFilesBesideSayWhatGoesWithARecording(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("vesper-watch.yaml", []byte(`
author: `+w.logins["avery"]+`
nested: true
patterns:
  - '^(?P<patient>T-\d+)_(?P<work_type>\w+?)(?P<stat>_STAT)?$'
work_types: {KONSIL: consult}
sidecar_fields: {patient: MRN, work_type: Document Type}
folders:
  osei: {author: `+w.logins["osei"]+`}
  osei/ops: {work_type: procedure, priority: stat}
`))
	w.put("T-1001_KONSIL_STAT.wav", tone(4000))
	w.put("plain.wav", tone(4000))
	w.put("plain.json", []byte(`{"MRN":"T-1001","Document-Type":"discharge","Length":12.5}`))
	w.put("osei/ops/0001.wav", tone(4000))
	w.put("osei/0002.wav", tone(4000))
	w.put("osei/0002.wav.txt", []byte("# from the recorder\npriority = stat\nMRN: T-1001\nDocument Type: hp\nsomething else\n"))
	o := w.optionsAs("sam")
	if r := w.once(o); r.Received != 4 || r.Left != 0 {
		t.Fatalf("%+v %v", r, w.lies(""))
	}
	avery, osei := w.card("consult")["author"], w.card("procedure")["author"]
	mrn := func(d map[string]any) any {
		p, _ := d["patient"].(map[string]any)
		return p["mrn"]
	}
	if d := w.card("consult"); d["priority"] != "stat" || mrn(d) != "T-1001" {
		t.Errorf("by its name: %v", d)
	}
	if d := w.card("discharge"); d["priority"] != "routine" || mrn(d) != "T-1001" || d["author"].(map[string]any)["id"] != avery.(map[string]any)["id"] {
		t.Errorf("by the file beside it: %v", d)
	}
	if d := w.card("procedure"); d["priority"] != "stat" || mrn(d) != nil || d["author"].(map[string]any)["name"] != "osei" {
		t.Errorf("by its folders: %v", d)
	}
	if d := w.card("hp"); d["priority"] != "stat" || mrn(d) != "T-1001" || d["author"].(map[string]any)["id"] != osei.(map[string]any)["id"] {
		t.Errorf("by the text beside it: %v", d)
	}
	if got := w.lies("sent/" + today()); !slices.Contains(got, "plain.json") || !slices.Contains(got, "osei/0002.wav.txt") {
		t.Errorf("the files beside were left: %v", got)
	}
}

func TestAPatientWhomTheServerDoesNotKnowStopsNothingUnlessAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	content := tone(4000)
	w.put("vesper-watch.yaml", []byte("patterns: ['^(?P<patient>.+)$']\nunknown_patient: hold\n"))
	w.put("X-9999.wav", content)
	if r := w.once(w.options()); r.Received != 0 || r.Left != 1 {
		t.Errorf("held: %+v", r)
	}
	w.put("vesper-watch.yaml", []byte("patterns: ['^(?P<patient>.+)$']\n"))
	r := w.watch(w.options())
	r.tells("X-9999.wav note")
	r.tells("X-9999.wav moved")
	if d := w.dictations(); len(d) != 1 || d[0]["patient"] != nil {
		t.Errorf("%v", d)
	}
	for _, told := range r.told() { // details go to logs
		if _, detail, _ := strings.Cut(told, "note"); strings.Contains(detail, "9999") {
			t.Errorf("a number is told: %q", told)
		}
	}
}

func TestARecordingWaitsForTheFileThatMustLieBesideIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("vesper-watch.yaml", []byte("sidecar: required\n"))
	w.put("visit.wav", tone(4000))
	r := w.watch(w.options())
	r.tells("visit.wav held The file with its fields is not here yet.")
	w.put("visit.json", []byte(`{"work_type":`))
	r.tells("visit.wav held The file with its fields is no JSON object")
	w.put("visit.json", []byte(`{"work_type":"consult"}`))
	r.tells("visit.wav moved")
	w.card("consult")
}

func TestUrgentRecordingsGoFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("vesper-watch.yaml", []byte("patterns: ['(?P<stat>STAT)$']\n"))
	for _, n := range []string{"a", "b", "c", "z STAT"} {
		w.put(n+".wav", tone(4000))
	}
	o := w.options()
	o.Parallel, o.Once = 1, true
	r := w.watch(o)
	_, err := r.ends()
	w.must(err)
	first := slices.IndexFunc(r.told(), func(s string) bool { return strings.Contains(s, " moved") })
	if got := r.told()[first]; !strings.HasPrefix(got, "z STAT") {
		t.Errorf("first was %q", got)
	}
}

func TestRulesThatMakeNoSenseAreExplained(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"authr: x", "sidecar: maybe", "unknown_patient: drop", "patterns: ['(']", "patterns: ['(?P<mrn>x)']",
		"sidecar_fields: {mrn: MRN}", "priority: soon", "folders: {a: {priority: soon}}", "folders: {a: {colour: red}}", "[1, 2]", ":",
	} {
		if _, err := watch.ParseRules([]byte(bad)); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.As(err).Public, "rules") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, fine := range []string{"", "# nothing\n", "author: x\nfolders:\n  a/b: {work_type: hp}\nextensions: [.WAV]\n"} {
		if _, err := watch.ParseRules([]byte(fine)); err != nil {
			t.Errorf("%q: %v", fine, err)
		}
	}
	w := newWorld(t)
	w.put("vesper-watch.yaml", []byte("authr: x"))
	if _, err := w.watch(w.options()).ends(); fault.As(err).Code != "rules_yaml" {
		t.Errorf("%v", err)
	}
	o := w.options()
	o.Rules = filepath.Join(w.dir, "absent.yaml")
	if _, err := w.watch(o).ends(); fault.As(err).Code != "rules_unreadable" {
		t.Errorf("%v", err)
	}
	w.put("vesper-watch.yaml", []byte(strings.Repeat("#", 64<<10+1)))
	if _, err := w.watch(w.options()).ends(); fault.As(err).Code != "rules_unreadable" {
		t.Errorf("rules without end: %v", err)
	}
	if _, err := os.Stat(filepath.Join(w.dir, ".vesper-watch")); err == nil {
		t.Error("work began all the same")
	}
}

func TestRulesThatAreMadeToBeSlowAreRefusedQuickly(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 9) + "*" + string(c-1) + "]\n"
	}
	for name, c := range map[string]struct{ source, says string }{
		"a bomb":    {bomb + "patterns: *j\n", "line 1: rules have no anchors"},
		"an anchor": {"author: x\nfolders:\n  a: &a {priority: stat}\n", "line 3: rules have no anchors"},
		"an alias":  {"author: *a\n", "line 1: rules have no anchors"},
		"a merge":   {"folders:\n  a: {priority: stat}\n  b:\n    <<: {priority: stat}\n", "line 4: rules have no anchors"},
		"brackets":  {"patterns: " + strings.Repeat("[", 60_000), "nested too deep"},
	} {
		began := time.Now()
		_, err := watch.ParseRules([]byte(c.source))
		if took := time.Since(began); err == nil || fault.As(err).Code != "rules_yaml" || !strings.Contains(fault.As(err).Public, c.says) || took > 2*time.Second {
			t.Errorf("%s: %v after %s", name, err, took)
		}
	}
	if _, err := watch.ParseRules([]byte("author: a&b\nfolders:\n  'a*b': {patient: '*1'}\n")); err != nil {
		t.Errorf("signs inside of values: %v", err)
	}
}
