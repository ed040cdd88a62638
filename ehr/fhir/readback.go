package fhir

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"vesper/ehr"
	"vesper/internal/fault"
)

// ReadBack fetches the newest version of the receipt's document; see ehr.Target.
func (c *Client) ReadBack(ctx context.Context, r ehr.Receipt) (ehr.Copy, error) {
	id, ok := strings.CutPrefix(r.ID, "DocumentReference/")
	if !ok || !resourceID.MatchString(id) {
		return ehr.Copy{}, fault.Wrap(errors.New("receipt has no DocumentReference id"), fault.Invalid, "ehr_receipt_invalid",
			"The record of this delivery does not say where the note stands. Ask an administrator to look at it.")
	}
	a, err := c.do(ctx, http.MethodGet, "DocumentReference/"+id, nil, nil)
	if err != nil {
		return ehr.Copy{}, unreachable(err)
	}
	if a.status != http.StatusOK {
		return ehr.Copy{}, a.refusal("read back")
	}
	var d documentReference
	if err := a.decode("DocumentReference", &d); err != nil {
		return ehr.Copy{}, unreadable(err)
	}
	out := c.toCopy(d)
	if out.Body, err = c.body(ctx, d); err != nil {
		return ehr.Copy{}, err
	}
	out.BodySHA256 = ehr.SHA256(out.Body)
	return out, nil
}

func (c *Client) toCopy(d documentReference) ehr.Copy {
	out := ehr.Copy{ID: "DocumentReference/" + d.ID, VersionID: d.version(), Status: d.Status, DocStatus: d.DocStatus}
	if d.Subject != nil {
		out.Subject = c.relative(d.Subject.Reference)
	}
	for _, i := range d.Identifier {
		out.Identifiers = append(out.Identifiers, ehr.Identifier{System: i.System, Value: i.Value})
	}
	if d.Context != nil {
		for _, e := range d.Context.Encounter {
			out.Encounters = append(out.Encounters, c.relative(e.Reference))
		}
	}
	for _, r := range d.RelatesTo {
		out.RelatesTo = append(out.RelatesTo, ehr.Relation{Code: r.Code, Target: c.relative(r.Target.Reference)})
	}
	if len(d.Content) > 0 {
		out.ContentType = d.Content[0].Attachment.ContentType
	}
	return out
}

// relative cuts our own base URL from a reference; others stay as they are.
func (c *Client) relative(ref string) string { return strings.TrimPrefix(ref, c.base.String()+"/") }

// body returns the bytes of the note, which stand in the resource or, where the EHR moved them, in a Binary beside it.
func (c *Client) body(ctx context.Context, d documentReference) ([]byte, error) {
	if len(d.Content) != 1 {
		return nil, unreadable(fmt.Errorf("document has %d contents, sent was 1", len(d.Content)))
	}
	at := d.Content[0].Attachment
	if at.Data != "" || at.URL == "" {
		return decodeData(at.Data)
	}
	id, ok := strings.CutPrefix(c.relative(at.URL), "Binary/")
	id, _, _ = strings.Cut(id, "/_history/")
	if !ok || !resourceID.MatchString(id) {
		return nil, unreadable(errors.New("attachment stands outside the EHR's base URL"))
	}
	a, err := c.do(ctx, http.MethodGet, "Binary/"+id, nil, nil)
	if err != nil {
		return nil, unreachable(err)
	}
	if a.status != http.StatusOK {
		return nil, a.refusal("read back attachment")
	}
	var b struct {
		Data string `json:"data"`
	}
	if a.decode("Binary", &b) != nil {
		return a.body, nil //nolint:nilerr // served as its own bytes; Verify compares them
	}
	return decodeData(b.Data)
}

func decodeData(data string) ([]byte, error) {
	// FHIR allows white space inside base64.
	clean := strings.Join(strings.Fields(data), "")
	body, err := base64.StdEncoding.DecodeString(clean)
	if err != nil {
		return nil, unreadable(errors.New("attachment is not base64"))
	}
	return body, nil
}

func unreadable(cause error) error {
	return fault.Wrap(fmt.Errorf("read back: %w", cause), fault.Conflict, "ehr_copy_unreadable", "What stands in the EHR "+
		"cannot be read back, so it cannot be compared with what was signed. Look at the document in the EHR.")
}
