package escalation_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"vesper/pipeline/escalation"
	"vesper/pipeline/turnaround"
)

var start = time.Date(2026, 11, 24, 14, 0, 0, 0, time.UTC)

func read(t *testing.T, source string) escalation.Set {
	t.Helper()
	set, problems := escalation.Parse(source)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return set
}

// one is a set with one rule of this condition.
func one(t *testing.T, when string) escalation.When {
	t.Helper()
	return read(t, "rules:\n  - name: a-rule\n    say: Look.\n    when: {"+when+"}\n    do: [notify: author]\n").Rules[0].When
}

func TestTheRulesThatComeWithVesperAreInOrder(t *testing.T) {
	t.Parallel()
	set := read(t, escalation.Default())
	if len(set.Rules) < 10 {
		t.Errorf("%d rules", len(set.Rules))
	}
	for _, r := range set.Rules {
		if !strings.HasSuffix(r.Say, ".") {
			t.Errorf("%s says %q", r.Name, r.Say)
		}
	}
}

func TestTheExampleOfTheDocumentationIsInOrder(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/turnaround.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	if set := read(t, example); len(set.Rules) != 2 {
		t.Errorf("%d rules", len(set.Rules))
	}
}

func TestProblemsOfRulesCarryTheirLine(t *testing.T) {
	t.Parallel()
	const good = "rules:\n  - name: a-rule\n    say: Look.\n    when: {state: queued}\n    do:\n      - notify: [author]\n"
	for name, c := range map[string]struct {
		from, to string
		line     int
		says     string
	}{
		"no YAML":                {"rules:", "rules: [", 2, ""},
		"unknown field":          {"when: {state: queued}", "when: {stat: queued}", 4, "unknown field"},
		"unknown state":          {"queued", "waiting", 4, "there is no state"},
		"no condition":           {"{state: queued}", "{}", 4, "needs a condition"},
		"no name":                {"a-rule", "A Rule", 2, "needs a name"},
		"nothing said":           {"say: Look.", "say: ''", 3, "what people are told"},
		"nobody":                 {"author", "boss", 6, "nobody is called"},
		"no role":                {"author", "role:boss", 6, "there is no role"},
		"no address":             {"author", "'mail:boss'", 6, "no e-mail address"},
		"share without a sign":   {"state: queued", "used: 80", 4, "write 80%"},
		"no time":                {"state: queued", "overdue_by: soon", 4, "write 30m"},
		"age without a state":    {"state: queued", "in_state_for: 4h", 4, "needs the state"},
		"no priority":            {"state: queued", "priority: high", 4, "stat or routine"},
		"count of nothing":       {"state: queued", "state: queued, count: working", 4, "in_state_for"},
		"two actions in one":     {"- notify: [author]", "- {notify: [author], raise: stat}", 6, "one of"},
		"raised to what":         {"notify: [author]", "raise: routine", 6, "only be raised to stat"},
		"given back from nobody": {"notify: [author]", "reassign: release", 6, "in review"},
		"given to whom":          {"notify: [author]", "reassign: editor", 6, "only a note that waits for an editor"},
		"to nobody":              {"when: {state: queued}\n    do:\n      - notify: [author]", "when: {state: drafted}\n    do:\n      - reassign: editor", 6, "say who gets the note"},
		"to without an editor":   {"- notify: [author]", "- {notify: [author], to: mina}", 6, "belong to reassign"},
		"released to somebody":   {"- notify: [author]", "- {reassign: release, to: mina}", 6, "gives the note to nobody"},
		"reassigned how":         {"notify: [author]", "reassign: steal", 6, "release"},
		"again too soon":         {"    do:", "    again: 4m\n    do:", 5, "at least 5m"},
		"again at no time":       {"    do:", "    again: often\n    do:", 5, "write 30m"},
		"nothing to do":          {"      - notify: [author]\n", "", 5, "say what to do"},
		"the same name again":    {"    do:", "    do: [notify: author]\n  - name: a-rule\n    say: Look.\n    when: {state: queued}\n    do:", 6, "used twice"},
	} {
		_, problems := escalation.Parse(strings.Replace(good, c.from, c.to, 1))
		if len(problems) == 0 || !strings.Contains(problems[0].Message, c.says) || c.says != "" && problems[0].Line != c.line {
			t.Errorf("%s: %v, want line %d: %s", name, problems, c.line, c.says)
		}
	}
	read(t, good)
	if _, problems := escalation.Parse(strings.Repeat("#", 100_000)); len(problems) != 1 {
		t.Error("a file of any size is read")
	}
}

