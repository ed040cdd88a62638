package checks

import (
	"strconv"
	"strings"
)

var (
	maleNouns   = set("man gentleman male boy")
	femaleNouns = set("woman lady female girl")
	hePronouns  = set("he him his himself he's")
	shePronouns = set("she her hers herself she's")

	maleOrgans = set("prostate prostatic psa prostatectomy prostatitis testicle testicles testicular testes testis penis penile scrotum " +
		"scrotal vasectomy circumcised erectile epididymitis")
	femaleOrgans = set("uterus uterine ovary ovaries ovarian pregnant pregnancy menstrual menses menarche menopause menopausal postmenopausal " +
		"hysterectomy vaginal vagina vaginitis endometrial endometriosis gravida menstruation menorrhagia fallopian gravid pap papanicolaou " +
		"primigravida multigravida lactating breastfeeding hysteroscopy")

	// gender are words after which sex, pronouns and organs need not agree.
	gender = set("transgender trans transition transitioned transitioning nonbinary non-binary gender they/them intersex cisgender " +
		"gender-affirming")
	newborn = set("newborn infant neonate baby born gestation gestational birth")
)

// claim is what the note or the record says of the patient's sex.
type claim struct {
	sex  string
	at   int // word, -1: the record says so
	text string
}

// sexes finds pronouns and organs that do not fit the patient's sex, and a sex that is not the bound patient's.
func sexes(r *reader) []Finding {
	if r.anywhere(gender) {
		return nil
	}
	said, found := r.saidSex()
	known := strings.ToLower(r.note.Patient.Sex)
	bound := known == "male" || known == "female"
	if found && bound && said.sex != known {
		return []Finding{r.find(Sex, true, said.at, said.at+1, "The note says “"+said.text+"”, but the patient to whom it is bound is "+known+
			" in the record. Check that this is the right patient.")}
	}
	base := said
	if bound {
		base = claim{sex: known, at: -1}
	}
	var out []Finding
	if base.sex != "" {
		out = append(out, r.organsAgainst(base)...)
	}
	return append(out, r.pronounsAgainst(base)...)
}

// saidSex reads "54-year-old man" and the like.
func (r *reader) saidSex() (claim, bool) {
	for i, w := range r.words {
		if !maleNouns[w.key] && !femaleNouns[w.key] || r.has(i, relatives) || familySection(r.sectionOf(i)) {
			continue
		}
		aged := false
		for j := max(0, i-5); j < i; j++ {
			aged = aged || r.in(i, j) && strings.HasSuffix(r.key(j), "-old") || r.key(j) == "old"
		}
		if !aged {
			continue
		}
		if maleNouns[w.key] {
			return claim{"male", i, w.text}, true
		}
		return claim{"female", i, w.text}, true
	}
	return claim{at: -1}, false
}

func familySection(key string) bool { return strings.Contains(key, "family") }

// organsAgainst finds an organ that the patient does not have.
func (r *reader) organsAgainst(base claim) []Finding {
	wrong, said := maleOrgans, "a woman"
	if base.sex == "male" {
		wrong, said = femaleOrgans, "a man"
	}
	if r.anywhere(newborn) {
		return nil
	}
	for i, w := range r.words {
		if !wrong[w.key] || r.has(i, relatives) || familySection(r.sectionOf(i)) || w.key == "pap" && w.text != "Pap" {
			continue
		}
		var also []Place
		if base.at >= 0 {
			also = append(also, r.place(base.at, base.at+1))
		}
		return []Finding{r.find(Sex, true, i, i+1, "“"+w.text+"” does not fit: the patient is "+said+". Listen to it, and check that this is the right patient.", also...)}
	}
	return nil
}

// pronounsAgainst finds the pronouns that stand against the patient's sex, or against all the others.
func (r *reader) pronounsAgainst(base claim) []Finding {
	he, she := r.pronouns(hePronouns, femaleRelated(false)), r.pronouns(shePronouns, femaleRelated(true))
	all := len(he) + len(she)
	wrong, right := he, she
	switch {
	case base.sex == "male" || base.sex == "" && len(he) > len(she):
		wrong, right = she, he
	case base.sex == "" && len(he) == len(she):
		return nil
	}
	if len(wrong) == 0 || base.sex == "" && (all < 4 || len(wrong)*3 > len(right)) {
		return nil
	}
	i := wrong[0]
	detail := "“" + r.words[i].text + "” is said of the patient"
	if len(wrong) > 1 {
		detail += " here and in " + places(len(wrong)-1)
	}
	switch {
	case base.sex == "":
		detail += ", but everywhere else “" + r.words[right[0]].text + "”."
	case base.at < 0:
		detail += ", who is " + base.sex + " in the record."
	default:
		detail += ", who is a “" + base.text + "” elsewhere in the note."
	}
	// Every pronoun wrong: it may be the wrong patient. A single one is a slip.
	critical := base.at < 0 && base.sex != "" && len(right) == 0 && len(wrong) >= 3
	also := []Place{}
	if base.at >= 0 {
		also = append(also, r.place(base.at, base.at+1))
	}
	return []Finding{r.find(Sex, critical, i, i+1, detail, also...)}
}

func places(n int) string {
	if n == 1 {
		return "one more place"
	}
	return strconv.Itoa(n) + " more places"
}

// femaleRelated are the people to whom a pronoun may belong instead of the patient.
func femaleRelated(female bool) map[string]bool {
	if female {
		return set("mother mom wife sister daughter grandmother aunt niece girlfriend")
	}
	return set("father dad husband brother son grandfather uncle nephew boyfriend")
}

// pronouns lists the pronouns that can only be the patient's: nobody else is spoken of in the sentence or the two before it.
func (r *reader) pronouns(words, others map[string]bool) []int {
	var out []int
	for i, w := range r.words {
		if !words[w.key] || familySection(r.sectionOf(i)) {
			continue
		}
		near := false
		from, to := r.sentence(i)
		for to--; to >= 0 && !near && r.words[to].section == w.section && (to >= from || r.words[to].sentence >= w.sentence-2); to-- {
			key := strings.TrimSuffix(r.key(to), "'s")
			near = others[key] || relatives[key]
		}
		if !near {
			out = append(out, i)
		}
	}
	return out
}
