package escalation_test

import (
	"strings"
	"testing"
	"time"

	"vesper/pipeline/escalation"
)

// TestRulesThatAreMadeToBeSlowAreReadQuickly: everybody who is signed in may have rules checked.
func TestRulesThatAreMadeToBeSlowAreReadQuickly(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 9) + "*" + string(c-1) + "]\n"
	}
	for name, source := range map[string]string{
		"many rules":    "rules:\n" + strings.Repeat("- {}\n", 13_000),
		"many actions":  "rules:\n- name: a-rule\n  do:\n" + strings.Repeat("  - {}\n", 9000),
		"aliases":       bomb + "rules: *j\n",
		"aliases state": bomb + "rules:\n- name: a-rule\n  when: {state: *j}\n",
		"deep":          "rules: " + strings.Repeat("[", 60_000),
		"deep blocks":   deepBlocks(300),
		"deep maps":     "rules: " + strings.Repeat("{a: ", 15_000),
	} {
		began := time.Now()
		_, problems := escalation.Parse(source)
		took := time.Since(began)
		if len(problems) == 0 || len(problems) > 50 || took > 2*time.Second {
			t.Errorf("%s: %d problems after %s", name, len(problems), took)
		}
	}
}

func deepBlocks(n int) string {
	text := "rules:\n"
	for i := range n {
		text += strings.Repeat(" ", i+1) + "a:\n"
	}
	return text
}
