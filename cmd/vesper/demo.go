package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vesper/internal/client"
	"vesper/internal/fault"
	"vesper/internal/sample"
	"vesper/pipeline"
)

// demoCmd takes one dictation the whole way through real parts and proves that the EHR holds what was signed.
type demoCmd struct {
	engineFlags
	File string `help:"Recording to use instead of the sample." placeholder:"FILE"`
	JSON bool   `help:"Print the steps as JSON."`
	Keep bool   `help:"Keep the temporary data folder."`
}

// step is one thing the demo did, with its time.
type step struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	Detail  string  `json:"detail"`
}

// Run starts a fresh stack, walks the way, and fails unless every step held.
func (c *demoCmd) Run(rt *runtime) error {
	dir, err := os.MkdirTemp("", "vesper-demo-")
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "temp_unavailable", "The temporary folder cannot be written.")
	}
	if err := os.Chmod(dir, 0o711); err != nil { // PostgreSQL's own user must pass through
		return err
	}
	if !c.Keep {
		defer os.RemoveAll(dir)
	}
	ctx, stop := context.WithTimeout(rt.ctx, 10*time.Minute)
	defer stop()
	ready, ended := make(chan *node, 1), make(chan error, 1)
	inner := *rt
	var cancel context.CancelFunc
	inner.ctx, cancel = context.WithCancel(ctx)
	defer cancel()
	w := &walk{rt: rt, cmd: c, started: time.Now()}
	up := upCmd{
		engineFlags: c.engineFlags, Data: filepath.Join(dir, "data"), Demo: true, IdleTimeout: 15 * time.Minute,
		AnyPort: true, quiet: true, ready: func(n *node) { ready <- n },
	}
	go func() { ended <- up.Run(&inner) }()
	select {
	case err := <-ended:
		return err
	case n := <-ready:
		w.done("start", "PostgreSQL, Redis, S3 store, web server, worker and sandbox EHR answer")
		err = w.all(ctx, n, dir)
	}
	cancel()
	if stopErr := <-ended; err == nil && stopErr != nil {
		err = stopErr
	}
	w.done("stop", "everything stopped in order")
	w.finish(err)
	return err
}

// walk is one demo run.
type walk struct {
	rt      *runtime
	cmd     *demoCmd
	steps   []step
	started time.Time
	last    time.Time
}

// done notes a step and prints it.
func (w *walk) done(name, detail string) {
	if w.last.IsZero() {
		w.last = w.started
	}
	now := time.Now()
	s := step{name, now.Sub(w.last).Seconds(), detail}
	w.last = now
	w.steps = append(w.steps, s)
	if !w.cmd.JSON {
		fmt.Fprintf(w.rt.out, "%8.2f s  %-11s %s\n", s.Seconds, s.Name, s.Detail)
	}
}

func (w *walk) finish(err error) {
	if w.cmd.JSON {
		enc := json.NewEncoder(w.rt.out)
		enc.SetIndent("", "  ")
		_ = enc.Encode(map[string]any{"ok": err == nil, "seconds": time.Since(w.started).Seconds(), "steps": w.steps}) //nolint:errchkjson // plain data
		return
	}
	if err == nil {
		fmt.Fprintf(w.rt.out, "%8.2f s  in all: the text in the EHR is the signed text, byte for byte\n", time.Since(w.started).Seconds())
	}
}

// note is the part of the API's detail that the demo uses.
type apiNote struct {
	ContentHash string `json:"content_hash"` // of the preview: what was seen
	Version     struct {
		Number   int `json:"number"`
		Document struct {
			Sections []struct {
				Key  string `json:"key"`
				Runs []struct {
					Text string `json:"text"`
				} `json:"runs"`
			} `json:"sections"`
			Flags []struct {
				ID      string          `json:"id"`
				Settled json.RawMessage `json:"settled"`
			} `json:"flags"`
		} `json:"document"`
	} `json:"version"`
	Signature *struct {
		TextSHA256 string `json:"text_sha256"`
		Text       string `json:"text"`
	} `json:"signature"`
	Deliveries []struct {
		EHRID string `json:"ehr_id"`
		State string `json:"state"`
	} `json:"deliveries"`
}

