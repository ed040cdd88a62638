package fhir

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"vesper/ehr"
	"vesper/internal/crashpoint"
	"vesper/internal/fault"
)

// A 409 means that another create of the same document is under way. It is looked for this often, with growing waits
// (50 ms, 100 ms … 800 ms) until that one is through.
const (
	lookUps    = 6
	firstPause = 50 * time.Millisecond
)

// Deliver files the document; see ehr.Target for what it promises.
func (c *Client) Deliver(ctx context.Context, doc ehr.Document) (ehr.Receipt, error) {
	if err := doc.Validate(); err != nil {
		return ehr.Receipt{}, err
	}
	body, err := encode(doc)
	if err != nil {
		return ehr.Receipt{}, err
	}
	if !c.createsConditionally(ctx) {
		found, err := c.search(ctx, doc.Identifier)
		if err != nil || found != nil {
			return c.settled(found, ehr.Existed, err)
		}
	}
	a, err := c.do(ctx, http.MethodPost, "DocumentReference", http.Header{
		"If-None-Exist": {"identifier=" + url.QueryEscape(doc.Identifier.String())},
		"Prefer":        {"return=minimal"},
	}, body)
	if err != nil {
		return c.resolve(ctx, doc.Identifier, err)
	}
	crashpoint.At("ehr.after-create")
	return c.conclude(ctx, doc.Identifier, a)
}

// conclude reads the answer to a create.
func (c *Client) conclude(ctx context.Context, id ehr.Identifier, a answer) (ehr.Receipt, error) {
	switch {
	case a.status == http.StatusCreated, a.status == http.StatusOK:
		outcome := ehr.Existed
		if a.status == http.StatusCreated {
			outcome = ehr.Created
		}
		if place, version, ok := a.place(); ok {
			return c.receipt(place, version, outcome), nil
		}
		return c.await(ctx, id, a, 1)
	case a.status == http.StatusConflict:
		return c.await(ctx, id, a, lookUps)
	case a.status == http.StatusPreconditionFailed:
		return ehr.Receipt{}, duplicate(a.status)
	case a.status >= 500, a.status == http.StatusRequestTimeout:
		return c.resolve(ctx, id, a.refusal("create"))
	case a.status == http.StatusNotFound: // the base URL is wrong, not the document gone
		return ehr.Receipt{}, fault.Wrap(a.refusal("create"), fault.Invalid, "ehr_refused", "The EHR takes no documents at the "+
			"configured address. Correct the EHR's base URL in the configuration.")
	default:
		return ehr.Receipt{}, a.refusal("create")
	}
}

// resolve settles an unknown outcome: the document may stand in the EHR or not, so it is looked up and never sent again
// from here. When it is not there the caller comes back later with the same identifier.
func (c *Client) resolve(ctx context.Context, id ehr.Identifier, cause error) (ehr.Receipt, error) {
	if f := fault.As(unreachable(cause)); f.Kind == fault.Invalid { // never connected: nothing to look up
		return ehr.Receipt{}, f
	}
	found, err := c.search(ctx, id)
	if err == nil && found == nil {
		err = unknown(cause)
	} else if fault.KindOf(err) == fault.Unavailable {
		err = unknown(fmt.Errorf("%w; look-up: %w", cause, err))
	}
	return c.settled(found, ehr.Found, err)
}

// await looks for a document that the EHR says exists or is being made, and gives it a moment to become visible.
func (c *Client) await(ctx context.Context, id ehr.Identifier, a answer, tries int) (ehr.Receipt, error) {
	for pause := firstPause; ; pause *= 2 {
		found, err := c.search(ctx, id)
		if err != nil || found != nil {
			return c.settled(found, ehr.Found, err)
		}
		if tries--; tries <= 0 {
			return ehr.Receipt{}, unknown(fmt.Errorf("create: status %d, issues %v, not found", a.status, a.issues()))
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ehr.Receipt{}, unknown(fmt.Errorf("create: status %d: %w", a.status, ctx.Err()))
		}
	}
}

