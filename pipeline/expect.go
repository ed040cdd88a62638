package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/internal/lexicon"
)

// Chart tells what stands in a patient's record, so that the recogniser may expect it.
//
// Terms lists the names of the drugs that the patient takes and of the problems that are open. Implementations
//   - MUST return soon after ctx is done, and MUST be safe for use by several goroutines;
//   - MUST NOT put patient text into errors or logs;
//   - need not be right or complete: what fails, hangs or answers nonsense costs expectations, never a dictation.
type Chart interface {
	Terms(ctx context.Context, patientRef string) ([]lexicon.Term, error)
}

// Bounds of what a transcription expects.
const (
	mostTerms    = 60 // terms frozen for one dictation
	mostDrugs    = 20
	mostProblems = 15
	mostRead     = 500             // terms of a chart that are looked at
	chartTime    = 3 * time.Second // for the whole of a chart; it is read while the recording is fetched and decoded
	unknownTerm  = 0.5             // weight of a term that the lexicon does not have
	shortestName = 3               // letters of a part of a name that is worth expecting
)

// expectation is what a dictation's rows say about the words to come.
type expectation struct {
	frozen            bool
	terms             []lexicon.Term
	author            Person
	patient           Patient
	visit             Encounter
	authors, practice []VocabularyTerm
}

// expect returns the settings of a transcription with the terms to expect in them. The first run gathers the terms and
// freezes them beside the job; every later run of the same job uses those, whatever has changed since.
func (w *Worker) expect(ctx context.Context, job Job) (json.RawMessage, error) {
	x, err := w.expectation(ctx, job)
	if err != nil {
		return nil, err
	}
	if x.frozen {
		return withTerms(job.Settings, x.terms)
	}
	begun, err := w.Store.Chunks(ctx, job.ID)
	if err != nil {
		return nil, err
	}
	if len(begun) > 0 { // by a version that froze no terms: it goes on with none
		x.terms, err = w.freeze(ctx, job, nil, "")
	} else {
		chart, result := w.readChart(ctx, x.patient.EHRRef)
		x.terms, err = w.freeze(ctx, job, w.assemble(x, chart), result)
	}
	if err != nil {
		return nil, err
	}
	return withTerms(job.Settings, x.terms)
}

// expectation reads what was frozen, or else all that the database knows.
func (w *Worker) expectation(ctx context.Context, job Job) (x expectation, err error) {
	err = w.Store.InTx(ctx, job.PracticeID, func(ctx context.Context, tx Tx) (err error) {
		x = expectation{}
		if x.terms, x.frozen, err = tx.FrozenTerms(ctx, job.ID); err != nil || x.frozen {
			return err
		}
		d, err := tx.Dictation(ctx, job.DictationID)
		if err != nil {
			return err
		}
		return x.read(ctx, tx, d.AuthorID, d.PatientID, d.EncounterID)
	})
	return x, err
}

// read gathers what the database knows of an author, a patient and a visit.
func (x *expectation) read(ctx context.Context, tx Tx, author uuid.UUID, patient, visit *uuid.UUID) (err error) {
	if x.author, err = tx.Person(ctx, author); err != nil {
		return err
	}
	if patient != nil {
		if x.patient, err = tx.Patient(ctx, *patient); err != nil {
			return err
		}
	}
	if visit != nil {
		if x.visit, err = tx.Encounter(ctx, *visit); err != nil {
			return err
		}
	}
	if x.authors, err = tx.VocabularyTerms(ctx, &author); err != nil {
		return err
	}
	x.practice, err = tx.VocabularyTerms(ctx, nil)
	return err
}

// freeze keeps the terms under the job's token, with the event that the chart was read, and returns what is kept: the
// first run's, should two have come this far.
func (w *Worker) freeze(ctx context.Context, job Job, terms []lexicon.Term, chart string) (kept []lexicon.Term, err error) {
	err = w.Store.InTx(ctx, job.PracticeID, func(ctx context.Context, tx Tx) error {
		if err := tx.FreezeTerms(ctx, job.ID, job.LeaseToken, terms); err != nil {
			return err
		}
		if chart != "" {
			detail := map[string]string{"job": string(job.Kind), "result": "chart_read", "terms": itoa(len(terms))}
			if chart != chartRead {
				detail["result"], detail["code"] = "chart_unread", chart
			}
			if err := tx.Audit(ctx, done(access.SystemActor(job.PracticeID), access.Process, job.DictationID, detail)); err != nil {
				return err
			}
		}
		kept, _, err = tx.FrozenTerms(ctx, job.ID)
		return err
	})
	return kept, err
}

const chartRead = "ok"

