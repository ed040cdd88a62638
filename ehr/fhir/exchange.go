package fhir

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vesper/internal/fault"
)

// maxAnswer is the longest answer that is read, in bytes: a bundle of two of the largest notes in base64.
const maxAnswer = 20 << 20

const fhirJSON = "application/fhir+json"

// answer is one whole HTTP answer: its body was read to the end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do makes one exchange with the EHR. path is relative to the base and may have a query. An error means that no whole
// answer came; what the server did is then unknown. Errors carry no URL query and no body.
func (c *Client) do(ctx context.Context, method, path string, header http.Header, body []byte) (answer, error) {
	return c.exchange(ctx, method, path, header, body, maxAnswer)
}

// exchange is do with a bound of its own on the answer, in bytes.
func (c *Client) exchange(ctx context.Context, method, path string, header http.Header, body []byte, most int64) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base.String()+"/"+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("make request: %w", hideURL(err))
	}
	req.Header.Set("Accept", fhirJSON)
	req.Header.Set("Cache-Control", "no-cache")
	for k, v := range header {
		req.Header[k] = v
	}
	if body != nil {
		req.Header.Set("Content-Type", fhirJSON)
	}
	if c.token != nil {
		token, err := c.token(ctx)
		if err != nil {
			return answer{}, fmt.Errorf("get token: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", method, hideURL(err))
	}
	defer res.Body.Close()
	got, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	if err != nil {
		return answer{}, fmt.Errorf("%s: read answer: %w", method, err)
	}
	if int64(len(got)) > most {
		return answer{}, fmt.Errorf("%s: answer is longer than %d bytes", method, most)
	}
	return answer{res.StatusCode, res.Header, got}, nil
}

// hideURL drops the address that net/http writes into its errors.
func hideURL(err error) error {
	if u := new(url.Error); errors.As(err, &u) {
		return u.Err
	}
	return err
}

// decode reads the answer as a resource of the given type.
func (a answer) decode(kind string, into any) error {
	media, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if media != fhirJSON && media != "application/json" {
		return fmt.Errorf("answer is %q, not FHIR JSON", media)
	}
	var head struct {
		ResourceType string `json:"resourceType"`
	}
	if err := json.Unmarshal(a.body, &head); err != nil {
		return errors.New("answer is not JSON") // the decoder's own words could quote the body
	}
	if head.ResourceType != kind {
		return fmt.Errorf("answer is not a %s", kind)
	}
	if json.Unmarshal(a.body, into) != nil {
		return fmt.Errorf("answer is not a well-formed %s", kind)
	}
	return nil
}

// issueTypes is FHIR's value set. Only these words of an OperationOutcome are repeated; its texts may quote the note.
var issueTypes = strings.Fields("invalid structure required value invariant security login unknown expired forbidden " +
	"suppressed processing not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension " +
	"too-costly business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational")

// issues lists the codes of an OperationOutcome, if the answer is one.
func (a answer) issues() []string {
	var o struct {
		Issue []struct {
			Code string `json:"code"`
		} `json:"issue"`
	}
	if json.Unmarshal(a.body, &o) != nil {
		return nil
	}
	var codes []string
	for _, i := range o.Issue {
		if slices.Contains(issueTypes, i.Code) && !slices.Contains(codes, i.Code) {
			codes = append(codes, i.Code)
		}
	}
	return codes
}

// refusal turns an answer that is a plain "no" into a fault. Doubtful statuses never come here from Deliver.
func (a answer) refusal(op string) error {
	cause := fmt.Errorf("%s: status %d, issues %v", op, a.status, a.issues())
	switch s := a.status; {
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		return fault.Wrap(cause, fault.Invalid, "ehr_login_refused", "The EHR does not accept Vesper's credentials for this. "+
			"Ask an administrator to check the EHR connection; the note is safe here.")
	case s == http.StatusNotFound || s == http.StatusGone:
		return fault.Wrap(cause, fault.NotFound, "ehr_copy_missing", "The EHR says that this document is not there. "+
			"Look for it in the EHR.")
	case s == http.StatusTooManyRequests || s >= 500:
		f := fault.Wrap(cause, fault.Unavailable, "ehr_busy", "The EHR is busy or has a problem. The note is safe here and "+
			"will be sent again later.")
		f.RetryAfter = a.retryAfter()
		return f
	case s >= 300 && s < 400:
		return fault.Wrap(cause, fault.Invalid, "ehr_redirected", "The EHR redirects to another address, which Vesper does not "+
			"follow. Correct the EHR's base URL in the configuration.")
	default:
		return fault.Wrap(cause, fault.Invalid, "ehr_refused", "The EHR refused this document. Ask an administrator to look at "+
			"the delivery; the note is safe here.")
	}
}

// retryAfter is the wait the EHR asks for, at most an hour; 0 when it asks for none.
func (a answer) retryAfter() time.Duration {
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, time.Hour)
}
