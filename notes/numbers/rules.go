package numbers

// Rules returns the table, in the order in which rules are tried.
func Rules() []Rule {
	return []Rule{
		{"unsafe_abbreviation", []Example{
			{"MSO4 two milligrams", "morphine sulfate 2 mg"}, {"MgSO4", "magnesium sulfate"},
			{"10 U", "10 units"}, {"50 µg", "50 mcg"}, {"100 IU", "100 international units"},
		}, unsafeAbbreviation},
		{"frequency", []Example{
			{"forty milligrams QD", "40 mg daily"}, {"five milligrams q.o.d.", "5 mg every other day"},
			{"10 mg BID", "10 mg twice daily"}, {"500 mg b.i.d.", "500 mg twice daily"},
			{"250 mg t.i.d.", "250 mg three times daily"}, {"five milligrams q h s", "5 mg at bedtime"},
			{"q6h", "every 6 hours"}, {"q six hours", "every 6 hours"}, {"every six hours p.r.n.", "every 6 hours as needed"},
			{"q four to six hours", "every 4 to 6 hours"}, {"I bid you welcome", "I bid you welcome"},
		}, frequency},
		{"record_number", []Example{
			{"medical record number one two three four oh five", "medical record number 123405"},
			{"phone number five five five oh one two three", "phone number 5550123"},
		}, recordNumber},
		{"blood_pressure", []Example{
			{"blood pressure one forty two over eighty eight", "blood pressure 142/88"},
			{"BP one hundred twelve over sixty eight", "BP 112/68"}, {"120 over 80", "120/80"},
			{"one sixty eight over ninety four", "168/94"}, {"one eighteen over seventy six", "118/76"},
			{"one twenty-eight over seventy-four", "128/74"}, {"one hundred and forty over ninety", "140/90"},
			{"one oh four over sixty two", "104/62"}, {"pressure 142/88", "pressure 142/88"},
			{"one twenty two slash eighty", "122/80"},
			{"blood pressure one twenty four over seventy respiratory rate eighteen", "blood pressure 124/70 respiratory rate 18"},
		}, bloodPressure},
		{"fraction", []Example{
			{"strength five out of five", "strength 5/5"}, {"pain seven out of ten", "pain 7/10"},
			{"grade two over six systolic murmur", "grade II/VI systolic murmur"},
			{"visual acuity twenty over forty", "visual acuity 20/40"}, {"two out of three visits", "two out of three visits"},
		}, fraction},
		{"age", []Example{
			{"a sixty two year old woman", "a 62-year-old woman"}, {"forty-two-year-old", "42-year-old"},
			{"nine month old", "9-month-old"}, {"62-year-old", "62-year-old"}, {"fifty eight years old", "58 years old"},
			{"62 year old", "62-year-old"},
		}, age},
		{"date", []Example{
			{"on October third", "on October 3"}, {"October third twenty twenty six", "October 3, 2026"},
			{"january first", "January 1"}, {"March 12th", "March 12"}, {"september twenty fifth", "September 25"},
			{"June twenty first nineteen ninety eight", "June 21, 1998"}, {"march twenty twenty five", "March 2025"},
			{"patients may first need", "patients may first need"}, {"November 16 2026", "November 16, 2026"},
		}, date},
		{"year", []Example{
			{"in twenty nineteen", "in 2019"}, {"since two thousand eighteen", "since 2018"},
			{"in nineteen ninety eight", "in 1998"}, {"in twenty minutes", "in 20 minutes"},
		}, year},
		{"time", []Example{
			{"at oh six thirty", "at 06:30"}, {"six thirty p m", "6:30 PM"}, {"at fourteen thirty hours", "at 14:30 hours"},
			{"two forty in the morning", "2:40 in the morning"}, {"ten o'clock", "10 o'clock"}, {"eight a.m.", "8 AM"},
			{"2.40 in the morning", "2:40 in the morning"},
		}, clock},
		{"code", []Example{
			{"hemoglobin A one C", "hemoglobin A1c"}, {"H b A one C", "HbA1c"}, {"a 1 c", "A1c"}, {"hemoglobin of 1C", "hemoglobin A1c"},
			{"F E V one", "FEV1"}, {"P H Q nine", "PHQ-9"},
			{"G A D seven", "GAD-7"}, {"COVID nineteen", "COVID-19"}, {"vitamin B twelve", "vitamin B12"},
			{"L four L five", "L4-L5"}, {"L4L5", "L4-L5"}, {"L five S one", "L5-S1"}, {"C five six", "C5-6"},
			{"L four", "L4"}, {"T two N one M zero", "T2 N1 M0"}, {"G two P one", "G2 P1"}, {"O two sat", "O2 sat"},
			{"S p O two", "SpO2"}, {"C O two", "CO2"}, {"T S H", "TSH"},
		}, code},
		{"lab_value", []Example{{"TSH6.2", "TSH 6.2"}}, labValue},
		{"lost_number", []Example{{"midazolam for milligrams", "midazolam for milligrams"}}, lostNumber},
		{"plus", []Example{
			{"two plus edema", "2+ edema"}, {"pulses two plus", "pulses 2+"}, {"two plus two", "two plus two"},
		}, plus},
		{"times", []Example{{"oriented times three", "oriented x3"}, {"alert and oriented x 4", "alert and oriented x4"}}, times},
		{"nerves", []Example{{"cranial nerves two through twelve", "cranial nerves II through XII"}}, nerves},
		{"gauge", []Example{{"eighteen gauge needle", "18-gauge needle"}, {"fourteen french", "14 French"}}, gauge},
		{"dimension", []Example{
			{"two by three centimeters", "2 x 3 cm"}, {"one point five by two by three millimeters", "1.5 x 2 x 3 mm"},
		}, dimension},
		{"range", []Example{
			{"ten to twenty milligrams", "10 to 20 mg"}, {"one or two tablets", "1 or 2 tablets"},
			{"four to six weeks", "4 to 6 weeks"}, {"five to one hundred ten degrees", "5 to 110 degrees"},
			{"sugars run from one fifty to one ninety", "sugars run from 150 to 190"},
		}, spread},
		{"split_number", []Example{
			{"one hundred, twelve micrograms", "one hundred, twelve micrograms"},
			{"twenty thirty milligrams", "twenty thirty milligrams"}, {"hold four seven days", "hold four seven days"},
		}, splitNumber},
		{"quantity", []Example{
			{"forty milligrams", "40 mg"}, {"zero point five milligrams", "0.5 mg"},
			{"point two five milligrams", "0.25 mg"}, {"five point zero milligrams", "5 mg"}, {"5.0 mg", "5 mg"},
			{".5 mg", "0.5 mg"}, {"40mg", "40 mg"}, {"one thousand milligrams", "1,000 mg"}, {"1000 mg", "1,000 mg"},
			{"a lesion of two point zero centimeters", "a lesion of 2.0 cm"}, {"two fifty milligrams", "250 mg"},
			{"one hundred twelve micrograms", "112 mcg"}, {"one twelve micrograms", "112 mcg"},
			{"one and a half tablets", "1.5 tablets"}, {"two weeks", "2 weeks"}, {"a six millimeter polyp", "a 6 mm polyp"},
			{"an 11-millimeter appendix", "an 11 mm appendix"},
			{"an eighteen hour history", "an 18-hour history"}, {"ninety four percent", "94%"}, {"97 %", "97%"},
			{"on two liters", "on 2 L"}, {"ninety eight point six degrees Fahrenheit", "98.6 °F"},
			{"five milligrams per kilogram per day", "5 mg/kg/day"}, {"ten milligrams per hour", "10 mg/hour"},
			{"twenty eight units", "28 units"}, {"creatinine one point zero milligrams per deciliter", "creatinine 1.0 mg/dL"},
			{"potassium four point zero", "potassium 4.0"}, {"one day he noticed", "one day he noticed"},
			{"two hundred twelve pounds", "212 pounds"}, {"twelve hundred calories", "1200 calories"},
			{"three times a day", "three times a day"}, {"twelve times", "12 times"},
		}, quantity},
		{"labelled", []Example{
			{"heart rate one oh four", "heart rate 104"}, {"pulse seventy two", "pulse 72"}, {"grade two", "grade 2"},
			{"type two diabetes", "type 2 diabetes"}, {"stage three", "stage 3"}, {"NYHA class three", "NYHA class III"},
			{"creatinine is zero point nine", "creatinine is 0.9"}, {"temperature one oh one point two", "temperature 101.2"},
			{"temperature of one hundred point eight", "temperature of 100.8"}, {"glucose two fifty", "glucose 250"},
			{"the PHQ-9 score is eight", "the PHQ-9 score is 8"}, {"gravida two para one", "gravida 2 para 1"},
			{"postoperative day three", "postoperative day 3"}, {"white count was fourteen point six", "white count was 14.6"},
		}, labelled},
		{"cardinal", []Example{
			{"thirty patients", "30 patients"}, {"two fifty", "two fifty"}, {"four five", "four five"},
			{"no one", "no one"}, {"seven point nine", "7.9"}, {"one hundred and five", "105"},
			{"repeat one of them", "repeat one of them"}, {"minus two point five", "-2.5"}, {"three thousand", "3000"},
			{"twelve thousand", "12,000"}, {"at this point five patients", "at this point five patients"},
			{"down from seventeen", "down from 17"}, {"scheduled for ten", "scheduled for 10"},
		}, cardinal},
	}
}
