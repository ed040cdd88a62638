package escalation

import "strings"

// Words are the condition for people, one part for each thing that must hold.
func (w When) Words() []string {
	var out []string
	add := func(given bool, text string) {
		if given {
			out = append(out, text)
		}
	}
	add(len(w.State) > 0, oneOf(w.State))
	add(len(w.WorkType) > 0, "work type "+oneOf(w.WorkType))
	add(w.Priority != "", map[string]string{"stat": "STAT", "routine": "routine"}[w.Priority])
	add(w.Used.text != "", w.Used.text+" of the time used")
	add(w.OverdueBy.Given() && w.OverdueBy.D() == 0, "overdue")
	add(w.OverdueBy.D() > 0, "overdue by "+w.OverdueBy.text)
	add(w.InStateFor.Given(), "for "+w.InStateFor.text+map[bool]string{true: " of opening hours"}[w.Count == "working"])
	add(w.ClaimIdleFor.Given(), "held for "+w.ClaimIdleFor.text+" without being saved")
	add(w.Job != "", "a step was "+map[string]string{"dead": "given up", "quarantined": "put in quarantine"}[w.Job])
	add(w.Delivery != "", "delivery failed")
	return out
}

// Words say what the rule does, one part for each thing.
func (r Rule) Words() []string {
	var out []string
	for _, a := range r.Do {
		out = append(out, a.Words())
	}
	if r.Again.Given() {
		out = append(out, "again every "+r.Again.text+" while it holds")
	}
	return out
}

// Words are the action for people.
func (a Action) Words() string {
	switch {
	case len(a.Notify) > 0:
		var who []string
		for _, w := range a.Notify {
			who = append(who, recipientWords(w))
		}
		return "tell " + strings.Join(who, ", ")
	case a.Raise != "":
		return "raise to STAT"
	case a.DueWithin.Given():
		return "due within " + a.DueWithin.text
	case a.Reassign == ToEditor:
		to := a.To
		if to == LeastLoaded {
			to = "the editor with the fewest notes"
		}
		return "give it to " + to + map[bool]string{true: ", also from somebody at work"}[a.Interrupt]
	default:
		return "give it back to the queue"
	}
}

func recipientWords(who string) string {
	if role, ok := strings.CutPrefix(who, "role:"); ok {
		return map[string]string{"editor": "editors", "supervisor": "supervisors", "compliance": "compliance", "admin": "administrators"}[role]
	}
	if address, ok := strings.CutPrefix(who, "mail:"); ok {
		return address
	}
	return map[string]string{"author": "the author", "holder": "who holds it", "webhook": "other systems"}[who]
}

// oneOf joins as people do: a, b or c.
func oneOf(list List) string {
	if n := len(list); n > 1 {
		list = List{strings.Join(list[:n-1], ", ") + " or " + list[n-1]}
	}
	return strings.ReplaceAll(strings.Join(list, ""), "_", " ")
}
