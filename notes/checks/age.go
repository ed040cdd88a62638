package checks

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

var yearsOld = regexp.MustCompile(`^(\d{1,3})-year-old$`)

// aged is an age of the patient as the note says it.
type aged struct {
	from, to int // words
	years    int
}

// ages finds two ages of the patient, and one that the birth date of the bound patient cannot give.
func ages(r *reader) []Finding {
	all := r.agesSaid()
	if len(all) == 0 {
		return nil
	}
	for _, a := range all[1:] {
		if a.years == all[0].years {
			continue
		}
		first := r.place(all[0].from, all[0].to)
		return []Finding{r.find(Age, true, a.from, a.to,
			fmt.Sprintf("The patient is %d years old here, and %d elsewhere in the note. Listen to both.", a.years, all[0].years), first)}
	}
	born, err := time.Parse(time.DateOnly, r.note.Patient.BirthDate)
	if err != nil || r.note.Dictated.IsZero() {
		return nil
	}
	is := yearsAt(born, r.note.Dictated)
	if d := all[0].years - is; d >= -1 && d <= 1 {
		return nil
	}
	return []Finding{r.find(Age, true, all[0].from, all[0].to,
		fmt.Sprintf("The patient to whom the note is bound is %d by the birth date in the record. Listen to it, and check that this is the right patient.", is))}
}

func yearsAt(born, at time.Time) int {
	years := at.Year() - born.Year()
	if at.YearDay() < born.YearDay() {
		years--
	}
	return years
}

// agesSaid lists "54-year-old man", "is 54 years old" and "aged 54" said of the patient.
func (r *reader) agesSaid() []aged {
	var out []aged
	for i, w := range r.words {
		if r.has(i, relatives) || familySection(r.sectionOf(i)) {
			continue
		}
		if m := yearsOld.FindStringSubmatch(w.key); m != nil && r.person(i+1) {
			years, _ := strconv.Atoi(m[1])
			out = append(out, aged{i, i + 1, years})
			continue
		}
		years, err := strconv.Atoi(w.key)
		if err != nil || years > 125 {
			continue
		}
		switch {
		case (r.starts(i+1, "years", "old") || r.starts(i+1, "year", "old")) && r.in(i, i+1) && (r.person(i+3) || r.before(i, "is")):
			out = append(out, aged{i, i + 3, years})
		case r.before(i, "aged") || r.before(i, "age") && r.key(i-2) == "patient":
			out = append(out, aged{i, i + 1, years})
		}
	}
	return out
}

func (r *reader) before(i int, key string) bool { return r.in(i-1, i) && r.key(i-1) == key }

// person says that the patient is named within a few words of i.
func (r *reader) person(i int) bool {
	for j := i; j < i+4 && r.in(i-1, j); j++ {
		if k := r.key(j); maleNouns[k] || femaleNouns[k] || k == "patient" || k == "child" {
			return true
		}
	}
	return false
}
