package notes

import (
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"vesper/internal/fault"
)

// ReadTextBlocks reads an author's text blocks from a file: a YAML list of name, also and text. By and at say whose they are
// and since when they count as approved. An error says what to mend and in which line.
func ReadTextBlocks(data []byte, by string, at time.Time) ([]TextBlock, error) {
	var rows []struct {
		Name string   `yaml:"name"`
		Also []string `yaml:"also"`
		Text string   `yaml:"text"`
	}
	if err := yaml.UnmarshalWithOptions(data, &rows, yaml.Strict()); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "blocks_invalid",
			"The file of texts cannot be read. It is a list of name, also and text: "+strings.SplitN(yaml.FormatError(err, false, false), "\n", 2)[0])
	}
	var out []TextBlock
	seen := map[string]bool{}
	for i, r := range rows {
		b := TextBlock{Name: strings.Join(strings.Fields(r.Name), " "), Also: r.Also, Text: strings.TrimSpace(NormalizeText(r.Text)), ApprovedBy: by, ApprovedAt: at}
		if b.Text == "" || plainName(b.Name) == "" {
			return nil, fault.New(fault.Invalid, "blocks_invalid", fmt.Sprintf("Text %d of the file has no name or no text.", i+1))
		}
		for _, name := range b.names() {
			if seen[plainName(name)] {
				return nil, fault.New(fault.Invalid, "blocks_invalid", fmt.Sprintf("Two texts of the file are called “%s”.", name))
			}
			seen[plainName(name)] = true
		}
		out = append(out, b)
	}
	return out, nil
}
