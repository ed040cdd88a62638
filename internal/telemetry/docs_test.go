package telemetry_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/goccy/go-yaml"
)

// functions are those of PromQL that may be used: the parser knows more than Prometheus does.
var functions = []string{"rate", "increase", "histogram_quantile", "vector"}

var aggregates = []string{"sum", "max", "min", "topk"}

// check fails the test unless an expression can be read and names only metrics that there are.
func check(t *testing.T, where, expr string, known map[string]bool) {
	t.Helper()
	parsed, err := metricsql.Parse(expr)
	if err != nil {
		t.Errorf("%s: %q: %v", where, expr, err)
		return
	}
	used := 0
	metricsql.VisitAll(parsed, func(e metricsql.Expr) {
		switch e := e.(type) {
		case *metricsql.FuncExpr:
			if !slices.Contains(functions, e.Name) {
				t.Errorf("%s: %q is no function that we use", where, e.Name)
			}
			if r, ranged := e.Args[0].(*metricsql.RollupExpr); (e.Name == "rate" || e.Name == "increase") && (!ranged || r.Window == nil) {
				t.Errorf("%s: %s needs a range", where, e.Name)
			}
		case *metricsql.AggrFuncExpr:
			if !slices.Contains(aggregates, e.Name) {
				t.Errorf("%s: %q is no aggregation that we use", where, e.Name)
			}
		case *metricsql.MetricExpr:
			for _, alternatives := range e.LabelFilterss {
				if name := alternatives[0]; name.Label != "__name__" || !known[name.Value] {
					t.Errorf("%s: there is no metric %q", where, name.Value)
				}
				used++
			}
		}
	})
	if used == 0 {
		t.Errorf("%s: %q looks at nothing", where, expr)
	}
}

// known are the names of all series.
func known(t *testing.T) map[string]bool {
	t.Helper()
	families, err := busy(t, &source{}).Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range families {
		names[f.GetName()] = true
		if f.GetType().String() == "HISTOGRAM" {
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				names[f.GetName()+suffix] = true
			}
		}
	}
	return names
}

func TestTheDashboardShowsMetricsThatThereAre(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/monitoring/grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			ID      int
			Title   string
			Type    string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(raw, &board); err != nil {
		t.Fatal(err)
	}
	names, shown, ids := known(t), map[string]bool{}, map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] {
			t.Errorf("two panels have the number %d", p.ID)
		}
		ids[p.ID] = true
		if (p.Type == "row") != (len(p.Targets) == 0) {
			t.Errorf("%s shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			check(t, p.Title, target.Expr, names)
			for _, name := range regexp.MustCompile(`vesper_[a-z_]+`).FindAllString(target.Expr, -1) {
				for _, suffix := range []string{"_bucket", "_count", "_sum"} {
					if base, ok := strings.CutSuffix(name, suffix); ok && names[base] {
						name = base
					}
				}
				shown[name] = true
			}
		}
	}
	families, err := busy(t, &source{}).Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	hidden := []string{"vesper_build_info", "vesper_queue_due_jobs", "vesper_dictation_oldest_seconds"} // said by others on the board
	for _, f := range families {
		if name := f.GetName(); strings.HasPrefix(name, "vesper_") && !shown[name] && !slices.Contains(hidden, name) {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}

func TestEachAlertLooksAtMetricsAndHasItsRunbook(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/monitoring/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(raw, &rules); err != nil {
		t.Fatal(err)
	}
	names, books, seen := known(t), runbooks(t), map[string]bool{}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			check(t, r.Alert, r.Expr, names)
			if severity := r.Labels["severity"]; severity != "critical" && severity != "warning" {
				t.Errorf("%s has the severity %q", r.Alert, severity)
			}
			if len(r.Annotations["summary"]) < 20 {
				t.Errorf("%s does not say what it means", r.Alert)
			}
			if want := "docs/operations.md#" + strings.ToLower(r.Alert); r.Annotations["runbook"] != want {
				t.Errorf("%s: the runbook is %q, want %q", r.Alert, r.Annotations["runbook"], want)
			}
			if !books[r.Alert] {
				t.Errorf("%s has no runbook", r.Alert)
			}
			seen[r.Alert] = true
		}
	}
	for name := range books {
		if !seen[name] {
			t.Errorf("the runbook %s belongs to no alert", name)
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d alerts", len(seen))
	}
}

// runbooks are the headings of alerts in the operators' guide.
func runbooks(t *testing.T) map[string]bool {
	t.Helper()
	raw, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	books := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (Vesper[A-Z]\w+)$`).FindAllStringSubmatch(string(raw), -1) {
		books[m[1]] = true
	}
	return books
}
