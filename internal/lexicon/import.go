package lexicon

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"vesper/internal/fault"
)

// Format is a kind of file that terms can be imported from.
type Format string

// The formats.
const (
	FormatRxNorm  Format = "rxnorm"  // RxNorm's RXNCONSO.RRF (National Library of Medicine)
	FormatDPD     Format = "dpd"     // Health Canada's Drug Product Database: its zip, or drug.txt and ingred.txt
	FormatICD10CM Format = "icd10cm" // ICD-10-CM's order or codes file
	FormatList    Format = "list"    // one term a line, optionally a tab and its kind
)

// Import is an import's settings.
type Import struct {
	Format  Format
	Kind    Kind   // for lists: kind of terms that name none
	Source  string // for lists, required; for the others a standard text
	Licence string // likewise
	Date    string // YYYY-MM-DD
}

// maxImport bounds one file of an import, unpacked; RxNorm's is about 150 MB.
const maxImport = 1 << 30

// known are the sources whose origin and licence are certain.
var known = map[Format]Source{
	FormatRxNorm: {
		Source:  "RxNorm, names of SAB=RXNORM only. This product uses publicly available data courtesy of the U.S. National Library of Medicine (NLM); NLM is not responsible for the product and does not endorse it",
		Licence: "no licence is needed for the RXNORM subset (public domain)",
	},
	FormatDPD: {
		Source:  "Health Canada Drug Product Database. Contains information licensed under the Open Government Licence - Canada",
		Licence: "Open Government Licence - Canada",
	},
	FormatICD10CM: {
		Source:  "ICD-10-CM (National Center for Health Statistics, Centers for Medicare and Medicaid Services), shortened",
		Licence: "United States public domain",
	},
}

// Run reads the files and returns their terms, sorted, each once.
func (im Import) Run(paths []string) (List, error) {
	list := List{Source: known[im.Format]}
	if im.Source != "" {
		list.Source.Source = im.Source
	}
	if im.Licence != "" {
		list.Source.Licence = im.Licence
	}
	list.Source.Date = im.Date
	if list.Source.Source == "" || list.Source.Licence == "" {
		return List{}, fault.New(fault.Invalid, "vocabulary_without_source", "A plain list does not say where it comes from. Give --source and --licence.")
	}
	collect := &collector{terms: map[string]Term{}}
	if err := im.read(paths, collect); err != nil {
		return List{}, err
	}
	list.Terms = collect.sorted()
	list.Source.Count = len(list.Terms)
	if len(list.Terms) == 0 {
		return List{}, fault.New(fault.Invalid, "vocabulary_empty", fmt.Sprintf("No terms were found. Is this really the format %q?", im.Format))
	}
	return list, nil
}

func (im Import) read(paths []string, c *collector) error {
	switch im.Format {
	case FormatDPD:
		return readDPDFiles(paths, c)
	case FormatRxNorm, FormatICD10CM, FormatList:
		for _, path := range paths {
			if err := withFile(path, func(r io.Reader) error { return im.one(r, filepath.Base(path), c) }); err != nil {
				return err
			}
		}
		return nil
	default:
		return fault.New(fault.Invalid, "vocabulary_format", fmt.Sprintf("%q is no format of vocabulary; there are rxnorm, dpd, icd10cm and list.", im.Format))
	}
}

func (im Import) one(r io.Reader, name string, c *collector) error {
	switch im.Format {
	case FormatRxNorm:
		return readRxNorm(r, name, c)
	case FormatICD10CM:
		return readICD10CM(r, name, c)
	default:
		return readPlainList(r, name, im.Kind, c)
	}
}

// withFile opens a file for f.
func withFile(path string, f func(io.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return fault.Wrap(err, fault.NotFound, "vocabulary_unreadable", fmt.Sprintf("%s cannot be read.", filepath.Base(path)))
	}
	defer file.Close()
	return f(file)
}

// collector gathers terms, each text once.
type collector struct{ terms map[string]Term }

// add keeps a term; what is no term or too much is an error.
func (c *collector) add(t Term) error {
	if err := checkText(t.Text); err != nil {
		return err
	}
	key := keyOf(t.Text)
	if old, seen := c.terms[key]; seen && old.Weight >= t.Weight {
		return nil
	}
	if len(c.terms) >= maxTerms {
		return fmt.Errorf("more than %d terms", maxTerms)
	}
	c.terms[key] = t
	return nil
}

func (c *collector) sorted() []Term {
	out := make([]Term, 0, len(c.terms))
	for _, t := range c.terms {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Term) int {
		return cmp.Or(cmp.Compare(keyOf(a.Text), keyOf(b.Text)), cmp.Compare(a.Text, b.Text))
	})
	return out
}

// readPlainList reads one term a line, optionally a tab and its kind.
func readPlainList(r io.Reader, name string, kind Kind, c *collector) error {
	if kind == "" {
		kind = Other
	}
	p := &parser{list: List{Source: Source{Kind: kind}}, weight: 0.3}
	return eachLine(r, name, maxImport, func(line string) error {
		if err := p.line(line); err != nil {
			return err
		}
		for _, t := range p.list.Terms {
			if err := c.add(t); err != nil {
				return err
			}
		}
		p.list.Terms = p.list.Terms[:0]
		return nil
	})
}
