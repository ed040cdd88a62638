package checks

import (
	"slices"
	"strings"
)

var (
	// allergens are things that people are allergic to besides the drugs of the lexicon, and classes of drugs.
	allergens = set("penicillin penicillins sulfa sulfas latex contrast iodine codeine morphine aspirin nsaids nsaid statins cephalosporins " +
		"quinolones fluoroquinolones opioids opiates tetracyclines macrolides vancomycin amoxicillin ibuprofen shellfish peanuts peanut nuts eggs " +
		"adhesive tape bee")
	drugless    = set("latex shellfish peanuts peanut nuts eggs adhesive tape bee") // no drugs: "no known drug allergies" says nothing of them
	exceptWords = set("except other than apart besides aside but though although however")
	deniesWords = set("no not denies denied without never none negative")
)

// reactions are what an allergy does.
var reactions = set("hives rash anaphylaxis angioedema urticaria reaction reactions")

// allergyText is one statement about allergies.
type allergyText struct {
	from, to int
	name     string
	drug     bool
}

// allergies finds "no known allergies" against an allergy that the note or the record names, and a drug that is given in
// spite of an allergy that the note names.
func allergies(r *reader) []Finding {
	none, drugsOnly, found := r.noneKnown()
	named := r.allergiesNamed()
	var out []Finding
	if found {
		out = append(out, r.noneAgainst(none, drugsOnly, named)...)
	}
	for _, a := range named {
		if f, ok := r.givenInSpite(a); ok && a.drug {
			out = append(out, f)
		}
	}
	return out
}

func (r *reader) noneAgainst(none [2]int, drugsOnly bool, named []allergyText) []Finding {
	for _, a := range named {
		if drugsOnly && drugless[a.name] || r.in(none[0], a.from) && r.has(a.from, exceptWords) {
			continue
		}
		return []Finding{r.find(Allergy, true, a.from, a.to, "An allergy is named here, but the note also says “"+
			r.text(r.place(none[0], none[1]))+"”. Listen to both.", r.place(none[0], none[1]))}
	}
	for _, known := range r.note.Patient.Allergies {
		name := strings.ToLower(strings.TrimSpace(known))
		if name == "" || strings.HasPrefix(name, "no ") || drugsOnly && drugless[name] || r.has(none[0], exceptWords) {
			continue
		}
		return []Finding{r.find(Allergy, true, none[0], none[1],
			"The patient's record names an allergy to "+known+". Listen to it, and check that this is the right patient.")}
	}
	return nil
}

// noneKnown finds "no known drug allergies", "NKDA", "denies any allergies", and "none" in the section of allergies.
func (r *reader) noneKnown() (at [2]int, drugsOnly, found bool) {
	for i, w := range r.words {
		if w.key == "nkda" || w.key == "nka" {
			return [2]int{i, i + 1}, w.key == "nkda", true
		}
		if w.key == "none" && strings.Contains(r.sectionOf(i), "allerg") {
			return [2]int{i, i + 1}, false, true
		}
		if w.key != "allergies" && w.key != "allergy" || r.has(i, relatives) {
			continue
		}
		for j := i - 1; j >= i-5 && r.in(i, j) && r.joined(j); j-- {
			switch r.key(j) {
			case "known", "any", "drug", "medication", "food", "environmental", "and", "or", "to", "medicine", "having":
				drugsOnly = drugsOnly || r.key(j) == "drug" || r.key(j) == "medication"
				continue
			case "no", "denies", "denied", "without":
				if r.key(i+1) == "to" && r.joined(i) && r.key(i+2) != "medications" && r.key(i+2) != "drugs" && r.key(i+2) != "medication" {
					return at, false, false // "no allergy to penicillin" denies one
				}
				return [2]int{j, i + 1}, drugsOnly, true
			}
			break
		}
		drugsOnly = false
	}
	return at, false, false
}

// allergiesNamed lists "allergic to X", "allergy to X", "X allergy" and the names in the section of allergies.
func (r *reader) allergiesNamed() []allergyText {
	var out []allergyText
	add := func(from, to, name int) {
		key := r.key(name)
		term, drug := r.drugs[name]
		if !drug && !allergens[key] || r.has(name, relatives) || familySection(r.sectionOf(name)) || r.denied(from) {
			return
		}
		if drug {
			key = strings.ToLower(term.Text)
		}
		out = append(out, allergyText{from, to, key, drug || !drugless[key]})
	}
	for i, w := range r.words {
		switch {
		case (w.key == "allergic" || w.key == "allergy" || w.key == "allergies" || w.key == "anaphylaxis") && (r.key(i+1) == "to" || r.key(i+1) == "include" || r.key(i+1) == "includes"):
			for j := i + 2; j < i+6 && r.in(i, j); j++ {
				if _, drug := r.drugs[j]; drug || allergens[r.key(j)] {
					add(i, j+1, j)
					break
				}
			}
		case reactions[w.key] && (r.key(i+1) == "from" || r.key(i+1) == "to" || r.key(i+1) == "with" || r.key(i+1) == "after"):
			for j := i + 2; j < i+4 && r.in(i, j); j++ {
				if _, drug := r.drugs[j]; drug || allergens[r.key(j)] {
					add(i, j+1, j)
					break
				}
			}
		case (w.key == "allergy" || w.key == "allergic") && r.joined(i-1):
			add(i-1, i+1, i-1)
		case strings.Contains(r.sectionOf(i), "allerg"):
			add(i, i+1, i)
		}
	}
	return out
}

