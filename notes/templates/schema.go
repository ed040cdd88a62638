package templates

import (
	_ "embed" // for the schema
	"slices"
)

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema of template files. Editors that know it complete and check templates while they are written.
func Schema() []byte { return slices.Clone(schema) }