// facts are those of a routine note that an editor holds: three of four hours are used.
func facts() escalation.Facts {
	return escalation.Facts{
		State: "in_review", WorkType: "consult", Priority: "routine", Due: start.Add(4 * time.Hour),
		Clock: turnaround.Reading{Used: 3 * time.Hour, Allowed: 4 * time.Hour, Phase: turnaround.Running},
		Way: []escalation.Entered{
			{At: start, State: "received"}, {At: start, State: "queued"}, {At: start.Add(time.Hour), State: "drafted"}, {At: start.Add(2 * time.Hour), State: "in_review"},
		},
		Job: "done", JobID: "j1", ClaimID: "c1", LastSign: start.Add(150 * time.Minute),
	}
}

func TestAConditionHoldsWhenAllOfItHolds(t *testing.T) {
	t.Parallel()
	now := start.Add(3 * time.Hour)
	for when, want := range map[string]bool{
		"state: in_review": true, "state: drafted": false, "state: [drafted, in_review]": true,
		"work_type: consult": true, "work_type: [progress, letter]": false,
		"priority: routine": true, "priority: stat": false,
		"used: 75%": true, "used: 76%": false,
		"overdue_by: 0s": false, "state: in_review, in_state_for: 1h": true, "state: in_review, in_state_for: 61m": false,
		"state: [drafted, in_review], in_state_for: 2h": true,
		"claim_idle_for: 30m":                           true, "claim_idle_for: 31m": false,
		"job: dead": false, "delivery: failed": false,
		"state: in_review, priority: stat, used: 50%": false,
	} {
		if _, holds := one(t, when).Holds(facts(), now); holds != want {
			t.Errorf("%s: %v", when, holds)
		}
	}
	late := facts()
	for when, want := range map[string]bool{"overdue_by: 0s": true, "overdue_by: 1h": true, "overdue_by: 61m": false} {
		if _, holds := one(t, when).Holds(late, start.Add(5*time.Hour)); holds != want {
			t.Errorf("%s: %v", when, holds)
		}
	}
}

func TestDeadAndFailedWorkIsFound(t *testing.T) {
	t.Parallel()
	f := facts()
	f.Job, f.Delivery, f.DeliveryID = "quarantined", "failed", "d1"
	for when, want := range map[string]bool{"job: dead": true, "job: quarantined": true, "delivery: failed": true} {
		if _, holds := one(t, when).Holds(f, start); holds != want {
			t.Errorf("%s: %v", when, holds)
		}
	}
	f.Job = "dead"
	if _, holds := one(t, "job: quarantined").Holds(f, start); holds {
		t.Error("what is dead is quarantined")
	}
}

func TestThePhysiciansTimeIsNobodysDelay(t *testing.T) {
	t.Parallel()
	f := facts()
	f.State, f.Clock.Phase = "awaiting_signature", turnaround.Waiting
	f.Way = append(f.Way, escalation.Entered{At: start.Add(3 * time.Hour), State: "awaiting_signature"})
	now := start.Add(30 * time.Hour)
	if _, holds := one(t, "overdue_by: 0s").Holds(f, now); holds {
		t.Error("the practice is late while the physician has it")
	}
	if _, holds := one(t, "state: awaiting_signature, overdue_by: 0s").Holds(f, now); !holds {
		t.Error("a rule about the physician's time does not hold")
	}
	f.Clock.Phase = turnaround.Over
	if _, holds := one(t, "used: 50%").Holds(f, now); holds {
		t.Error("the clock of a signed note runs on")
	}
}

func TestAnEpisodeLastsWhileTheConditionDoes(t *testing.T) {
	t.Parallel()
	w := one(t, "state: [drafted, in_review], used: 50%")
	f := facts()
	first, _ := w.Holds(f, start.Add(3*time.Hour))
	f.Way = append(f.Way, escalation.Entered{At: start.Add(4 * time.Hour), State: "drafted"}) // given back, still in the states
	f.State = "drafted"
	if again, holds := w.Holds(f, start.Add(4*time.Hour)); !holds || again != first {
		t.Errorf("another episode: %q after %q", again, first)
	}
	f.Way = append(f.Way, escalation.Entered{At: start.Add(5 * time.Hour), State: "awaiting_signature"}, escalation.Entered{At: start.Add(6 * time.Hour), State: "drafted"})
	if again, holds := w.Holds(f, start.Add(6*time.Hour)); !holds || again == first {
		t.Errorf("the same episode after it came back: %q", again)
	}
	idle := one(t, "claim_idle_for: 30m")
	g := facts()
	before, _ := idle.Holds(g, start.Add(3*time.Hour))
	g.LastSign = start.Add(3 * time.Hour) // saved
	if _, holds := idle.Holds(g, start.Add(3*time.Hour)); holds {
		t.Error("idle at the moment of saving")
	}
	if after, _ := idle.Holds(g, start.Add(4*time.Hour)); after == before {
		t.Error("idle again is the same episode")
	}
}

