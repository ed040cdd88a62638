package pipeline

import (
	"context"
	"strings"

	"vesper/internal/lexicon"
	"vesper/notes"
)

// patientFacts is what is known of the patient to whom a dictation is bound, so that the draft can be held against it: who
// it is, and the drugs of the chart as they were frozen for the transcription. Without a patient nothing is known.
func patientFacts(ctx context.Context, tx Tx, d Dictation, transcription StoredTranscript) (notes.Patient, error) {
	if d.PatientID == nil {
		return notes.Patient{}, nil
	}
	p, err := tx.Patient(ctx, *d.PatientID)
	if err != nil {
		return notes.Patient{}, err
	}
	facts := notes.Patient{Name: p.Name, BirthDate: p.BirthDate, Sex: strings.ToLower(p.Sex), MRN: p.MRN}
	frozen, _, err := tx.FrozenTerms(ctx, transcription.JobID)
	if err != nil {
		return notes.Patient{}, err
	}
	added, err := addedWords(ctx, tx, d)
	if err != nil {
		return notes.Patient{}, err
	}
	facts.Drugs = chartDrugs(frozen, added)
	return facts, nil
}

// addedWords are the words that the author and the practice added, in lower case.
func addedWords(ctx context.Context, tx Tx, d Dictation) (map[string]bool, error) {
	out := map[string]bool{}
	authors, err := tx.VocabularyTerms(ctx, &d.AuthorID)
	if err != nil {
		return nil, err
	}
	practice, err := tx.VocabularyTerms(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, v := range append(authors, practice...) {
		out[strings.ToLower(v.Text)] = true
	}
	return out, nil
}

// chartDrugs are the drugs among the terms expected for a dictation that nobody added by hand: those of the chart.
func chartDrugs(frozen []lexicon.Term, added map[string]bool) []string {
	var out []string
	for _, t := range frozen {
		if t.Kind.Drug() && !added[strings.ToLower(t.Text)] {
			out = append(out, t.Text)
		}
	}
	return out
}