func (c *Client) settled(found *documentReference, o ehr.Outcome, err error) (ehr.Receipt, error) {
	if err != nil {
		return ehr.Receipt{}, err
	}
	return c.receipt(found.ID, found.version(), o), nil
}

func (d documentReference) version() string {
	if d.Meta == nil {
		return ""
	}
	return d.Meta.VersionID
}

// search returns the one document with the identifier, nil when there is none, and a Conflict when there are several.
func (c *Client) search(ctx context.Context, id ehr.Identifier) (*documentReference, error) {
	q := url.Values{"identifier": {id.String()}, "_count": {"2"}}
	a, err := c.do(ctx, http.MethodGet, "DocumentReference?"+q.Encode(), nil, nil)
	if err != nil {
		return nil, unreachable(err)
	}
	if a.status == http.StatusNotFound || a.status == http.StatusGone {
		return nil, unsearchable(a.refusal("search"))
	}
	if a.status != http.StatusOK {
		return nil, a.refusal("search")
	}
	var b struct {
		Entry []struct {
			Resource documentReference `json:"resource"`
		} `json:"entry"`
	}
	if err := a.decode("Bundle", &b); err != nil {
		return nil, unsearchable(err)
	}
	var found []documentReference
	foreign := 0
	for _, e := range b.Entry {
		switch {
		case e.Resource.ResourceType != "DocumentReference": // an OperationOutcome may ride along
		case e.Resource.has(id) && resourceID.MatchString(e.Resource.ID):
			found = append(found, e.Resource)
		default:
			foreign++
		}
	}
	switch {
	case len(found) > 1:
		return nil, duplicate(a.status)
	case foreign > 0:
		return nil, unsearchable(fmt.Errorf("search answered %d documents without the identifier", foreign))
	case len(found) == 0:
		return nil, nil
	}
	return &found[0], nil
}

func (d documentReference) has(id ehr.Identifier) bool {
	for _, i := range d.Identifier {
		if i.System == id.System && i.Value == id.Value {
			return true
		}
	}
	return false
}

// resourceID is FHIR's rule for logical ids; anything else never gets into a URL.
var resourceID = regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`)

// place finds where the document stands: in Location or Content-Location, else in the body. Only the id is taken, so a
// Location that points elsewhere leads nowhere.
func (a answer) place() (id, version string, ok bool) {
	for _, h := range []string{a.header.Get("Location"), a.header.Get("Content-Location")} {
		u, err := url.Parse(h)
		if err != nil {
			continue
		}
		parts := strings.Split(strings.Trim(u.Path, "/"), "/")
		for i := len(parts) - 2; i >= 0; i-- {
			if parts[i] != "DocumentReference" || !resourceID.MatchString(parts[i+1]) {
				continue
			}
			if len(parts) == i+4 && parts[i+2] == "_history" && resourceID.MatchString(parts[i+3]) {
				version = parts[i+3]
			}
			return parts[i+1], version, true
		}
	}
	var d documentReference
	if len(a.body) > 0 && a.decode("DocumentReference", &d) == nil && resourceID.MatchString(d.ID) {
		return d.ID, d.version(), true
	}
	return "", "", false
}

func unknown(cause error) error {
	return fault.Wrap(cause, fault.Unavailable, "ehr_outcome_unknown", "The EHR did not answer clearly, so it is not known "+
		"whether the note arrived. Vesper will look it up before anything is sent again.")
}

func duplicate(status int) error {
	return fault.Wrap(fmt.Errorf("status %d: several documents under one identifier", status), fault.Conflict,
		"ehr_duplicate", "The EHR holds more than one document under this note's number. Compare them in the EHR and have "+
			"the wrong one marked as entered in error.")
}

func unsearchable(cause error) error {
	return fault.Wrap(cause, fault.Invalid, "ehr_search_unsupported", "The EHR cannot look a document up by its number, so "+
		"Vesper cannot be sure to send it once only. Ask an administrator to check the EHR connection.")
}
