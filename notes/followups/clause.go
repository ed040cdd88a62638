package followups

import (
	"regexp"
	"strings"
)

// clause is a part of a sentence that commits to at most one thing, or to a list of them.
type clause struct{ from, to int }

// verbs begin an order, and with it a clause.
const verbs = `(?:call|notify|contact|let|check|recheck|re-check|repeat|order|obtain|get|draw|send|schedule|arrange|set up|book|request|refer|consult|return|come back|` +
	`follow[- ]?up|f/u|rtc|see|hold|withhold|pause|stop|discontinue|resume|restart|start|begin|continue|increase|decrease|switch|add|taper|await|monitor|trend|write|fax|mail|` +
	`submit|plan|proceed|consider|recommend|advise|discuss|keep|give|use|take|avoid|place|make|reassess|re-evaluate|reevaluate|text|message)`

var (
	split = regexp.MustCompile(`; |(?:,? (?:and then|and|then|but|or)|,) (?:(?:please|also|to|will|then|she|he|they|we|i|patient|the patient|mom|mother|father|family|will also|should|can|may) )*` + verbs + `\b|` +
		`(?:,? (?:and|but|then)|,) (?:i|we|he|she|they|the patient|patient|our office|my nurse|the nurse|nursing) (?:will|shall|should|am|is|are|would|can|may|need|needs)\b|` +
		`,? but |,? (?:or|and) (?:sooner|earlier)\b`)
	listMark = regexp.MustCompile(`^(?:\s*(?:\d{1,2}[.)]|[-–—•*])\s+)+`)
	label    = regexp.MustCompile(`^[a-z][a-z /&-]{1,40}: `)
)

// clauses splits the sentence where an order or a new subject begins. The time in a label ("Labs today:") holds for all.
func (r *reader) clauses() []clause {
	from := len(listMark.FindString(r.low))
	if l := label.FindString(r.low[from:]); !strings.HasPrefix(l, "c c") && !strings.HasPrefix(l, "cc") {
		r.labelDue, _ = dueIn(r.text[from:from+len(l)], l, r.Day)
		from += len(l)
	}
	var out []clause
	for {
		m := split.FindStringIndex(r.low[min(len(r.low), from+1):])
		if m == nil {
			break
		}
		at := from + 1 + m[0]
		if strings.TrimSpace(r.low[from:at]) != "" {
			out = append(out, clause{from, at})
		}
		from = at
		for from < len(r.low) && strings.IndexByte(" ,;", r.low[from]) >= 0 {
			from++
		}
	}
	if strings.TrimSpace(r.low[from:]) != "" {
		out = append(out, clause{from, len(r.low)})
	}
	return out
}

// cueKind is what a word before an order says about it.
type cueKind int

const (
	none cueKind = iota
	future
	past
	negated
	tentative
	ongoing
)

// cues are read from left to right; the last one holds, but a negation and a doubt stay.
var cues = []struct {
	kind cueKind
	form *regexp.Regexp
}{
	{negated, cue(`no|not|without|denies|denied|declines?|declined|refuses?|refused|deferred|defers?|cancel(?:led|ed)?|never|don['’]t|doesn['’]t|didn['’]t|won['’]t|isn['’]t|aren['’]t|against|instead of|rather than|unable to|nor|neither|unnecessary|hold off on|too early for|contraindicated|nothing`)},
	{tentative, cue(`consider|considering|considered|may|might|could|possibly|possible|perhaps|potential|potentially|would|low threshold(?: for| to)?|contemplate|entertain|discuss|if|unless|option of|optional`)},
	{past, cue(`was|were|had|has been|have been|has had|have had|underwent|previous|previously|last|s/p|status post|history of|reviewed|reviewing|saw|seen by|discussed|per|based on|according to|` +
		`presents?|presenting|here for|here today|in for|comes in|comes? to|came|returned|lost to|recent|recently|post|compared (?:to|with)|comparison|showed|shows|since|following|received|completed|did|got|went|called`)},
	{ongoing, cue(`continues?|continuing|keep|maintain|remains?|already|currently|takes?|taking|uses?|using`)},
	{future, cue(`will|(?:i|we|he|she|they|you|it|that)['’]ll|shall|should|must|needs?(?: to)?|need to|to be|plans?(?: to| for| on)?|planned|going to|to|please|let['’]s|advised?|advised to|instructed|told|asked|agrees?|agreed|(?:i|we)['’]d like|would like|would recommend|would suggest|would advise|` +
		`want|wants|like|scheduled?|recommended?|recommends?|ordered|order|ordering|due|booked|set up|arranged?|requested|has|have|follow|planning|anticipate|expect|hope|also|then|again|today|continue to|continues to|intend|suggest|advise`)},
}

