package lexicon

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"vesper/internal/fault"
)

// Source says where a list of terms comes from.
type Source struct {
	File    string // name of the file
	Kind    Kind   // kind of every term that names none of its own; "" when the file is mixed
	Source  string // where the terms come from
	Licence string // under which licence
	Date    string // when the list was made or imported, YYYY-MM-DD; may be ""
	Count   int    // terms in the file
}

// List is a file of terms.
type List struct {
	Source Source
	Terms  []Term
}

// Bounds of a term file; what exceeds them is refused, not cut.
const (
	maxLine  = 4 << 10  // bytes of one line
	maxTerms = 1 << 20  // terms of one file
	maxFile  = 64 << 20 // bytes of one file, unpacked
	maxText  = 120      // bytes of a term's text
)

// Load reads a term file, packed with gzip when its name ends in .gz. Its errors are faults with the line's number.
//
// A term file begins with lines "# key: value" (source and licence are required; kind, weight and date are optional) and
// goes on with one term a line, columns divided by tabs: text, kind, weight, spoken forms divided by "|", fields divided
// by ",". Columns left empty take the value of the beginning; columns at the end may be missing.
func Load(path string) (List, error) {
	f, err := os.Open(path)
	if err != nil {
		return List{}, fault.Wrap(err, fault.NotFound, "vocabulary_unreadable", fmt.Sprintf("The term file %s cannot be read.", filepath.Base(path)))
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return List{}, fault.Wrap(err, fault.Invalid, "vocabulary_damaged", fmt.Sprintf("%s is no gzip file.", filepath.Base(path)))
		}
		defer z.Close()
		r = z
	}
	return Read(r, filepath.Base(path))
}

// LoadFolder reads every term file (*.tsv, *.tsv.gz) of a folder, sorted by name. A folder that does not exist is empty.
func LoadFolder(dir string) ([]List, error) {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read vocabulary folder: %w", err)
	}
	var lists []List
	for _, e := range entries {
		if !e.Type().IsRegular() || (!strings.HasSuffix(e.Name(), ".tsv") && !strings.HasSuffix(e.Name(), ".tsv.gz")) {
			continue
		}
		list, err := Load(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		lists = append(lists, list)
	}
	return lists, nil
}

// Read reads a term file from a stream; name is for errors.
func Read(r io.Reader, name string) (List, error) {
	p := &parser{list: List{Source: Source{File: name}}, weight: 0.3}
	if err := eachLine(r, name, maxFile, p.line); err != nil {
		return List{}, err
	}
	if p.list.Source.Source == "" || p.list.Source.Licence == "" {
		return List{}, fault.New(fault.Invalid, "vocabulary_without_source",
			fmt.Sprintf("%s does not say its source and licence. Its first lines must be \"# source: …\" and \"# licence: …\".", name))
	}
	p.list.Source.Count = len(p.list.Terms)
	return p.list, nil
}

// eachLine calls f with each line, up to most bytes in all; f's errors get the line's number.
func eachLine(r io.Reader, name string, most int64, f func(line string) error) error {
	s := bufio.NewScanner(io.LimitReader(r, most+1))
	s.Buffer(make([]byte, 0, maxLine), maxLine)
	n, size := 0, int64(0)
	for s.Scan() {
		n++
		size += int64(len(s.Bytes())) + 1
		if err := f(strings.TrimRight(s.Text(), "\r")); err != nil {
			return fault.New(fault.Invalid, "vocabulary_line", fmt.Sprintf("%s, line %d: %v.", name, n, err))
		}
	}
	switch err := s.Err(); {
	case err != nil:
		return fault.Wrap(err, fault.Invalid, "vocabulary_damaged", fmt.Sprintf("%s cannot be read beyond line %d: the next line is too long or the file is damaged.", name, n))
	case size > most+1:
		return fault.New(fault.TooLarge, "vocabulary_too_large", fmt.Sprintf("%s is larger than %d MB.", name, most>>20))
	}
	return nil
}

// parser collects a term file.
type parser struct {
	list   List
	weight float64
}

func (p *parser) line(line string) error {
	switch {
	case strings.TrimSpace(line) == "":
		return nil
	case strings.HasPrefix(line, "#"):
		return p.header(line)
	case len(p.list.Terms) >= maxTerms:
		return fmt.Errorf("more than %d terms", maxTerms)
	}
	t, err := p.term(strings.Split(line, "\t"))
	if err != nil {
		return err
	}
	p.list.Terms = append(p.list.Terms, t)
	return nil
}

