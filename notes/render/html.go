package render

import (
	"bytes"
	_ "embed" // for the page
	"html/template"
	"sync"
)

//go:embed page.html
var pageSource string

var pageTemplate = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(pageSource)) })

// writeHTML is the version as one page that needs nothing else: no script, no address, the style inside.
func writeHTML(v Version) ([]byte, error) {
	var b bytes.Buffer
	if err := pageTemplate().Execute(&b, struct {
		page
		Mark string
	}{pageOf(v), Draft}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
