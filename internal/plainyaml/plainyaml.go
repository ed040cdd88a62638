// Package plainyaml refuses YAML that makes a short text long or deep to read: anchors and aliases, and brackets in brackets in
// brackets. It is for texts that come from people whom nobody has to trust.
package plainyaml

import (
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// maxDepth is how deep brackets may be nested; no file of Vesper's needs more than three.
const maxDepth = 8

// Check finds the first thing that is not plain: its line, counted from one, and what is wrong with it in words. ok says
// that there is none. Whether the text is YAML at all is for its parser to say.
func Check(text string) (line int, wrong string, ok bool) {
	depth := 0
	for _, t := range lexer.Tokenize(text) {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return t.Position.Line, "rules have no anchors and aliases; write each value where it belongs", false
		case token.SequenceStartType, token.MappingStartType:
			if depth++; depth > maxDepth {
				return t.Position.Line, "lists and maps are nested too deep", false
			}
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
	}
	return 0, "", true
}
