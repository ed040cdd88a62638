package lexicon

import (
	"archive/zip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"vesper/internal/fault"
)

// dpd is one reading of the Drug Product Database. Products come before ingredients, which are taken only of products for
// people.
type dpd struct {
	collect *collector
	animals map[string]bool // drug codes of veterinary products
}

// readDPDFiles reads zips and text files of the database in the order that their content needs.
func readDPDFiles(paths []string, c *collector) error {
	d := &dpd{collect: c, animals: map[string]bool{}}
	found := false
	for _, part := range []struct {
		prefix string
		read   func(io.Reader, string) error
	}{{"drug", d.products}, {"ingred", d.ingredients}} {
		for _, p := range paths {
			n, err := readParts(p, part.prefix, part.read)
			if err != nil {
				return err
			}
			found = found || n > 0
		}
	}
	if !found {
		return fault.New(fault.Invalid, "vocabulary_files", "The Drug Product Database comes as a zip with drug.txt and ingred.txt; neither was given.")
	}
	return nil
}

// readParts reads what a path holds of one part: itself by its name, or a zip's members by theirs.
func readParts(p, prefix string, read func(io.Reader, string) error) (int, error) {
	base := filepath.Base(p)
	if !strings.EqualFold(filepath.Ext(p), ".zip") {
		if !isPart(base, prefix) {
			return 0, nil
		}
		return 1, withFile(p, func(r io.Reader) error { return read(r, base) })
	}
	z, err := zip.OpenReader(p)
	if err != nil {
		return 0, fault.Wrap(err, fault.Invalid, "vocabulary_damaged", fmt.Sprintf("%s cannot be read as a zip.", base))
	}
	defer z.Close()
	n := 0
	for _, f := range z.File {
		if !isPart(path.Base(f.Name), prefix) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return n, fault.Wrap(err, fault.Invalid, "vocabulary_damaged", fmt.Sprintf("%s in %s cannot be read.", path.Base(f.Name), base))
		}
		err = read(r, path.Base(f.Name))
		r.Close()
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// isPart takes drug.txt and its kin for approved, inactive and dormant products (drug_ap.txt, drug_ia.txt …).
func isPart(name, prefix string) bool {
	name = strings.ToLower(name)
	stem, ok := strings.CutSuffix(name, ".txt")
	return ok && (stem == prefix || strings.HasPrefix(stem, prefix+"_"))
}

// eachRecord calls f with each record of a CSV file of the database.
func eachRecord(r io.Reader, name string, columns int, f func(record []string) error) error {
	limited := &io.LimitedReader{R: r, N: maxImport + 1}
	c := csv.NewReader(limited)
	c.FieldsPerRecord, c.LazyQuotes, c.ReuseRecord = -1, true, true
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			if limited.N <= 0 {
				return fault.New(fault.TooLarge, "vocabulary_too_large", fmt.Sprintf("%s is larger than %d MB.", name, maxImport>>20))
			}
			return nil
		}
		line, _ := c.FieldPos(0)
		if err == nil && len(record) < columns {
			err = fmt.Errorf("%d columns where at least %d are expected", len(record), columns)
		}
		if err == nil {
			err = f(record)
		}
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "vocabulary_line", fmt.Sprintf("%s, line %d: %s.", name, line, lineFault(err)))
		}
	}
}

// lineFault is an error without the position that the CSV reader puts before it.
func lineFault(err error) string {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return parse.Err.Error()
	}
	return err.Error()
}

// products reads drug.txt: drug code, category, class, number, brand name, …
func (d *dpd) products(r io.Reader, name string) error {
	return eachRecord(r, name, 5, func(record []string) error {
		if strings.EqualFold(record[2], "Veterinary") {
			d.animals[strings.Clone(record[0])] = true
			return nil
		}
		brand := brandOf(record[4])
		if brand == "" {
			return nil
		}
		return d.collect.add(Term{Text: brand, Kind: Brand, Weight: 0.25})
	})
}

