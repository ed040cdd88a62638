package notes

// Output is the form in which `vesper draft --json` prints a document: sections with their text. Other tools rely on it.
type Output struct {
	WorkType  string          `json:"work_type"`
	Sections  []SectionOutput `json:"sections"`
	Blanks    []Blank         `json:"blanks"`
	Flags     []Flag          `json:"flags"`
	FollowUps []FollowUp      `json:"follow_ups"`
	Removed   []Removed       `json:"removed"`
	Copies    []Copy          `json:"copies,omitempty"`
	Requests  []Request       `json:"requests,omitempty"`
}

// SectionOutput is a section without the sources of its words.
type SectionOutput struct {
	Key     string `json:"key"`
	Heading string `json:"heading"`
	Text    string `json:"text"`
}

// Output returns the document in its printed form, without empty lists being null.
func (d Document) Output() Output {
	out := Output{
		WorkType: d.WorkType, Sections: sectionOutputs(d), Blanks: append([]Blank{}, d.Blanks...),
		Flags: append([]Flag{}, d.Flags...), FollowUps: append([]FollowUp{}, d.FollowUps...),
		Removed: append([]Removed{}, d.Removed...), Copies: d.Copies, Requests: d.Requests,
	}
	return out
}

func sectionOutputs(d Document) []SectionOutput {
	out := make([]SectionOutput, len(d.Sections))
	for i, s := range d.Sections {
		out[i] = SectionOutput{Key: s.Key, Heading: s.Heading, Text: s.Text()}
	}
	return out
}
