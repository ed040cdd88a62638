package notes_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"vesper/notes"
)

var noon = time.Date(2026, 10, 3, 12, 0, 0, 0, time.UTC)

func texts(d notes.Document) []notes.SectionText {
	var out []notes.SectionText
	for _, s := range d.Sections {
		out = append(out, notes.SectionText{Key: s.Key, Text: s.Text()})
	}
	return out
}

// sourceOf is the source of the run in which a word of a section stands.
func sourceOf(t *testing.T, d notes.Document, section, word string) notes.Source {
	t.Helper()
	s, ok := d.Section(section)
	if !ok {
		t.Fatalf("no section %s", section)
	}
	at, from := strings.Index(s.Text(), word), 0
	for _, r := range s.Runs {
		if at >= from && at < from+len(r.Text) && at >= 0 {
			return r.Source
		}
		from += len(r.Text)
	}
	t.Fatalf("no %q in %q", word, s.Text())
	return notes.Source{}
}

func TestSavingTheSameTextChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		doc := mustDraft(t, anyTranscript(t), anyTemplate(t))
		next := notes.Rebase(doc, texts(doc), "editor", noon)
		if diff := cmp.Diff(doc, next); diff != "" {
			t.Fatal(diff)
		}
	})
}

// anyEdit changes texts as people do: words in, out and moved, sections swapped, text pasted.
func anyEdit(t *rapid.T, doc notes.Document) []notes.SectionText {
	edited := texts(doc)
	for range rapid.IntRange(0, 6).Draw(t, "edits") {
		i := rapid.IntRange(0, len(edited)-1).Draw(t, "section")
		words := strings.Fields(edited[i].Text)
		at := rapid.IntRange(0, len(words)).Draw(t, "at")
		to := rapid.IntRange(at, len(words)).Draw(t, "to")
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			edited[i].Text = strings.Join(append(append(append([]string{}, words[:at]...), "typed"), words[at:]...), " ")
		case 1:
			edited[i].Text = strings.Join(append(append([]string{}, words[:at]...), words[to:]...), " ")
		case 2:
			j := rapid.IntRange(0, len(edited)-1).Draw(t, "target")
			edited[j].Text += "\n" + strings.Join(words[at:to], " ")
		case 5: // cut and pasted twice
			edited[i].Text = strings.Join(append(append([]string{}, words[:at]...), words[to:]...), " ")
			for range 2 {
				j := rapid.IntRange(0, len(edited)-1).Draw(t, "target")
				edited[j].Text += "\n" + strings.Join(words[at:to], " ")
			}
		case 3:
			j := rapid.IntRange(0, len(edited)-1).Draw(t, "target")
			edited[i].Text, edited[j].Text = edited[j].Text, edited[i].Text
		case 4:
			edited[i].Text += rapid.SampledFrom([]string{"  ", "\r\n", "a\u0301", "\x00x", "[blank 0:01–0:02]", "\xff", "…"}).Draw(t, "odd")
		}
	}
	return edited
}

func TestRunsTileWhateverAPersonSaves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		doc := anyDraft(t)
		for range rapid.IntRange(1, 3).Draw(t, "versions") {
			edited := anyEdit(t, doc)
			next := notes.Rebase(doc, edited, "editor", noon)
			for _, e := range edited {
				s, _ := next.Section(e.Key)
				if s.Text() != notes.NormalizeText(e.Text) {
					t.Fatalf("section %s holds %q, saved was %q", e.Key, s.Text(), e.Text)
				}
			}
			checkOrigins(t, doc, next)
			doc = next
		}
	})
}

// checkOrigins says that no source is made up: text from speech was there before, or was removed, and not used twice.
func checkOrigins(t *rapid.T, prev, next notes.Document) {
	before, after := map[string]int{}, map[string]int{}
	count := func(d notes.Document, into map[string]int) {
		for _, s := range d.Sections {
			for _, r := range s.Runs {
				if r.Source.Kind == notes.FromSpeech || r.Source.Kind == notes.FromBlank {
					for _, c := range r.Text {
						into[string(c)+"@"+spanKey(r.Source)]++
					}
				}
			}
		}
	}
	count(prev, before)
	count(next, after)
	removed := map[string]bool{}
	for _, r := range prev.Removed {
		removed[spanKey(notes.Source{Start: r.Start, End: r.End})] = true
	}
	for _, f := range prev.Flags {
		removed[spanKey(notes.Source{Start: f.Start, End: f.End})] = true
	}
	for k, n := range after {
		if n > before[k] && !removed[k[strings.Index(k, "@")+1:]] {
			t.Fatalf("%q stands %d times, and stood %d times", k, n, before[k])
		}
	}
}