func cue(words string) *regexp.Regexp { return regexp.MustCompile(`\b(?:` + words + `)\b`) }

// modality says how the words before an order turn it. gap is the number of words between the cue and the order.
func modality(before string) cueKind {
	before = strings.NewReplacer("prior to", "       ", "would like", "     like", "would recommend", "      recommend", "would suggest", "      suggest",
		"would advise", "      advise", "not only", "         ").Replace(before)
	before = strings.ReplaceAll(before, "not at goal", "")
	kind, at := none, -1
	for _, c := range cues {
		for _, m := range c.form.FindAllStringIndex(before, -1) {
			sticky := c.kind == negated || c.kind == tentative
			if sticky && len(strings.Fields(before[m[1]:])) > 6 {
				continue
			}
			if c.kind == negated && strings.ContainsAny(before[m[1]:], ",") {
				continue
			}
			held := kind == negated || (kind == tentative && c.kind != negated)
			if sticky && !held || !held && m[1] > at {
				kind, at = c.kind, m[1]
			}
		}
	}
	return kind
}

var (
	// notWanted after an order takes it back.
	notWanted = regexp.MustCompile(`^[^,;]{0,60}?\b(?:(?:is|are|was|were|been)? ?(?:not|no longer|never)(?: yet)? (?:been )?(?:needed|required|necessary|indicated|recommended|warranted|available|done|obtained|performed|scheduled|covered|planned|desired|wanted|appropriate)|declined|refused|deferred|cancell?ed|unnecessary|not (?:wish|want)|was unremarkable)\b`)
	// gone says that it has happened.
	gone = regexp.MustCompile(`\b(?:last (?:week|month|year|night|visit|time|summer|fall|winter|spring|monday|tuesday|wednesday|thursday|friday)|yesterday|ago|previously|in the past|earlier this)\b`)
	// result after the name of a test is what was found, not what is to be done.
	result = regexp.MustCompile(`\b(?:is|was|are|were|showed|shows?|showing|reveal(?:s|ed|ing)?|demonstrate[sd]?|consistent with|negative|positive|normal|unremarkable|within normal|elevated|reviewed|done|performed|completed|obtained|resulted|came back|returned|unchanged|stable|improved|improving|looks|confirmed|suggests?|ruled out|called|notified|aware|contacted|discussed|from (?:last|today|the|this)|goal|target|above|below|less than|greater than|at least|more than|under|over \d|up from|down from|controlled|collected|drawn|given|tolerated|without complications?)\b|[<>]`)
	// placed after the name of a test says that it was ordered.
	placed = regexp.MustCompile(`\b(?:scheduled|ordered|planned|requested|arranged|needed|is due|are due|due in|recommended|indicated|advised|pending|to be (?:done|drawn|obtained|scheduled|arranged|performed|ordered|checked|repeated)|placed|booked|set up|sent|warranted|will be|should be|required)\b`)
	value  = regexp.MustCompile(`^[:,]?\s*(?:of |level |count )?\d`)
	// argument before the name of a test makes it a reason or a place: "because of elevated liver enzymes".
	argument = regexp.MustCompile(`\b(?:because of|given|due to|despite|with|without|from|of|on|in|after|before|until|per|based on|as|than|during|prior to|following|via|under|by|for|about|regarding|between|at|through|throughout|s/p)\s+(?:(?:the|a|an|his|her|their|abnormal|elevated|low|high|recent|stable|new|prior|any) )*$`)
	asked    = regexp.MustCompile(`\b(?:scheduled|set up|sent|plan|plans|planned|listed|orders?|ordered|ordering|consent(?:ed)?|booked|due|ready|proceed|return|referred|approval|prepare|prep|bring (?:him|her|them|the patient) back|requisition|slip|script) (?:for|on|with|of)\s+(?:(?:the|a|an|his|her|their|repeat) )*$`)
)
