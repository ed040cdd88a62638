package notes

// Op says what happened to a stretch of text.
type Op string

// The operations of a comparison.
const (
	Equal  Op = "equal"
	Delete Op = "delete"
	Insert Op = "insert"
)

// Change is one stretch of a comparison, word by word. The changes of a section, without the deleted ones, are its new
// text; without the inserted ones, its old text.
type Change struct {
	Section string `json:"section"` // key
	Heading string `json:"heading"`
	Op      Op     `json:"op"`
	Text    string `json:"text"`
}

// Compare says what changed from a to b. Sections come in b's order, then those that only a has.
func Compare(a, b Document) []Change {
	var out []Change
	for _, s := range b.Sections {
		old, _ := a.Section(s.Key)
		out = append(out, compareSection(s.Key, s.Heading, old.Text(), s.Text())...)
	}
	for _, s := range a.Sections {
		if _, kept := b.Section(s.Key); !kept {
			out = append(out, compareSection(s.Key, s.Heading, s.Text(), "")...)
		}
	}
	return out
}

func compareSection(key, heading, before, after string) []Change {
	a, tailA := pieces(before)
	b, tailB := pieces(after)
	c := collector{key: key, heading: heading}
	i := 0
	for j, from := range align(a, b) {
		if from < 0 {
			c.add(Insert, b[j].lead+b[j].text)
			continue
		}
		for ; i < from; i++ {
			c.add(Delete, a[i].lead+a[i].text)
		}
		i++
		if a[from].lead != b[j].lead {
			c.add(Delete, a[from].lead)
			c.add(Insert, b[j].lead)
			c.add(Equal, b[j].text)
			continue
		}
		c.add(Equal, b[j].lead+b[j].text)
	}
	for ; i < len(a); i++ {
		c.add(Delete, a[i].lead+a[i].text)
	}
	if tailA == tailB {
		c.add(Equal, tailA)
	} else {
		c.add(Delete, tailA)
		c.add(Insert, tailB)
	}
	c.flush()
	return c.out
}

// collector joins neighbouring changes of one kind and puts what was deleted before what stands in its place.
type collector struct {
	key, heading     string
	out              []Change
	deleted, written string
}

func (c *collector) add(op Op, text string) {
	if text == "" {
		return
	}
	switch op {
	case Delete:
		c.deleted += text
	case Insert:
		c.written += text
	default:
		c.flush()
		if n := len(c.out); n > 0 && c.out[n-1].Op == Equal {
			c.out[n-1].Text += text
			return
		}
		c.out = append(c.out, Change{c.key, c.heading, Equal, text})
	}
}

func (c *collector) flush() {
	if c.deleted != "" {
		c.out = append(c.out, Change{c.key, c.heading, Delete, c.deleted})
	}
	if c.written != "" {
		c.out = append(c.out, Change{c.key, c.heading, Insert, c.written})
	}
	c.deleted, c.written = "", ""
}