// readChart asks the EHR, and waits no longer than chartTime even for one that does not heed its context. The result is
// "" where there is nothing to ask, chartRead, or the code of what went wrong.
func (w *Worker) readChart(ctx context.Context, ref string) (terms []lexicon.Term, result string) {
	if w.Chart == nil || ref == "" {
		return nil, ""
	}
	ctx, cancel := context.WithTimeout(ctx, chartTime)
	defer cancel()
	type answer struct {
		terms []lexicon.Term
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		a.err = guarded(func() (err error) { a.terms, err = w.Chart.Terms(ctx, ref); return err })()
		answers <- a
	}()
	select {
	case a := <-answers:
		if a.err != nil {
			w.Log.InfoContext(ctx, "chart not read; the dictation goes on without it", "code", fault.As(a.err).Code)
			return a.terms, fault.As(a.err).Code
		}
		return a.terms, chartRead
	case <-ctx.Done():
		w.Log.InfoContext(ctx, "chart not read; the dictation goes on without it", "code", "ehr_slow")
		return nil, "ehr_slow"
	}
}

// assemble orders the terms, the most specific first, each once: the patient's drugs, problems and names, what the visit is
// about, the author's name and words, the practice's words.
func (w *Worker) assemble(x expectation, chart []lexicon.Term) []lexicon.Term {
	known := w.lexicon()
	var drugs, problems []lexicon.Term
	for _, t := range chart[:min(len(chart), mostRead)] {
		switch t, ok := cleaned(t); {
		case !ok:
		case t.Kind.Drug() || t.Kind == lexicon.Class:
			drugs = append(drugs, t)
		default:
			problems = append(problems, t)
		}
	}
	drugs, problems = distinct(drugs), distinct(problems)
	return capped(distinct(slices.Concat(
		capped(drugs, mostDrugs), capped(problems, mostProblems), nameTerms(x.patient.Name), known.Within(x.visit.Title),
		nameTerms(x.author.Name), vocabulary(known, x.authors), vocabulary(known, x.practice))), mostTerms)
}

func (w *Worker) lexicon() *lexicon.Lexicon {
	if w.Lexicon == nil {
		return lexicon.Default()
	}
	return w.Lexicon
}

// cleaned makes a term of whatever a chart says, or none.
func cleaned(t lexicon.Term) (lexicon.Term, bool) {
	out := lexicon.Term{Text: strings.Join(strings.Fields(t.Text), " "), Kind: t.Kind, Weight: t.Weight}
	if !sayable(out.Text) || lexicon.English(out.Text) >= everydayWords {
		return out, false
	}
	if !out.Kind.Known() {
		out.Kind = lexicon.Other
	}
	if math.IsNaN(out.Weight) {
		out.Weight = unknownTerm
	}
	out.Weight = min(max(out.Weight, 0), 1)
	for _, form := range t.Says[:min(len(t.Says), mostSays)] {
		if form = strings.Join(strings.Fields(form), " "); sayable(form) {
			out.Says = append(out.Says, form)
		}
	}
	return out, true
}

// nameTerms are the parts of a person's name that are no everyday words and no titles.
func nameTerms(name string) []lexicon.Term {
	var out []lexicon.Term
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == ',' || r == '.' }) {
		t, ok := cleaned(lexicon.Term{Text: part, Kind: lexicon.Other, Weight: unknownTerm})
		if ok && len([]rune(part)) >= shortestName && lexicon.English(part) == 0 {
			out = append(out, t)
		}
	}
	return out
}

// vocabulary turns added words into terms; what the lexicon knows of a word besides is kept.
func vocabulary(known *lexicon.Lexicon, added []VocabularyTerm) []lexicon.Term {
	var out []lexicon.Term
	for _, v := range added {
		t := lexicon.Term{Text: v.Text, Kind: v.Kind, Says: v.Says, Weight: unknownTerm}
		if k, ok := known.Find(v.Text); ok && strings.EqualFold(k.Text, v.Text) {
			t.Says, t.Weight = append(slices.Clone(v.Says), k.Says...), max(k.Weight, unknownTerm)
		}
		if t, ok := cleaned(t); ok {
			out = append(out, t)
		}
	}
	return out
}

// distinct keeps the first of terms with the same text.
func distinct(terms []lexicon.Term) []lexicon.Term {
	seen := map[string]bool{}
	return slices.DeleteFunc(terms, func(t lexicon.Term) bool {
		key := strings.ToLower(t.Text)
		defer func() { seen[key] = true }()
		return seen[key]
	})
}

func capped(terms []lexicon.Term, most int) []lexicon.Term { return terms[:min(len(terms), most)] }

// withTerms writes the terms into settings; the same terms give the same bytes.
func withTerms(settings json.RawMessage, terms []lexicon.Term) (json.RawMessage, error) {
	if len(terms) == 0 {
		return settings, nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(settings, &fields) != nil || fields == nil {
		return nil, fault.New(fault.Invalid, "job_settings", "The job's settings cannot be read. Order the stage again.")
	}
	raw, err := json.Marshal(terms)
	if err != nil {
		return nil, fmt.Errorf("encode terms: %w", err)
	}
	fields["terms"] = raw
	return json.Marshal(fields)
}

// expecting runs expect beside the caller. wait returns its result, as often as it is called; cancelling ctx ends it.
func (w *Worker) expecting(ctx context.Context, job Job) (wait func() (json.RawMessage, error)) {
	var settings json.RawMessage
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = guarded(func() (err error) { settings, err = w.expect(ctx, job); return err })()
	}()
	return func() (json.RawMessage, error) { <-ended; return settings, err }
}
