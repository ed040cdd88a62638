package notes

import "fmt"

// newFlag gives a flag its identity: the same doubt about the same span has the same ID in every version and every draft.
func newFlag(f Flag) Flag {
	f.ID = sha256Hex(fmt.Appendf(nil, "%s\x00%s\x00%.3f\x00%.3f\x00%s", f.Kind, f.Section, f.Start, f.End, f.Text))[:12]
	return f
}