func spanKey(s notes.Source) string {
	return time.Duration(s.Start*float64(time.Second)).String() + "–" + time.Duration(s.End*float64(time.Second)).String()
}

func TestAComparisonHoldsBothTexts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := anyDraft(t)
		b := notes.Rebase(a, anyEdit(t, a), "editor", noon)
		before, after := map[string]string{}, map[string]string{}
		for _, c := range notes.Compare(a, b) {
			if c.Op != notes.Insert {
				before[c.Section] += c.Text
			}
			if c.Op != notes.Delete {
				after[c.Section] += c.Text
			}
		}
		for _, s := range a.Sections {
			if before[s.Key] != s.Text() {
				t.Fatalf("old text of %s: %q, want %q", s.Key, before[s.Key], s.Text())
			}
		}
		for _, s := range b.Sections {
			if after[s.Key] != s.Text() {
				t.Fatalf("new text of %s: %q, want %q", s.Key, after[s.Key], s.Text())
			}
		}
	})
}

const visit = `Subjective colon
she feels well period
Plan colon
number one increase lisinopril to forty milligrams daily period
number two follow up in four weeks period`

func TestChangedWordsBelongToThePersonAndTheRestKeepsItsSource(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", visit)
	edited := texts(doc)
	for i := range edited {
		edited[i].Text = strings.Replace(edited[i].Text, "40 mg", "20 mg", 1)
	}
	next := notes.Rebase(doc, edited, "vma-7", noon)
	if src := sourceOf(t, next, "plan", "20"); src.Kind != notes.FromPerson || src.By != "vma-7" || !src.At.Equal(noon) {
		t.Errorf("the new dose comes from %+v", src)
	}
	if src := sourceOf(t, next, "plan", "mg"); src.Kind != notes.FromSpeech || src.Said != "forty milligrams" {
		t.Errorf("the unit comes from %+v", src)
	}
	if src := sourceOf(t, next, "plan", "lisinopril"); src.Kind != notes.FromSpeech {
		t.Errorf("the drug comes from %+v", src)
	}
	changes := notes.Compare(doc, next)
	var ops []string
	for _, c := range changes {
		if c.Op != notes.Equal {
			ops = append(ops, string(c.Op)+c.Text)
		}
	}
	if diff := cmp.Diff([]string{"delete 40", "insert 20"}, ops); diff != "" {
		t.Error(diff)
	}
}

func TestATextThatMovesToAnotherSectionKeepsItsSource(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", visit)
	next := notes.Rebase(doc, []notes.SectionText{
		{Key: "subjective", Text: ""}, {Key: "pmh", Text: "She feels well."},
	}, "vma", noon)
	if src := sourceOf(t, next, "pmh", "feels"); src.Kind != notes.FromSpeech {
		t.Errorf("the moved sentence comes from %+v", src)
	}
	s, _ := next.Section("pmh")
	if s.Heading != "Past Medical History" {
		t.Errorf("the new section is headed %q", s.Heading)
	}
	keys := []string{}
	for _, s := range next.Sections {
		keys = append(keys, s.Key)
	}
	if diff := cmp.Diff([]string{"subjective", "pmh", "objective", "assessment", "plan"}, keys); diff != "" {
		t.Error(diff)
	}
	if f := flagOf(next, notes.FlagMissingSection, "subjective"); f == nil {
		t.Error("the emptied section is not flagged")
	}
}

func TestACopyBelongsToThePersonWhoMadeIt(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", visit)
	next := notes.Rebase(doc, []notes.SectionText{
		{Key: "subjective", Text: ""}, {Key: "pmh", Text: "She feels well."}, {Key: "ros", Text: "She feels well."},
	}, "vma", noon)
	kinds := map[notes.SourceKind]int{}
	for _, key := range []string{"pmh", "ros"} {
		kinds[sourceOf(t, next, key, "feels").Kind]++
	}
	if kinds[notes.FromSpeech] != 1 || kinds[notes.FromPerson] != 1 {
		t.Errorf("sources of the two copies: %v", kinds)
	}
}

func TestWhatWasScratchedCanBeRestoredWithItsSource(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", "Plan colon\nincrease lisinopril to forty milligrams\nscratch that\ncall in a week period")
	f := flagOf(doc, notes.FlagScratched, "plan")
	if f == nil || f.Text != "increase lisinopril to forty milligrams" {
		t.Fatalf("flags: %+v", doc.Flags)
	}
	next := notes.Rebase(doc, []notes.SectionText{{Key: "plan", Text: "increase lisinopril to forty milligrams. Call in a week."}}, "vma", noon)
	if src := sourceOf(t, next, "plan", "lisinopril"); src.Kind != notes.FromSpeech || src.Start != f.Start {
		t.Errorf("the restored text comes from %+v", src)
	}
	if got := flagOf(next, notes.FlagScratched, "plan"); got.Settled == nil || got.Settled.How != "restored" {
		t.Errorf("the flag is %+v", got)
	}
}