type section struct {
	Key  string `json:"key"`
	Text string `json:"text"`
}

// all walks from the recording to the verified document.
func (w *walk) all(ctx context.Context, n *node, dir string) error {
	people := map[string]*client.Client{}
	password := map[string]string{}
	for _, l := range n.Logins {
		if people[l.Role] != nil {
			continue
		}
		c, err := client.New(n.URL)
		if err != nil {
			return err
		}
		if _, err := c.Login(ctx, l.Login, l.Password); err != nil {
			return fmt.Errorf("log in as %s: %w", l.Role, err)
		}
		people[l.Role], password[l.Role] = c, l.Password
	}
	w.done("log in", "physician, editor, supervisor, compliance, admin")
	id, err := w.submit(ctx, people["physician"], dir)
	if err != nil {
		return err
	}
	if err := w.review(ctx, people["editor"], id); err != nil {
		return err
	}
	if err := w.sign(ctx, people["physician"], id, password["physician"]); err != nil {
		return err
	}
	if err := w.compare(ctx, n, people["physician"], id); err != nil {
		return err
	}
	return w.verify(ctx, n, people["compliance"], id)
}

// submit sends the recording and waits for the draft.
func (w *walk) submit(ctx context.Context, physician *client.Client, dir string) (string, error) {
	file := w.cmd.File
	if file == "" {
		file = filepath.Join(dir, sample.Name())
		if err := os.WriteFile(file, sample.Audio(), 0o600); err != nil {
			return "", fmt.Errorf("write sample: %w", err)
		}
	}
	r, err := physician.Submit(ctx, file, client.Submission{Patient: demoPatients(time.Now())[0].MRN, WorkType: sample.WorkType, ClientKey: "demo"})
	if err != nil {
		return "", fmt.Errorf("upload: %w", err)
	}
	w.done("received", fmt.Sprintf("%d bytes, SHA-256 %.12s…, in the object store and on record", r.Bytes, r.SHA256))
	if _, err := physician.Await(ctx, r.ID, "transcribed", "drafted"); err != nil {
		return "", err
	}
	w.done("transcribed", "local Whisper, in engine processes")
	if _, err := physician.Await(ctx, r.ID, "drafted"); err != nil {
		return "", err
	}
	w.done("drafted", "words moved into the physician's template")
	return r.ID, nil
}

// review is the editor's part: claim, hear, correct, settle the doubts, send.
func (w *walk) review(ctx context.Context, editor *client.Client, id string) error {
	path := "/api/v1/dictations/" + id
	if err := editor.Do(ctx, "POST", path+"/claim", map[string]string{}, nil); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	w.done("claimed", "by the VMA")
	var d apiNote
	if err := editor.Do(ctx, "GET", path, nil, &d); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	version := d.Version.Number
	var sections []section
	for _, s := range d.Version.Document.Sections {
		var text strings.Builder
		for _, r := range s.Runs {
			text.WriteString(r.Text)
		}
		sections = append(sections, section{s.Key, text.String()})
	}
	for i := len(sections) - 1; i >= 0; i-- {
		if sections[i].Text != "" {
			sections[i].Text += " Reviewed against the recording."
			break
		}
	}
	var v struct {
		Number int `json:"number"`
	}
	if err := editor.Do(ctx, "PUT", path+"/note", map[string]any{"base": version, "sections": sections}, &v); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	w.done("corrected", fmt.Sprintf("version %d by the VMA; words that did not change keep their audio", v.Number))
	for _, f := range d.Version.Document.Flags {
		if len(f.Settled) > 0 && string(f.Settled) != "null" {
			continue
		}
		err := editor.Do(ctx, "POST", path+"/flags/"+f.ID+"/settle", map[string]any{"base": v.Number, "how": "heard as written"}, &v)
		if fault.KindOf(err) == fault.NotFound {
			continue // the correction has settled it
		}
		if err != nil {
			return fmt.Errorf("settle flag: %w", err)
		}
	}
	if err := editor.Do(ctx, "POST", path+"/send", map[string]any{"version": v.Number}, nil); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	w.done("sent", fmt.Sprintf("to the physician, %d doubts settled", len(d.Version.Document.Flags)))
	return nil
}

