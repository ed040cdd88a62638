package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"vesper/internal/fault"
	"vesper/internal/lexicon"
)

// vocabularyCmd works on the lists of medical terms.
type vocabularyCmd struct {
	Import vocabularyImportCmd `cmd:"" help:"Read a published list of terms into the data folder's vocabulary."`
	Show   vocabularyShowCmd   `cmd:"" help:"Show what the lexicon knows of a word and what sounds like it."`
	List   vocabularyListCmd   `cmd:"" help:"List the files of terms with source, licence and size; with --practice, the words that were added."`
	Add    vocabularyAddCmd    `cmd:"" help:"Add words to a practice's or an author's list."`
	Remove vocabularyRemoveCmd `cmd:"" help:"Take words out of such a list."`
}

// vocabularyFolder is where a practice's own lists are.
type vocabularyFolder struct {
	Data string `help:"Data folder of vesper up." default:"./data" placeholder:"DIR"`
}

func (f vocabularyFolder) path() string { return filepath.Join(f.Data, "vocabulary") }

type vocabularyImportCmd struct {
	vocabularyFolder
	Format  string   `help:"What the files are: rxnorm, dpd, icd10cm or list." enum:"rxnorm,dpd,icd10cm,list" required:""`
	Kind    string   `help:"Kind of a plain list's terms: generic, brand, disease, procedure …" placeholder:"KIND"`
	Source  string   `help:"Where a plain list comes from." placeholder:"TEXT"`
	Licence string   `help:"Under which licence a plain list is." placeholder:"TEXT"`
	Out     string   `help:"File to write (.tsv or .tsv.gz); empty: FORMAT.tsv.gz in the data folder's vocabulary." placeholder:"FILE"`
	File    []string `arg:"" help:"RXNCONSO.RRF; DPD's zip or drug.txt and ingred.txt; ICD-10-CM's order or codes file; a list, one term a line." type:"existingfile"`
}

// Run imports the files and writes one term file.
func (c *vocabularyImportCmd) Run(rt *runtime) error {
	if c.Kind != "" && !lexicon.Kind(c.Kind).Known() {
		return fault.New(fault.Invalid, "vocabulary_kind", fmt.Sprintf("%q is no kind of term. The kinds are %v.", c.Kind, lexicon.Kinds()))
	}
	list, err := lexicon.Import{
		Format: lexicon.Format(c.Format), Kind: lexicon.Kind(c.Kind), Source: c.Source, Licence: c.Licence, Date: time.Now().UTC().Format(time.DateOnly),
	}.Run(c.File)
	if err != nil {
		return err
	}
	out := c.Out
	if out == "" {
		out = filepath.Join(c.path(), c.Format+".tsv.gz")
		if err := os.MkdirAll(c.path(), 0o750); err != nil {
			return fault.Wrap(err, fault.Invalid, "vocabulary_folder", fmt.Sprintf("The folder %s cannot be made.", c.path()))
		}
	}
	if err := writeTerms(out, list); err != nil {
		return fault.Wrap(err, fault.Invalid, "vocabulary_write", fmt.Sprintf("%s cannot be written.", out))
	}
	fmt.Fprintf(rt.out, "%s: %d terms\n  source  %s\n  licence %s\n", out, len(list.Terms), list.Source.Source, list.Source.Licence)
	return nil
}

// writeTerms writes a term file beside its place and moves it there, so that nobody reads half of one.
func writeTerms(path string, list lexicon.List) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".vocabulary-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	var w io.WriteCloser = f
	if filepath.Ext(path) == ".gz" {
		w = gzip.NewWriter(f)
	}
	if err := lexicon.Write(w, list); err != nil {
		f.Close()
		return err
	}
	if w != io.WriteCloser(f) {
		if err := w.Close(); err != nil {
			f.Close()
			return err
		}
	}
	if err := f.Chmod(0o640); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

type vocabularyShowCmd struct {
	vocabularyFolder
	Word []string `arg:"" help:"A word or several, as they were heard."`
	Max  float64  `help:"How far away a sound may be: 0 the same, 1 nothing in common." default:"0.36"`
	N    int      `name:"count" help:"How many terms to show." default:"10"`
}

// Run looks each word up.
func (c *vocabularyShowCmd) Run(rt *runtime) error {
	l, err := lexicon.DefaultWith(c.path())
	if err != nil {
		return err
	}
	for _, word := range c.Word {
		showWord(rt.out, l, word, c.Max, c.N)
	}
	return nil
}

func showWord(out io.Writer, l *lexicon.Lexicon, word string, most float64, n int) {
	fmt.Fprintf(out, "%s  sounds %s", word, lexicon.Spell(lexicon.Sounds(word)))
	if e := lexicon.English(word); e > 0 {
		fmt.Fprintf(out, ", plain English (%.1f)", e)
	}
	if t, ok := l.Find(word); ok {
		fmt.Fprintf(out, ", known: %s, %s, weight %.2f", t.Text, t.Kind, t.Weight)
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, m := range l.Near(word, most, n) {
		says := ""
		if m.Says != m.Term.Text {
			says = "as " + m.Says
		}
		fmt.Fprintf(w, "  %.2f\t%s\t%s\t%.2f\t%s\n", m.Distance, m.Term.Text, m.Term.Kind, m.Term.Weight, says)
	}
	_ = w.Flush() // to a terminal
}

type vocabularyListCmd struct{ termListFlags }

// Run prints the sources, and the added words of a practice or an author if one is named.
func (c *vocabularyListCmd) Run(rt *runtime) error {
	lists, err := lexicon.LoadFolder(c.path())
	if err != nil {
		return err
	}
	sources := lexicon.Sources()
	for _, l := range lists {
		l.Source.File = filepath.Join(c.path(), l.Source.File)
		sources = append(sources, l.Source)
	}
	w := tabwriter.NewWriter(rt.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FILE\tTERMS\tLICENCE\tSOURCE")
	for _, s := range sources {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", s.File, s.Count, s.Licence, s.Source)
	}
	if err := w.Flush(); err != nil || c.Practice == "" {
		return err
	}
	l, err := c.open(rt)
	if err != nil {
		return err
	}
	defer l.close()
	return l.show(rt)
}