func TestWorkingHoursCanCountForTheAgeInAState(t *testing.T) {
	t.Parallel()
	p := turnaround.Always()
	day := []string{"09:00-17:00"}
	p.Zone, p.Hours = "America/New_York", turnaround.Week{Mon: day, Tue: day, Wed: day}
	r, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	f := facts()
	f.Calendar = r.Calendar
	next := start.Add(19 * time.Hour) // 04:00 the next morning: 6 working hours since 11:00
	if _, holds := one(t, "state: in_review, in_state_for: 7h, count: working").Holds(f, next); holds {
		t.Error("the night counts")
	}
	if _, holds := one(t, "state: in_review, in_state_for: 6h, count: working").Holds(f, next); !holds {
		t.Error("the day does not count")
	}
}

func TestEditorsWhoAreNamedAreLookedUp(t *testing.T) {
	t.Parallel()
	const source = "rules:\n  - name: a-rule\n    say: Look.\n    when: {state: [drafted, in_review]}\n    do:\n      - notify: holder\n      - {reassign: editor, to: mina}\n" +
		"  - name: b-rule\n    say: Look.\n    when: {state: drafted}\n    do:\n      - {reassign: editor, to: least-loaded, interrupt: true}\n"
	set := read(t, source)
	if !set.NamesEditors() || read(t, escalation.Default()).NamesEditors() {
		t.Error("the names of editors are not seen")
	}
	if !set.Rules[0].Waits() || set.Rules[1].Waits() {
		t.Error("which rule waits for somebody at work")
	}
	if p := escalation.CheckEditors(source, set, func(login string) bool { return login == "mina" }); len(p) != 0 {
		t.Errorf("problems %v", p)
	}
	p := escalation.CheckEditors(source, set, func(string) bool { return false })
	if len(p) != 1 || p[0].Line != 7 || !strings.Contains(p[0].Message, `"mina"`) {
		t.Errorf("problems %v", p)
	}
}

func TestARuleComesAgainAfterItsTimeAndNotForEver(t *testing.T) {
	t.Parallel()
	r := read(t, "rules: [{name: a-rule, say: Look., when: {state: drafted}, again: 1h, do: [notify: author]}]").Rules[0]
	var before []escalation.Done
	times := map[string]int{}
	for at := start; at.Before(start.Add(100 * time.Hour)); at = at.Add(10 * time.Minute) {
		episode := "state 3"
		if at.After(start.Add(8 * time.Hour)) {
			episode = "state 5" // it was over and came true anew
		}
		name, due := r.Next(episode, before, at)
		if !due {
			continue
		}
		if times[name]++; times[name] > 1 {
			t.Fatalf("%q is carried out twice", name)
		}
		before = append(before, escalation.Done{Episode: name, At: at})
	}
	if len(before) != 2+escalation.MaxRepeats {
		t.Errorf("carried out %d times", len(before))
	}
	if before[1].At.Sub(before[0].At) != time.Hour {
		t.Errorf("again after %s", before[1].At.Sub(before[0].At))
	}
	r.Again = escalation.Span{}
	if _, due := r.Next("state 3", before, start.Add(time.Hour*1000)); due {
		t.Error("a rule without again is carried out again")
	}
	if name, due := r.Next("state 9", before, start); !due || name != "state 9" {
		t.Error("a new episode is not begun")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(escalation.Default())
	f.Add("rules: [{name: a-b, when: {used: 1%}}]")
	f.Fuzz(func(t *testing.T, source string) {
		set, problems := escalation.Parse(source)
		if len(problems) > 0 && len(set.Rules) > 0 {
			t.Error("rules with problems are used")
		}
		for _, r := range set.Rules {
			r.When.Holds(facts(), start)
		}
	})
}
