package sandbox

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // FHIR R4 defines attachment.hash as SHA-1
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// maxRequest is the largest resource taken, in bytes: 5 MiB of attachment in base64 with room to spare.
const maxRequest = 16 << 20

// document is what the sandbox looks at; everything else is kept as sent.
type document struct {
	ResourceType  string       `json:"resourceType"`
	Status        string       `json:"status"`
	DocStatus     string       `json:"docStatus"`
	Identifier    []identifier `json:"identifier"`
	Type          *concept     `json:"type"`
	Category      []concept    `json:"category"`
	Subject       reference    `json:"subject"`
	Date          string       `json:"date"`
	Author        []reference  `json:"author"`
	Authenticator *reference   `json:"authenticator"`
	Custodian     *reference   `json:"custodian"`
	RelatesTo     []struct {
		Code   string    `json:"code"`
		Target reference `json:"target"`
	} `json:"relatesTo"`
	Content []struct {
		Attachment attachment `json:"attachment"`
	} `json:"content"`
	Context struct {
		Encounter []reference `json:"encounter"`
		Period    *struct {
			Start string `json:"start"`
			End   string `json:"end"`
		} `json:"period"`
	} `json:"context"`
}

type identifier struct {
	System string `json:"system"`
	Value  string `json:"value"`
}

type concept struct {
	Coding []struct {
		System  string `json:"system"`
		Code    string `json:"code"`
		Display string `json:"display"`
	} `json:"coding"`
}

type reference struct {
	Reference string `json:"reference"`
	Display   string `json:"display"`
}

type attachment struct {
	ContentType string `json:"contentType"`
	Data        string `json:"data"`
	URL         string `json:"url"`
	Size        *int64 `json:"size"`
	Hash        string `json:"hash"`
	Title       string `json:"title"`
	Creation    string `json:"creation"`
}

// references lists everything the document points at, so that those resources can be read.
func (d document) references() []reference {
	all := append([]reference{d.Subject}, d.Author...)
	all = append(all, d.Context.Encounter...)
	for _, r := range []*reference{d.Authenticator, d.Custodian} {
		if r != nil {
			all = append(all, *r)
		}
	}
	return slices.DeleteFunc(all, func(r reference) bool { return r.Reference == "" })
}

var (
	validID  = regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`)
	elements = strings.Fields("resourceType id meta implicitRules language text contained extension modifierExtension " +
		"masterIdentifier identifier status docStatus type category subject date author authenticator custodian " +
		"relatesTo description securityLabel content context")
	statuses    = []string{"current", "superseded", "entered-in-error"}
	docStatuses = []string{"", "preliminary", "final", "amended", "entered-in-error"}
	relations   = []string{"replaces", "transforms", "signs", "appends"}
)

// decodeBody reads a JSON resource of the given type into its fields and its raw bytes.
func decodeBody(w http.ResponseWriter, r *http.Request, kind string) (map[string]any, []byte, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || (media != "application/fhir+json" && media != "application/json") {
		return nil, nil, refuse(http.StatusUnsupportedMediaType, "not-supported", "Content-Type must be application/fhir+json.")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		if tooLarge := new(http.MaxBytesError); asError(err, &tooLarge) {
			return nil, nil, refuse(http.StatusRequestEntityTooLarge, "too-long", "The resource is larger than 16 MiB.")
		}
		return nil, nil, refuse(http.StatusBadRequest, "incomplete", "The request ended early.")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var fields map[string]any
	if err := dec.Decode(&fields); err != nil || dec.More() {
		return nil, nil, refuse(http.StatusBadRequest, "structure", "The body is not one JSON object.")
	}
	if fields["resourceType"] != kind {
		return nil, nil, refuse(http.StatusBadRequest, "structure", "resourceType must be "+kind+".")
	}
	return fields, raw, nil
}

// check is what a server that takes clinical notes SHALL look at.
func check(fields map[string]any, raw []byte) error {
	for name := range fields {
		if !slices.Contains(elements, strings.TrimPrefix(name, "_")) {
			return invalid("structure", "DocumentReference has no such element: "+short(name))
		}
	}
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return invalid("structure", "An element has the wrong type.")
	}
	switch {
	case !slices.Contains(statuses, d.Status):
		return invalid("required", "status must be one of "+strings.Join(statuses, ", ")+".")
	case !slices.Contains(docStatuses, d.DocStatus):
		return invalid("value", "docStatus is not in its value set.")
	case d.Type == nil || !coded([]concept{*d.Type}):
		return invalid("required", "type needs a coding with system and code.")
	case !coded(d.Category):
		return invalid("required", "category needs a coding with system and code.")
	case !isReference(d.Subject.Reference, "Patient"):
		return invalid("required", "subject must refer to a Patient.")
	case len(d.Content) == 0:
		return invalid("required", "content is needed.")
	case !isInstant(d.Date):
		return invalid("value", "date must be an instant with seconds and time zone.")
	}
	for _, r := range d.RelatesTo {
		if !slices.Contains(relations, r.Code) || r.Target.Reference == "" {
			return invalid("value", "relatesTo needs a code of its value set and a target.")
		}
	}
	for _, c := range d.Content {
		if err := c.Attachment.check(); err != nil {
			return err
		}
	}
	return nil
}

func (a attachment) check() error {
	media, params, err := mime.ParseMediaType(a.ContentType)
	switch {
	case err != nil:
		return invalid("required", "attachment.contentType is needed.")
	case media == "text/plain" && !strings.EqualFold(params["charset"], "utf-8"):
		return invalid("not-supported", "text/plain must say charset=utf-8.")
	case media != "text/plain" && media != "application/pdf":
		return invalid("not-supported", "The sandbox takes text/plain; charset=utf-8 and application/pdf.")
	case a.Data == "" && a.URL == "":
		return invalid("required", "attachment needs data or url.")
	case a.Data == "":
		return nil
	}
	body, err := base64.StdEncoding.DecodeString(a.Data)
	sum := sha1.Sum(body) //nolint:gosec // see above
	switch {
	case err != nil:
		return invalid("value", "attachment.data is not base64.")
	case a.Size != nil && *a.Size != int64(len(body)):
		return invalid("value", "attachment.size does not fit the data.")
	case a.Hash != "" && a.Hash != base64.StdEncoding.EncodeToString(sum[:]):
		return invalid("value", "attachment.hash is not the SHA-1 of the data.")
	}
	return nil
}

func coded(cs []concept) bool {
	for _, c := range cs {
		for _, k := range c.Coding {
			if k.System != "" && k.Code != "" {
				return true
			}
		}
	}
	return false
}

func isReference(ref, kind string) bool {
	id, ok := strings.CutPrefix(ref, kind+"/")
	return ok && validID.MatchString(id)
}

func isInstant(s string) bool {
	if s == "" {
		return true
	}
	_, err := time.Parse(time.RFC3339Nano, s)
	return err == nil
}

func short(s string) string { return fmt.Sprintf("%.40q", s) }