// ingredients reads ingred.txt: drug code, ingredient code, ingredient, …
func (d *dpd) ingredients(r io.Reader, name string) error {
	return eachRecord(r, name, 3, func(record []string) error {
		if d.animals[record[0]] {
			return nil
		}
		text := ingredientOf(record[2])
		if text == "" {
			return nil
		}
		return d.collect.add(Term{Text: text, Kind: Generic, Weight: 0.35})
	})
}

// house are manufacturers' prefixes: what follows them is a generic name.
var house = []string{"APO", "TEVA", "PMS", "SANDOZ", "AURO", "TARO", "MYLAN", "JAMP", "RIVA", "ACH", "AG", "NRA", "RATIO", "NOVO", "MINT", "MAR", "RAN", "SANIS", "SIVEM", "BIO", "ODAN", "PRZ", "NAT", "GD", "DOM", "PHL", "ACCEL", "M", "VAN", "GLN", "PRO", "ACT", "CO"}

// afterName are words at which a product's name ends and its form begins.
var afterName = []string{"TABLET", "TABLETS", "TAB", "TABS", "CAPSULE", "CAPSULES", "CAP", "CAPS", "INJECTION", "INJ", "SOLUTION", "CREAM", "OINTMENT", "ONT", "LOTION", "GEL", "SUSPENSION", "SYRUP", "DROPS", "SPRAY", "PATCH", "POWDER", "FOR", "WITH", "AND", "USP", "BP", "LIQ", "LIQUID", "SUPPOSITORIES", "SUPPOSITORY", "SHAMPOO", "EMULSION", "AEROSOL", "KIT", "TOPICAL", "ORAL", "OPHTHALMIC", "NASAL"}

// brandOf shortens a product's name to the brand: "ZESTRIL TAB 10MG" → Zestril. It is "" when nothing is left or the name
// begins with a manufacturer.
func brandOf(product string) string {
	var kept []string
	for i, word := range strings.FieldsFunc(strings.ToUpper(product), func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == '(' }) {
		first, _, hyphen := strings.Cut(word, "-")
		if i == 0 && slices.Contains(house, first) && (hyphen || len(first) > 1) {
			return ""
		}
		if strings.ContainsFunc(word, unicode.IsDigit) || slices.Contains(afterName, word) || strings.ContainsAny(word, "%/&") {
			break
		}
		kept = append(kept, titled(word))
	}
	if len(kept) == 0 || len(kept) > 2 || len(kept[0]) < 4 || len(strings.Join(kept, " ")) > maxText {
		return ""
	}
	return strings.Join(kept, " ")
}

func titled(word string) string {
	runes := []rune(strings.ToLower(word))
	runes[0] = unicode.ToUpper(runes[0])
	return string(runes)
}

// salts are left out at the end of an ingredient: nobody dictates them.
var salts = []string{"hydrochloride", "sodium", "potassium", "calcium", "sulfate", "sulphate", "acetate", "maleate", "tartrate", "citrate", "phosphate", "mesylate", "besylate", "fumarate", "succinate", "hydrobromide", "bitartrate", "bromide", "monohydrate", "dihydrate", "trihydrate", "hemihydrate", "anhydrous", "disodium", "dihydrochloride"}

// ingredientOf shortens an ingredient: "METFORMIN HYDROCHLORIDE" → metformin.
func ingredientOf(ingredient string) string {
	before, _, _ := strings.Cut(strings.ToLower(ingredient), "(")
	words := strings.Fields(before)
	for len(words) > 1 && slices.Contains(salts, words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	text := strings.Join(words, " ")
	if len(words) == 0 || len(words) > 3 || len(text) < 4 || len(text) > maxText || strings.ContainsFunc(text, unicode.IsDigit) || strings.ContainsAny(text, ",%[]") {
		return ""
	}
	return text
}