// denied says that the clause denies what stands at word i.
func (r *reader) denied(i int) bool {
	for j := i - 1; j >= i-6 && r.in(i, j); j-- {
		if deniesWords[r.key(j)] || r.key(j) == "tolerates" {
			return true
		}
		if r.words[j].clause != r.words[i].clause && r.key(j) == "but" {
			return false
		}
	}
	return false
}

var (
	gives   = set("start started starting give given gave prescribe prescribed prescribing continue continued continues take takes taking begin began received administer administered")
	refuses = set("avoid avoided avoiding stop stopped discontinue discontinued allergic allergy allergies reaction rash hives instead " +
		"cannot intolerant intolerance anaphylaxis challenge desensitization despite alternative because due tolerates tolerated not no " +
		"swelling when if caused cause developed")
)

// givenInSpite finds an order for the drug that the allergy names.
func (r *reader) givenInSpite(a allergyText) (Finding, bool) {
	for i := range r.words {
		t, drug := r.drugs[i]
		if !drug || !strings.EqualFold(t.Text, a.name) || r.in(i, a.from) || r.has(i, refuses) || r.has(i, relatives) {
			continue
		}
		key := r.sectionOf(i)
		listed := key == "medications" || key == "discharge_medications"
		if !listed && !r.has(i, gives) {
			continue
		}
		return r.find(Allergy, true, i, i+1, "“"+r.words[i].text+"” is given here, but the note names an allergy to it. Listen to both.",
			r.place(a.from, a.to)), true
	}
	return Finding{}, false
}

var (
	stops  = set("stop stopped stopping discontinue discontinued discontinuing quit d/c'd")
	goesOn = set("continue continued continues continuing resume resumed resuming refill refilled increase increased start started restart restarted " +
		"remain remains stay stays keep")
	// turns are words with which stopping and going on both make sense.
	turns = set("until then after before resume resumed restart restarted taper tapered tapering switch switched switching instead replace replaced " +
		"unless if when surgery procedure temporarily hold held once consider can may extended immediate ir er xr sr cr xl " +
		"formulation discuss discussed smoking drinking not don't never")
)

var (
	lasting = set("week weeks day days")
	ago     = set("ago last")
)

// order is what is said to be done with a drug.
type order struct {
	from, at int // the verb and the drug
	name     string
	past     bool
}

// stopped finds a drug that the note stops and also continues, and one that was stopped and still stands in the list.
func stopped(r *reader) []Finding {
	var off, on []order
	for i, w := range r.words {
		switch {
		case r.has(i, relatives) || r.has(i, turns) || r.has(i, lasting) && !r.has(i, ago):
		case stops[w.key] && !r.denied(i):
			off = append(off, r.ordered(i, w.key == "stopped" || w.key == "discontinued" || w.key == "quit")...)
		case goesOn[w.key] && !r.denied(i) && !r.has(i, stops):
			on = append(on, r.ordered(i, w.key == "started" || w.key == "increased")...)
		}
	}
	for i, t := range r.drugs {
		if (r.sectionOf(i) == "medications" || r.sectionOf(i) == "discharge_medications") && !r.has(i, stops) && !r.has(i, turns) && !r.has(i, past) {
			on = append(on, order{i, i, t.Text, true})
		}
	}
	slices.SortFunc(on, func(a, b order) int { return a.at - b.at })
	return r.conflicts(off, on)
}

// ordered lists the drugs after a verb, or before it in "metformin was stopped".
func (r *reader) ordered(verb int, past bool) []order {
	var out []order
	for j := verb + 1; j < verb+6 && r.in(verb, j) && r.words[j].clause == r.words[verb].clause; j++ {
		if t, ok := r.drugs[j]; ok {
			return append(out, order{verb, j, t.Text, past})
		}
		if goesOn[r.key(j)] || stops[r.key(j)] || r.key(j) == "and" {
			break
		}
	}
	for j := verb - 1; j >= verb-3 && r.joined(j); j-- {
		if t, ok := r.drugs[j]; ok {
			return append(out, order{j, j, t.Text, past})
		}
	}
	return out
}

func (r *reader) conflicts(off, on []order) []Finding {
	var out []Finding
	seen := map[string]bool{}
	for _, a := range off {
		for _, b := range on {
			listed := b.from == b.at && r.sectionOf(b.at) != r.sectionOf(a.at)
			if !strings.EqualFold(a.name, b.name) || seen[a.name] || r.in(a.at, b.at) {
				continue
			}
			// A list of today's drugs and a plan to stop one of them agree; a list and "stopped last week" do not.
			if listed && (!a.past || planned(r.sectionOf(a.at))) || !listed && a.past && !b.past && b.at > a.at && r.restarted(b) {
				continue
			}
			if !listed && (a.past != b.past) && !planned(r.sectionOf(b.at)) {
				continue
			}
			seen[a.name] = true
			at, other := min(a.from, a.at), min(b.from, b.at)
			out = append(out, r.find(Stopped, !listed, other, max(b.from, b.at)+1, "The note goes on with “"+r.words[b.at].text+
				"” here, and elsewhere it is stopped. Listen to both.", r.place(at, max(a.from, a.at)+1)))
		}
	}
	return out
}

func (r *reader) restarted(o order) bool {
	k := r.key(o.from)
	return strings.HasPrefix(k, "start") || strings.HasPrefix(k, "restart") || strings.HasPrefix(k, "resum")
}

func planned(section string) bool {
	return strings.Contains(section, "plan") || strings.Contains(section, "assessment") || strings.Contains(section, "recommend") ||
		strings.Contains(section, "disposition")
}