// header takes "# key: value"; other comments are read over.
func (p *parser) header(line string) error {
	key, value, ok := strings.Cut(strings.TrimSpace(strings.TrimLeft(line, "#")), ":")
	value = strings.TrimSpace(value)
	if !ok {
		return nil
	}
	switch key {
	case "source":
		p.list.Source.Source = value
	case "licence":
		p.list.Source.Licence = value
	case "date":
		p.list.Source.Date = value
	case "kind":
		if !Kind(value).Known() {
			return fmt.Errorf("%q is no kind of term", value)
		}
		p.list.Source.Kind = Kind(value)
	case "weight":
		w, err := parseWeight(value)
		if err != nil {
			return err
		}
		p.weight = w
	}
	return nil
}

func (p *parser) term(columns []string) (Term, error) {
	column := func(i int) string {
		if i < len(columns) {
			return strings.TrimSpace(columns[i])
		}
		return ""
	}
	t := Term{Text: column(0), Kind: Kind(column(1)), Weight: p.weight, Says: list(column(3), "|"), Fields: list(column(4), ",")}
	if err := checkText(t.Text); err != nil {
		return Term{}, err
	}
	if t.Kind == "" {
		t.Kind = p.list.Source.Kind
	}
	if t.Kind == "" {
		return Term{}, fmt.Errorf("the term has no kind, and the file begins without one")
	}
	if !t.Kind.Known() {
		return Term{}, fmt.Errorf("%q is no kind of term; the kinds are %v", t.Kind, Kinds())
	}
	if w := column(2); w != "" {
		var err error
		if t.Weight, err = parseWeight(w); err != nil {
			return Term{}, err
		}
	}
	return t, nil
}

// checkText refuses what cannot be a term.
func checkText(text string) error {
	switch {
	case len(text) > maxText:
		return fmt.Errorf("a term of more than %d bytes", maxText)
	case !utf8.ValidString(text):
		return fmt.Errorf("not UTF-8")
	case strings.ContainsFunc(text, unicode.IsControl):
		return fmt.Errorf("a control character in a term")
	case !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
		return fmt.Errorf("a term without a letter")
	}
	return nil
}

func parseWeight(s string) (float64, error) {
	w, err := strconv.ParseFloat(s, 64)
	if err != nil || !(w >= 0 && w <= 1) {
		return 0, fmt.Errorf("%q is no weight between 0 and 1", s)
	}
	return w, nil
}

func list(s, separator string) []string {
	if s == "" {
		return nil
	}
	out := strings.Split(s, separator)
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return slices.DeleteFunc(out, func(v string) bool { return v == "" })
}

// Write writes a term file that Read reads.
func Write(w io.Writer, l List) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# source: %s\n# licence: %s\n", oneLine(l.Source.Source), oneLine(l.Source.Licence))
	if l.Source.Date != "" {
		fmt.Fprintf(b, "# date: %s\n", oneLine(l.Source.Date))
	}
	fmt.Fprintf(b, "# terms: %d\n", len(l.Terms))
	for _, t := range l.Terms {
		line := strings.Join([]string{
			oneLine(t.Text), string(t.Kind), strconv.FormatFloat(t.Weight, 'g', 3, 64), oneLine(strings.Join(t.Says, "|")), oneLine(strings.Join(t.Fields, ",")),
		}, "\t")
		fmt.Fprintln(b, strings.TrimRight(line, "\t"))
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write terms: %w", err)
	}
	return nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// DefaultWith is Default with the term files of a folder on top, such as a practice's data folder keeps in vocabulary/.
// Of a term that Default has already, the file's entry counts only where it says more: a greater weight or spoken forms.
func DefaultWith(dir string) (*Lexicon, error) {
	lists, err := LoadFolder(dir)
	if err != nil {
		return nil, err
	}
	base := Default()
	var terms []Term
	for _, l := range lists {
		for _, t := range l.Terms {
			if old, known := base.exact(t.Text); !known || t.Weight > old.Weight || len(t.Says) > len(old.Says) {
				t.Weight = max(t.Weight, old.Weight)
				terms = append(terms, t)
			}
		}
	}
	return base.With(terms...), nil
}
