package lexicon

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// rxnormKinds are the term types of RxNorm that are names of drugs: ingredients, precise and multiple ones, and brands.
var rxnormKinds = map[string]Kind{"IN": Generic, "PIN": Generic, "MIN": Generic, "BN": Brand}

// readRxNorm reads RXNCONSO.RRF: columns divided by "|", of which the 2nd is the language, the 12th the source, the 13th
// the type, the 15th the name and the 17th says whether it is suppressed (RxNorm Technical Documentation, section 12.4).
// Only names of RxNorm itself are taken: those of other sources are under licences of their own.
func readRxNorm(r io.Reader, name string, c *collector) error {
	return eachLine(r, name, maxImport, func(line string) error {
		if line == "" {
			return nil
		}
		columns := strings.Split(line, "|")
		if len(columns) < 18 {
			return fmt.Errorf("%d columns where RXNCONSO.RRF has 18", len(columns)-1)
		}
		kind, wanted := rxnormKinds[columns[12]]
		if columns[1] != "ENG" || columns[11] != "RXNORM" || columns[16] != "N" || !wanted {
			return nil
		}
		text := strings.ReplaceAll(oneLine(columns[14]), " / ", "-")
		if len(text) > maxText || !strings.ContainsFunc(text, unicode.IsLetter) {
			return nil // chemical names that nobody dictates
		}
		return c.add(Term{Text: text, Kind: kind, Weight: 0.3})
	})
}
