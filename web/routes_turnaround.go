package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/pipeline"
	"vesper/pipeline/escalation"
	"vesper/pipeline/turnaround"
)

// turnaroundClock is what the clock of a dictation shows.
type turnaroundClock struct {
	Used    int64  `json:"used_seconds" doc:"In the practice's hands"`
	Paused  int64  `json:"paused_seconds" doc:"Waiting for the physician; counted apart"`
	Allowed int64  `json:"allowed_seconds"`
	Phase   string `json:"phase" enum:"running,waiting,over"`
	Working bool   `json:"working_hours" doc:"Only opening hours are counted"`
}

func viewClock(r turnaround.Reading) turnaroundClock {
	phase := r.Phase
	if phase == "" {
		phase = turnaround.Running
	}
	return turnaroundClock{seconds(r.Used), seconds(r.Paused), seconds(r.Allowed), string(phase), r.Working}
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

type turnaroundLine struct {
	WorkType      string            `json:"work_type" doc:"Empty in the sum of all"`
	Priority      pipeline.Priority `json:"priority" doc:"Empty in the sum of all"`
	Received      int               `json:"received"`
	Signed        int               `json:"signed"`
	Open          int               `json:"open" doc:"Not signed yet"`
	Overdue       int               `json:"overdue" doc:"Of the open: in the practice's hands and past the due time"`
	Median        int64             `json:"median_seconds" doc:"Of the signed: the practice's own time"`
	P90           int64             `json:"p90_seconds"`
	WaitingMedian int64             `json:"waiting_median_seconds" doc:"Of the signed: the time that waited for the physician"`
	WaitingP90    int64             `json:"waiting_p90_seconds"`
	ReadyOnTime   int               `json:"ready_on_time" doc:"Of the signed: with the physician by the due time"`
	SignedOnTime  int               `json:"signed_on_time" doc:"Of the signed: signed by the due time"`
}

type reportInput struct {
	From time.Time `query:"from" doc:"Received from then on; the default is 30 days ago"`
	To   time.Time `query:"to" doc:"Received before then; the default is now"`
}

type reportOutput struct {
	Body struct {
		From   time.Time        `json:"from"`
		To     time.Time        `json:"to"`
		Lines  []turnaroundLine `json:"lines" doc:"By work type and priority, STAT first"`
		All    turnaroundLine   `json:"all"`
		Partly bool             `json:"partly" doc:"There was more than is counted; the newest 50,000 are"`
	}
}

type planOutput struct {
	Body struct {
		Number int             `json:"number" doc:"0: the practice has set no plan; all hours count"`
		SetBy  string          `json:"set_by"`
		Plan   turnaround.Plan `json:"plan"`
	}
}

type planInput struct {
	Body struct {
		Number int             `json:"number" minimum:"0" doc:"Of the plan that the change is based on"`
		Plan   turnaround.Plan `json:"plan"`
	}
}

type movedOutput struct {
	Body struct {
		Moved int `json:"moved" doc:"How many dictations that are not signed yet have another due time now"`
	}
}

type escalationView struct {
	ID          uuid.UUID `json:"id"`
	DictationID uuid.UUID `json:"dictation_id"`
	Rule        string    `json:"rule"`
	At          time.Time `json:"at"`
}

type webhookView struct {
	ID      uuid.UUID `json:"id"`
	URL     string    `json:"url"`
	AddedBy string    `json:"added_by"`
	AddedAt time.Time `json:"added_at"`
}

type deadMessage struct {
	ID        uuid.UUID        `json:"id"`
	Channel   pipeline.Channel `json:"channel" enum:"mail,webhook"`
	To        string           `json:"to"`
	Rule      string           `json:"rule"`
	ErrorCode string           `json:"error_code"`
	Attempts  int              `json:"attempts"`
	At        time.Time        `json:"at"`
}

type escalationsOutput struct {
	Body struct {
		Number   int              `json:"number" doc:"0: the rules that come with Vesper"`
		SetBy    string           `json:"set_by"`
		Source   string           `json:"source" doc:"The rules as YAML"`
		Recent   []escalationView `json:"recent" doc:"Carried out, the newest first"`
		Webhooks []webhookView    `json:"webhooks"`
		Dead     []deadMessage    `json:"dead" doc:"Messages that were given up"`
	}
}

type rulesInput struct {
	Body struct {
		Number int    `json:"number" minimum:"0" doc:"Of the rules that the change is based on"`
		Source string `json:"source" maxLength:"65536" doc:"YAML; empty goes back to the rules that come with Vesper"`
	}
}

type numberOutput struct {
	Body struct {
		Number int `json:"number"`
	}
}

type checkInput struct {
	Body struct {
		Source string `json:"source" maxLength:"65536"`
	}
}

type checkOutput struct {
	Body struct {
		Rules    int           `json:"rules"`
		Problems []ruleProblem `json:"problems"`
	}
}

type ruleProblem struct {
	Line    int    `json:"line" doc:"0 where it is not known"`
	Message string `json:"message"`
}

type webhookInput struct {
	Body struct {
		URL string `json:"url" minLength:"1" maxLength:"500"`
	}
}

type webhookOutput struct {
	Body struct {
		ID     uuid.UUID `json:"id"`
		URL    string    `json:"url"`
		Secret string    `json:"secret" doc:"Signs what is sent there; it is told once"`
	}
}

func (s *Server) mountTurnaround() {
	const tag = "turnaround"
	add(s, operation(http.MethodGet, "/v1/turnaround", tag, "report-turnaround", "How long notes took, by work type and priority"), s.getTurnaround)
	add(s, operation(http.MethodGet, "/v1/turnaround/plan", tag, "get-turnaround-plan", "Calendar and turn-around of the practice"), s.getPlan)
	add(s, operation(http.MethodPut, "/v1/turnaround/plan", tag, "set-turnaround-plan", "Set calendar and turn-around; due times of all that is not signed move with it"), s.putPlan)
	add(s, operation(http.MethodGet, "/v1/escalations", tag, "get-escalations", "Escalation rules, what they did, and messages that could not be sent"), s.getEscalations)
	add(s, operation(http.MethodPut, "/v1/escalations", tag, "set-escalations", "Set the practice's escalation rules"), s.putEscalations)
	add(s, operation(http.MethodPost, "/v1/escalations/check", tag, "check-escalations", "Check rules without setting them"), s.checkEscalations)
	create := operation(http.MethodPost, "/v1/webhooks", tag, "add-webhook", "Tell another system; the answer holds the secret that signs")
	create.DefaultStatus = http.StatusCreated
	add(s, create, s.addWebhook)
	for path, do := range map[string]struct {
		id, summary string
		run         func(context.Context, access.Actor, uuid.UUID) error
	}{
		"/v1/webhooks/{id}/remove": {"remove-webhook", "Tell another system no longer", s.svc.RemoveWebhook},
		"/v1/messages/{id}/resend": {"resend-message", "Send a message again that was given up", s.svc.ResendMessage},
	} {
		op := operation(http.MethodPost, path, tag, do.id, do.summary)
		op.DefaultStatus = http.StatusNoContent
		add(s, op, func(ctx context.Context, a access.Actor, in *thingByID) (*nothing, error) {
			return nil, do.run(ctx, a, in.ID)
		})
	}
}

type thingByID struct {
	ID uuid.UUID `path:"id"`
}

func (s *Server) getTurnaround(ctx context.Context, a access.Actor, in *reportInput) (*reportOutput, error) {
	r, err := s.svc.TurnaroundReport(ctx, a, in.From, in.To)
	if err != nil {
		return nil, err
	}
	out := &reportOutput{}
	out.Body.From, out.Body.To, out.Body.Partly = r.From, r.To, r.Partly
	out.Body.Lines, out.Body.All = each(r.Lines, viewLine), viewLine(r.All)
	return out, nil
}

func viewLine(l pipeline.TurnaroundLine) turnaroundLine {
	return turnaroundLine{
		WorkType: l.WorkType, Priority: l.Priority, Received: l.Received, Signed: l.Signed, Open: l.Open, Overdue: l.Overdue,
		Median: seconds(l.Median), P90: seconds(l.P90), WaitingMedian: seconds(l.WaitingMedian), WaitingP90: seconds(l.WaitingP90),
		ReadyOnTime: l.ReadyOnTime, SignedOnTime: l.SignedOnTime,
	}
}

func (s *Server) getPlan(ctx context.Context, a access.Actor, _ *struct{}) (*planOutput, error) {
	p, err := s.svc.TurnaroundPlan(ctx, a)
	if err != nil {
		return nil, err
	}
	out := &planOutput{}
	out.Body.Number, out.Body.SetBy, out.Body.Plan = p.Number, p.SetBy, p.Plan
	return out, nil
}

func (s *Server) putPlan(ctx context.Context, a access.Actor, in *planInput) (*movedOutput, error) {
	moved, err := s.svc.SetTurnaroundPlan(ctx, a, in.Body.Number, in.Body.Plan)
	if err != nil {
		return nil, err
	}
	out := &movedOutput{}
	out.Body.Moved = moved
	return out, nil
}

func (s *Server) getEscalations(ctx context.Context, a access.Actor, _ *struct{}) (*escalationsOutput, error) {
	e, err := s.svc.Escalations(ctx, a)
	if err != nil {
		return nil, err
	}
	out := &escalationsOutput{}
	out.Body.Number, out.Body.SetBy, out.Body.Source = e.Rules.Number, e.Rules.SetBy, e.Rules.Source
	out.Body.Recent = each(e.Recent, func(x pipeline.Escalation) escalationView {
		return escalationView{x.ID, x.DictationID, x.Rule, x.At}
	})
	out.Body.Webhooks = each(e.Webhooks, viewWebhook)
	out.Body.Dead = each(e.Dead, func(m pipeline.Message) deadMessage {
		to := m.Address
		if m.Channel == pipeline.ByWebhook {
			to = m.URL
		}
		return deadMessage{m.ID, m.Channel, to, m.Content.Rule, m.ErrorCode, m.Attempt, m.At}
	})
	return out, nil
}

func viewWebhook(h pipeline.Webhook) webhookView {
	return webhookView{h.ID, h.URL, h.AddedByName, stamp(h.AddedAt)}
}

func (s *Server) putEscalations(ctx context.Context, a access.Actor, in *rulesInput) (*numberOutput, error) {
	n, err := s.svc.SetEscalationRules(ctx, a, in.Body.Number, in.Body.Source)
	if err != nil {
		return nil, err
	}
	out := &numberOutput{}
	out.Body.Number = n
	return out, nil
}

// checkEscalations reads what it is given and nothing else, so everybody may ask.
func (s *Server) checkEscalations(_ context.Context, _ access.Actor, in *checkInput) (*checkOutput, error) {
	set, problems := escalation.Parse(in.Body.Source)
	out := &checkOutput{}
	out.Body.Rules, out.Body.Problems = len(set.Rules), each(problems, func(p escalation.Problem) ruleProblem { return ruleProblem(p) })
	return out, nil
}

func (s *Server) addWebhook(ctx context.Context, a access.Actor, in *webhookInput) (*webhookOutput, error) {
	h, secret, err := s.svc.AddWebhook(ctx, a, in.Body.URL)
	if err != nil {
		return nil, err
	}
	out := &webhookOutput{}
	out.Body.ID, out.Body.URL, out.Body.Secret = h.ID, h.URL, secret
	return out, nil
}
