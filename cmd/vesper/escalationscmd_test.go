package main_test

import (
	"os"
	"path/filepath"
	"testing"
)

func TestEscalationRulesAreCheckedBeforeTheyAreSet(t *testing.T) {
	t.Parallel()
	printed := run(t, nil, "escalations", "default")
	printed.want(t, 0, "stat-half-used")
	dir := writeFiles(t, map[string]string{"bad.yaml": "rules:\n  - name: a-rule\n    say: Look.\n    when: {state: nowhere}\n    do: [notify: author]\n"})
	good := filepath.Join(dir, "good.yaml")
	if err := os.WriteFile(good, []byte(printed.out), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, nil, "escalations", "check", good).want(t, 0, "RULE", "tell supervisors, editors", "raise to STAT")
	run(t, nil, "escalations", "check", filepath.Join(dir, "bad.yaml")).want(t, 1, "bad.yaml:4: there is no state", "1 problem")
	run(t, nil, "escalations", "check", filepath.Join(dir, "none.yaml")).want(t, 1)
}
