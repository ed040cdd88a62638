package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"vesper/internal/fault"
	"vesper/pipeline/escalation"
)

// rulesCmd works on the rules that bring waiting work to people. They are set in the browser or by the API.
type rulesCmd struct {
	Check   rulesCheckCmd   `cmd:"" help:"Check a file of rules; says the line of what is wrong and ends with 1."`
	Default rulesDefaultCmd `cmd:"" help:"Print the rules that come with Vesper, to begin with."`
}

type rulesCheckCmd struct {
	File string `arg:"" help:"File with rules." placeholder:"FILE"`
}

// Run prints each rule in words, or what is wrong.
func (c *rulesCheckCmd) Run(rt *runtime) error {
	raw, err := os.ReadFile(c.File)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "file_unreadable", "The file cannot be opened. Check its name and that you may read it.")
	}
	set, problems := escalation.Parse(string(raw))
	for _, p := range problems {
		fmt.Fprintf(rt.out, "%s:%d: %s\n", c.File, p.Line, p.Message)
	}
	if len(problems) > 0 {
		return fault.New(fault.Invalid, "rules_invalid", count(len(problems), "problem")+". Mend the lines named above and check again.")
	}
	w := tabwriter.NewWriter(rt.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "RULE\tWHEN\tTHEN")
	for _, r := range set.Rules {
		var do []string
		for _, a := range r.Do {
			do = append(do, a.Words())
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Name, strings.Join(r.When.Words(), ", "), strings.Join(do, "; "))
	}
	return w.Flush()
}

type rulesDefaultCmd struct{}

// Run prints the file.
func (*rulesDefaultCmd) Run(rt *runtime) error {
	_, err := fmt.Fprint(rt.out, escalation.Default())
	return err
}