func flagOf(d notes.Document, kind, section string) *notes.Flag {
	for i := range d.Flags {
		if d.Flags[i].Kind == kind && d.Flags[i].Section == section {
			return &d.Flags[i]
		}
	}
	return nil
}

func TestAFlagIsSettledByEditingItsWordsOrByHand(t *testing.T) {
	t.Parallel()
	tr := heard("Plan colon\nincrease lisinopril to fifteen milligrams daily period")
	for i := range tr.Words {
		if tr.Words[i].Text == "fifteen" {
			tr.Words[i].Confidence = 0.6
		}
	}
	doc := mustDraft(t, tr, template(t, "progress"))
	f := flagOf(doc, notes.FlagLowConfidence, "plan")
	if f == nil || f.Severity != notes.Critical || !strings.Contains(f.Text, "15 mg") {
		t.Fatalf("flags: %+v", doc.Flags)
	}
	if !blocking(doc, f.ID) {
		t.Error("a critical flag does not block the signature")
	}
	elsewhere := notes.Rebase(doc, []notes.SectionText{{Key: "plan", Text: "Please increase lisinopril to 15 mg daily."}}, "vma", noon)
	if got := flagOf(elsewhere, notes.FlagLowConfidence, "plan"); got.Settled != nil {
		t.Error("an edit beside the doubt settled it")
	}
	edited := notes.Rebase(doc, []notes.SectionText{{Key: "plan", Text: "Increase lisinopril to 50 mg daily."}}, "vma", noon)
	if got := flagOf(edited, notes.FlagLowConfidence, "plan"); got.Settled == nil || got.Settled.How != "edited" || got.Settled.By != "vma" {
		t.Errorf("after the edit the flag is %+v", got)
	}
	settled, err := notes.Settle(doc, f.ID, "heard", "vma", noon)
	if err != nil {
		t.Fatal(err)
	}
	if blocking(settled, f.ID) {
		t.Error("a settled flag still blocks")
	}
	if doc.Flags[0].Settled != nil {
		t.Error("settling changed the version before")
	}
	if notes.ContentHash(settled) == notes.ContentHash(doc) {
		t.Error("the settled version has the hash of the open one")
	}
	if _, err := notes.Settle(settled, f.ID, "heard", "vma", noon); err == nil {
		t.Error("a flag was settled twice")
	}
	if _, err := notes.Settle(doc, "nothing", "heard", "vma", noon); err == nil {
		t.Error("an unknown flag was settled")
	}
}

func blocking(d notes.Document, flagID string) bool {
	for _, o := range notes.ReadyToSign(d) {
		if o.FlagID == flagID && o.Blocking {
			return true
		}
	}
	return false
}

func TestABlankBlocksTheSignatureUntilItIsFilled(t *testing.T) {
	t.Parallel()
	tr := heard("Subjective colon\nshe feels well period\nshe takes aspirin period")
	gap := tr.Words[4].End
	tr.Spans[0] = notesSpan(gap, gap+0.5)
	doc := mustDraft(t, tr, template(t, "progress"))
	if len(doc.Blanks) != 1 || !strings.Contains(notes.Text(doc), "She feels well. [blank 0:02–0:02]") {
		t.Fatalf("blanks %v in %q", doc.Blanks, notes.Text(doc))
	}
	if o := notes.ReadyToSign(doc); len(o) == 0 || o[0].Code != "blank" || !o[0].Blocking {
		t.Errorf("obstacles: %+v", o)
	}
	next := notes.Rebase(doc, []notes.SectionText{{Key: "subjective", Text: "She feels well. No fever. She takes aspirin."}}, "vma", noon)
	if len(next.Blanks) != 0 {
		t.Errorf("the filled blank is still there: %v", next.Blanks)
	}
}

func TestALargeRewriteIsAlignedInReasonableTime(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", strings.Repeat("the patient denies chest pain and reports a cough for two weeks\n", 800))
	words := strings.Fields(doc.Sections[0].Text())
	for i := 0; i < len(words); i += 7 {
		words[i] = "changed"
	}
	start := time.Now()
	next := notes.Rebase(doc, []notes.SectionText{{Key: "subjective", Text: strings.Join(words, " ")}}, "vma", noon)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	if next.Sections[0].Text() != strings.Join(words, " ") {
		t.Error("the text changed")
	}
}

