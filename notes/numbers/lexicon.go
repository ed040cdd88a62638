package numbers

import "strings"

// ones, teens and tens are the number words. "oh" is a zero only inside a number.
var (
	ones = map[string]int64{
		"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
	}
	teens = map[string]int64{
		"ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
		"seventeen": 17, "eighteen": 18, "nineteen": 19,
	}
	tens = map[string]int64{
		"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
	}
	ordinals = map[string]int64{
		"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
		"tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16,
		"seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
	}
	months = map[string]string{
		"january": "January", "february": "February", "march": "March", "april": "April", "may": "May", "june": "June",
		"july": "July", "august": "August", "september": "September", "october": "October", "november": "November",
		"december": "December",
	}
)

// numberWord says whether a word can begin or continue a spoken number.
func numberWord(w string) bool {
	_, one := ones[w]
	_, teen := teens[w]
	_, ten := tens[w]
	return one || teen || ten || w == "zero" || w == "hundred" || w == "thousand" || w == "million"
}

// joiners are words that stand inside hyphenated number words: "forty-two-year-old".
var joiners = set("and by over to point gauge plus year years month months week weeks day days hour hours minute minutes old " +
	"half oh degree pack pound inch foot french")

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// romans are used where medicine writes Roman numerals.
var romans = []string{"", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"}

// fillers may stand between a label and its number: "pulse is about seventy two".
var fillers = set("is was of at are were to about approximately around roughly today measured reads reading equals has been " +
	"now currently only score scores from run runs ran between up down came back with a in level levels")

// measureLabels are quantities whose number is written in digits, in the way it is spoken ("heart rate one oh four").
var measureLabels = set("heart-rate pulse hr respirations respiratory-rate rr temperature temp tmax oxygen-saturation saturation " +
	"saturations sat sats spo2 o2 weight height bmi body-mass-index glucose sugar sugars a1c hemoglobin hematocrit creatinine " +
	"potassium sodium chloride bicarbonate calcium magnesium phosphorus bun inr wbc white-count white-blood-cell-count " +
	"white-cell-count cell-count platelets platelet-count tsh ejection-fraction ef psa ldl hdl cholesterol triglycerides " +
	"troponin bnp lactate bilirubin ast alt albumin ferritin esr crp fev1 gfr egfr blood-pressure pressure systolic diastolic " +
	"map bp gcs phq-9 gad-7 apgar apgars pain age rate score scale ph pco2 po2")

// codeLabels name something by a number: small numbers after them are digits, nothing else changes.
var codeLabels = set("grade stage class type phase level category gravida para abortus day room number lot bed step tier " +
	"phq gad covid asa mallampati class- size para- zone station schedule factor trisomy chromosome apgar")

// labLabels are results, whose trailing zero says how they were measured and therefore stays ("potassium 4.0").
var labLabels = set("potassium sodium creatinine glucose hemoglobin calcium magnesium phosphorus albumin lactate bilirubin inr " +
	"a1c troponin tsh")
