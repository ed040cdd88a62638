package house_test

import (
	"slices"
	"strings"
	"testing"
)

// ground is what every room may stand on.
var ground = []string{"internal/fault", "internal/crashpoint", "internal/trail"}

// leaves are the lowest rooms.
var leaves = []string{"models", "internal/lexicon", "internal/access", "internal/audit"}

// core are the rooms that hold the rules of dictations and notes.
var core = slices.Concat([]string{"pipeline", "notes", "transcribe", "ehr"}, leaves)

// rooms says, for each part of the module, which other parts its code may import. A part is a folder with everything
// below it, unless something below has its own line. Adapters stand on the core and never on each other; only cmd and
// bench see everything. The tests of a room may import whatever they need.
var rooms = map[string][]string{
	"cmd":     {"*"},
	"bench":   {"*"},
	"web":     core,
	"web/ui":  nil,
	"storage": nil,

	"pipeline":   slices.Concat([]string{"notes", "transcribe", "ehr", "internal/plainyaml"}, leaves),
	"notes":      slices.Concat([]string{"transcribe"}, leaves), // for the words it is made from
	"transcribe": leaves,
	"ehr":        leaves,

	"pipeline/tasks":     core,
	"pipeline/notify":    core,
	"storage/postgres":   core,
	"storage/objects":    core,
	"transcribe/whisper": core,
	"ehr/fhir":           core,
	"ehr/hl7v2":          core,
	"ehr/folder":         core,
	"ehr/sandbox":        core,
	"ehr/ehrtest":        {"ehr"},

	"models":             nil,
	"testdata":           nil,
	"internal/fault":     nil,
	"internal/plainyaml": nil,
	"internal/trail":     nil,
	"internal/lexicon":   nil,
	"internal/access":    nil,
	"internal/audit":     {"internal/access"},

	"internal/services": nil,
	"internal/doctor":   nil,
	"internal/backup":   {"internal/audit"},
	"internal/house":    nil,
	"internal/client":   nil,                                       // talks to a server over HTTP, knows nothing else of it
	"internal/watch":    {"internal/client", "internal/plainyaml"}, // talks to it through the client
	"internal/sample":   nil,
	"internal/testkit":  {"internal/services"},

	"internal/crashpoint": nil,
	"internal/telemetry":  core,
}

// adapters are the rooms that nobody but cmd and bench may enter.
var adapters = []string{
	"pipeline/tasks", "pipeline/notify", "internal/telemetry", "storage/postgres", "storage/objects", "transcribe/whisper", "ehr/fhir", "ehr/hl7v2", "ehr/folder", "ehr/sandbox",
}

// roomOf returns the innermost room of a package.
func roomOf(pkg string) (room string, known bool) {
	for name := range rooms {
		if inside(pkg, name) && len(name) >= len(room) {
			room, known = name, true
		}
	}
	return room, known
}

func inside(pkg, room string) bool { return pkg == room || strings.HasPrefix(pkg, room+"/") }

// mayImport is the whole rule.
func mayImport(from, to string) bool {
	room, _ := roomOf(from)
	target, _ := roomOf(to)
	switch allowed := rooms[room]; {
	case slices.Equal(allowed, []string{"*"}), room == target, slices.Contains(ground, target):
		return true
	case slices.Contains(adapters, target):
		return false
	default:
		return slices.Contains(allowed, target)
	}
}

func TestEveryPackageHasItsPlaceInTheDesign(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if _, known := roomOf(s.pkg); !known {
			t.Errorf("%s: the folder %q is no room of the design; give it a line in rooms, with what it may import", s.file, s.pkg)
		}
	}
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, p := range s.imports() {
			to, ours := strings.CutPrefix(p, module+"/")
			if ours && !mayImport(s.pkg, to) {
				t.Errorf("%s imports %s: against the direction of the design (rooms in this file)", s.file, p)
			}
		}
	}
}

func TestTheRuleItselfRefusesWhatTheDesignForbids(t *testing.T) {
	t.Parallel()
	for _, forbidden := range [][2]string{
		{"web", "storage/postgres"},
		{"web", "pipeline/tasks"},
		{"pipeline", "web"},
		{"pipeline", "storage/objects"},
		{"notes", "pipeline"},
		{"transcribe", "notes"},
		{"storage/postgres", "storage/objects"},
		{"ehr/fhir", "storage/postgres"},
		{"transcribe", "transcribe/whisper"},
		{"internal/access", "pipeline"},
		{"models", "transcribe"},
		{"ehr", "ehr/fhir"},
		{"pipeline", "cmd/vesper"},
		{"internal/audit", "storage/postgres"},
		{"ehr/fhir", "ehr/sandbox"},
		{"web", "internal/services"},
	} {
		if mayImport(forbidden[0], forbidden[1]) {
			t.Errorf("%s may import %s", forbidden[0], forbidden[1])
		}
	}
	for _, fine := range [][2]string{
		{"cmd/vesper", "storage/postgres"},
		{"web", "pipeline"},
		{"storage/postgres", "pipeline"},
		{"notes/templates", "internal/fault"},
		{"transcribe/whisper", "transcribe/audio"},
		{"pipeline", "internal/audit"},
		{"models", "models/convert"},
	} {
		if !mayImport(fine[0], fine[1]) {
			t.Errorf("%s may not import %s", fine[0], fine[1])
		}
	}
}

// drivers have one place each, so that they can be replaced there and are nobody else's habit.
var drivers = map[string][]string{
	"github.com/jackc/pgx":         {"storage/postgres", "internal/testkit"},
	"github.com/jackc/tern":        {"storage/postgres"},
	"database/sql":                 {},
	"github.com/minio/minio-go":    {"storage/objects"},
	"github.com/hibiken/asynq":     {"pipeline/tasks"},
	"github.com/hibiken/asynqmon":  {"pipeline/tasks"},
	"github.com/prometheus":        {"internal/telemetry"},
	"go.opentelemetry.io/otel/sdk": {"internal/telemetry", "internal/trail"}, // trail: its tests
	"C":                            {"transcribe/whisper"},
	"github.com/ggerganov":         {"transcribe/whisper"},
	"github.com/ggml-org/whisper":  {"transcribe/whisper"},
}

func TestDriversStayInTheirOnePlace(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		for _, p := range s.imports() {
			for driver, places := range drivers {
				if inside(p, driver) && !slices.ContainsFunc(places, func(place string) bool { return inside(s.pkg, place) }) {
					t.Errorf("%s imports %s, which only %v may", s.file, p, places)
				}
			}
		}
	}
}

func TestNobodyShipsTestCode(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.test || inside(s.pkg, "internal/testkit") || strings.HasSuffix(s.pkg, "test") {
			continue
		}
		for _, p := range s.imports() {
			if p == "testing" || inside(p, module+"/internal/testkit") || p == "pgregory.net/rapid" || p == "go.uber.org/goleak" {
				t.Errorf("%s imports %s outside of tests", s.file, p)
			}
		}
	}
}