// sign is the physician's part, and the wait for the delivery.
func (w *walk) sign(ctx context.Context, physician *client.Client, id, password string) error {
	path := "/api/v1/dictations/" + id
	var d apiNote
	if err := physician.Do(ctx, "GET", path+"/signature-preview", nil, &d); err != nil {
		return fmt.Errorf("preview: %w", err)
	}
	err := physician.Do(ctx, "POST", path+"/signature", map[string]any{
		"version": d.Version.Number, "content_hash": d.ContentHash, "password": password,
	}, nil)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	w.done("signed", fmt.Sprintf("version %d, password given again", d.Version.Number))
	if _, err := physician.Await(ctx, id, "delivered"); err != nil {
		return err
	}
	w.done("delivered", "conditional create in the EHR, read back and compared")
	return nil
}

// compare reads the document from the EHR by itself and holds it against the signed bytes.
func (w *walk) compare(ctx context.Context, n *node, physician *client.Client, id string) error {
	var d apiNote
	if err := physician.Do(ctx, "GET", "/api/v1/dictations/"+id, nil, &d); err != nil {
		return err
	}
	if d.Signature == nil || len(d.Deliveries) == 0 {
		return fault.New(fault.Internal, "demo_unsigned", "The note has no signature or no delivery.")
	}
	ehr, err := client.New(n.SandboxURL)
	if err != nil {
		return err
	}
	var doc struct {
		Content []struct {
			Attachment struct {
				Data []byte `json:"data"`
			} `json:"attachment"`
		} `json:"content"`
	}
	if err := ehr.Do(ctx, "GET", "/"+d.Deliveries[0].EHRID, nil, &doc); err != nil {
		return fmt.Errorf("read from the EHR: %w", err)
	}
	if len(doc.Content) != 1 {
		return fault.New(fault.Conflict, "demo_differs", "The EHR's document has no single attachment.")
	}
	if got := pipeline.SHA256(doc.Content[0].Attachment.Data); got != d.Signature.TextSHA256 {
		return fault.New(fault.Conflict, "demo_differs", "The text in the EHR is not the signed text.")
	}
	w.done("compared", fmt.Sprintf("%s holds %d bytes, SHA-256 %.12s… as signed", d.Deliveries[0].EHRID, len(doc.Content[0].Attachment.Data), d.Signature.TextSHA256))
	return nil
}

// verify checks the record: every step stands in it, and the log is whole.
func (w *walk) verify(ctx context.Context, n *node, compliance *client.Client, id string) error {
	var h struct {
		Events []struct {
			Action string `json:"action"`
		} `json:"events"`
	}
	if err := compliance.Do(ctx, "GET", "/api/v1/dictations/"+id+"/history", nil, &h); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	seen := map[string]bool{}
	for _, e := range h.Events {
		seen[e.Action] = true
	}
	for _, want := range []string{"dictation.submit", "dictation.process", "note.claim", "note.edit", "note.send", "note.sign"} {
		if !seen[want] {
			return fault.New(fault.Internal, "demo_record", "The record lacks "+want+".")
		}
	}
	report, err := pipeline.Verify(ctx, n.parts.store, n.parts.auditPK, n.parts.objects.Checkpoints)
	if err != nil {
		return err
	}
	if !report.OK() {
		return fault.New(fault.Conflict, "audit_broken", "The audit log does not verify: "+report.Findings[0].What)
	}
	w.done("audited", fmt.Sprintf("%d events for this note; the log of %d events verifies against %d signed checkpoints",
		len(h.Events), report.Events, report.Checkpoints))
	return nil
}