func FuzzRebaseTilesAnyText(f *testing.F) {
	f.Add("She feels well.", "typed")
	f.Add("[blank 0:01–0:02] \r\n\x00", "e\u0301\xff")
	f.Fuzz(func(t *testing.T, subjective, plan string) {
		doc := mustDraft(t, heard(visit), templateOf(t))
		next := notes.Rebase(doc, []notes.SectionText{{Key: "subjective", Text: subjective}, {Key: "plan", Text: plan}}, "p", noon)
		for key, want := range map[string]string{"subjective": subjective, "plan": plan} {
			if s, _ := next.Section(key); s.Text() != notes.NormalizeText(want) {
				t.Fatalf("%s holds %q, saved was %q", key, s.Text(), want)
			}
		}
	})
}

func TestACommonWordAmongRewrittenOnesIsNotSpoken(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", "Plan colon\nfollow up in four weeks period\nshe takes aspirin in the morning period")
	next := notes.Rebase(doc, []notes.SectionText{{Key: "plan", Text: "Refer to Dr. Patel in cardiology today. She takes aspirin in the evening."}}, "vma", noon)
	s, _ := next.Section("plan")
	if got := notes.Origin(s, 0, len("Refer to Dr. Patel in cardiology today")); len(got.Spans) > 0 {
		t.Errorf("the sentence that was typed comes from the recording: %+v", got)
	}
	if src := sourceOf(t, next, "plan", "aspirin in the"); src.Kind != notes.FromSpeech {
		t.Errorf("the sentence that stayed comes from %+v", src)
	}
	if src := sourceOf(t, next, "plan", "evening"); src.Kind != notes.FromPerson {
		t.Errorf("the corrected word comes from %+v", src)
	}
}

func TestPastedAndRestoredTextKeepsItsSource(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := anyDraft(t)
		second := notes.Rebase(first, anyEdit(t, first), "editor", noon)
		// A client that restores an old version sends its text whole, as plain text, whatever client it is.
		restored := notes.Rebase(second, texts(first), "editor", noon)
		for _, s := range first.Sections {
			back, _ := restored.Section(s.Key)
			if back.Text() != notes.NormalizeText(s.Text()) {
				t.Fatalf("%s was restored as %q, was %q", s.Key, back.Text(), s.Text())
			}
		}
		checkOrigins(t, second, restored)
		// A section that the edit had left alone has the very same runs again.
		for _, s := range first.Sections {
			kept, ok := second.Section(s.Key)
			back, _ := restored.Section(s.Key)
			if ok && cmp.Equal(kept.Runs, s.Runs) && kept.Text() == s.Text() && !cmp.Equal(back.Runs, s.Runs) {
				t.Fatalf("%s lost sources though nobody touched it", s.Key)
			}
		}
	})
}

// FuzzCompareHoldsBothTexts takes any two texts: without what was put in the comparison is the old one, without what was
// taken out it is the new one; aligned, the runs tile the new text and no byte of the recording is used twice.
func FuzzCompareHoldsBothTexts(f *testing.F) {
	f.Add("She feels well. No pain in the left knee.", "No pain in the knee. She feels very well, today.")
	f.Add("[blank 0:01–0:02] a.b 1/2 e\u0301", "a.b [blank 0:01–0:02]\r\n\t\x00 é")
	f.Add("in of the and", "x y in z of")
	f.Fuzz(func(t *testing.T, before, after string) {
		if len(before)+len(after) > 4000 {
			return
		}
		span := notes.Source{Kind: notes.FromSpeech, Start: 1, End: 2}
		a := notes.Document{WorkType: "progress", Sections: []notes.Section{{Key: "plan", Heading: "Plan", Runs: []notes.Run{{Text: notes.NormalizeText(before), Source: span}}}}}
		b := notes.Rebase(a, []notes.SectionText{{Key: "plan", Text: after}}, "p", noon)
		s, _ := b.Section("plan")
		if s.Text() != notes.NormalizeText(after) {
			t.Fatalf("holds %q, saved was %q", s.Text(), after)
		}
		old, fresh, spoken := "", "", 0
		for _, c := range notes.Compare(a, b) {
			if c.Op != notes.Insert {
				old += c.Text
			}
			if c.Op != notes.Delete {
				fresh += c.Text
			}
		}
		if old != notes.NormalizeText(before) || fresh != s.Text() {
			t.Fatalf("the comparison holds %q and %q", old, fresh)
		}
		for _, r := range s.Runs {
			if r.Source.Kind == notes.FromSpeech {
				spoken += len(r.Text)
			}
			if r.Text == "" {
				t.Fatal("an empty run")
			}
		}
		if spoken > len(notes.NormalizeText(before)) {
			t.Fatalf("%d bytes come from a recording that gave %d", spoken, len(before))
		}
	})
}
