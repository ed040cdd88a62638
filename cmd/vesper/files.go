package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vesper/internal/client"
	"vesper/internal/fault"
	"vesper/notes"
	"vesper/notes/render"
	"vesper/notes/style"
	"vesper/notes/templates"
	"vesper/transcribe"
)

// transcribeCmd works on one file with no service.
type transcribeCmd struct {
	engineFlags
	File string `arg:"" help:"Recording: WAV, MP3, M4A, OGG, WebM, FLAC, AMR, DSS …"`
	JSON bool   `help:"Print words, times, confidences and spans as JSON."`
}

// Run prints the transcript.
func (c *transcribeCmd) Run(rt *runtime) error {
	t, err := transcribeFile(rt, c.engineFlags, c.File)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(rt.out, t)
	}
	fmt.Fprintln(rt.out, t.Text)
	tellDoubts(rt.errOut, t)
	return nil
}

const (
	unsureBelow = 0.4 // confidence under which a word is named
	mostUnsure  = 20  // of them, the least sure
)

// tellDoubts says what a person should listen to.
func tellDoubts(w io.Writer, t transcribe.Transcript) {
	for _, warning := range t.Audio.Warnings {
		fmt.Fprintf(w, "recording: %s\n", warning.Text)
	}
	for _, s := range t.Spans {
		switch s.Kind {
		case transcribe.SpanUnheard:
			fmt.Fprintf(w, "unheard: %s–%s speech that did not become words; listen to it\n", clock(s.Start), clock(s.End))
		case transcribe.SpanStruck:
			fmt.Fprintf(w, "struck:  %s–%s text that the engine wrote but nobody said (%s)\n", clock(s.Start), clock(s.End), s.Reason)
		}
	}
	for _, s := range t.Unreliable() {
		fmt.Fprintf(w, "unreliable: %s–%s however it was tried (%s); listen to it against the text\n", clock(s.Start), clock(s.End), s.Reason)
	}
	for _, d := range t.Doubts {
		if d.Repaired {
			fmt.Fprintf(w, "mended:  %s %q, where at first stood %q\n", clock(d.Start), d.Heard, d.Other)
		} else {
			fmt.Fprintf(w, "doubt:   %s %q, or %q? (%s)\n", clock(d.Start), d.Heard, d.Other, d.Kind)
		}
	}
	unsure := slices.DeleteFunc(slices.Clone(t.Words), func(w transcribe.Word) bool { return w.Confidence >= unsureBelow })
	slices.SortStableFunc(unsure, func(a, b transcribe.Word) int { return cmp.Compare(a.Confidence, b.Confidence) })
	unsure = unsure[:min(len(unsure), mostUnsure)]
	slices.SortStableFunc(unsure, func(a, b transcribe.Word) int { return cmp.Compare(a.Start, b.Start) })
	for _, word := range unsure {
		fmt.Fprintf(w, "unsure:  %s %q (%.0f %%)\n", clock(word.Start), word.Text, 100*word.Confidence)
	}
}

func transcribeFile(rt *runtime, f engineFlags, path string) (transcribe.Transcript, error) {
	r, err := openRecogniser(rt.ctx, rt, f)
	if err != nil {
		return transcribe.Transcript{}, err
	}
	defer r.Close()
	return r.file(rt, path)
}

// draftCmd makes a note of one file with no service.
type draftCmd struct {
	engineFlags
	File     string `arg:"" help:"Recording, or the JSON of vesper transcribe."`
	WorkType string `help:"Kind of document: progress, hp, consult, procedure …" default:"progress"`
	JSON     bool   `help:"Print sections, blanks, flags and follow-ups as JSON."`
	Format   string `help:"Print the note as: html, text, markdown, pdf or fhir; each says that it is a draft." enum:",html,text,markdown,pdf,fhir" default:""`
	Date     string `help:"Day of the dictation (2006-01-02), from which due dates count; without it they stay words." placeholder:"DATE"`
	styleFlag
	Texts string `help:"File of the author's own texts (a YAML list of name, also, text), for “insert my normal NAME”." placeholder:"FILE"`
}

// Run prints the note.
func (c *draftCmd) Run(rt *runtime) error {
	tpl, err := templates.Find(c.WorkType)
	if err != nil {
		return err
	}
	opts := notes.Options{}
	if opts.Style, err = findStyle(c.Style); err != nil {
		return err
	}
	if opts.Blocks, err = ownTexts(c.Texts); err != nil {
		return err
	}
	if c.Date != "" {
		if opts.Dictated, err = time.ParseInLocation(time.DateOnly, c.Date, time.Local); err != nil {
			return fault.Wrap(err, fault.Invalid, "date_invalid", "The date must be written as 2006-01-02.")
		}
	}
	t, err := c.transcript(rt)
	if err != nil {
		return err
	}
	doc, err := notes.Draft(t, tpl, opts)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(rt.out, doc.Output())
	}
	if c.Format != "" {
		raw, err := render.Render(render.Format(c.Format), render.Version{Document: doc, Number: 1, Title: tpl.Name})
		if err != nil {
			return err
		}
		_, err = rt.out.Write(raw)
		return err
	}
	fmt.Fprintln(rt.out, notes.Text(doc))
	for _, f := range doc.FollowUps {
		fmt.Fprintln(rt.errOut, followUpLine(f))
	}
	for _, f := range doc.Flags {
		fmt.Fprintf(rt.errOut, "%s: %s–%s %s\n", f.Kind, clock(f.Start), clock(f.End), f.Detail)
	}
	return nil
}

// ownTexts are the texts of a file, which count as approved when the file was last changed.
func ownTexts(path string) ([]notes.TextBlock, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "file_unreadable", "The file of texts cannot be read. Check its path.")
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("look at the file of texts: %w", err)
	}
	return notes.ReadTextBlocks(data, filepath.Base(path), info.ModTime())
}

// findStyle is a style by its name, or the practice's own from a file.
func findStyle(name string) (style.Style, error) {
	if ext := filepath.Ext(name); ext != ".yaml" && ext != ".yml" {
		return style.Find(name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return style.Style{}, fault.Wrap(err, fault.Invalid, "file_unreadable", "The file of the writing style cannot be opened. Check its name and that you may read it.")
	}
	return style.Parse(filepath.Base(name), data)
}

// followUpLine says a promise in one line.
func followUpLine(f notes.FollowUp) string {
	line := "follow-up: " + strings.ReplaceAll(f.Kind, "_", " ")
	if f.Due != "" {
		line += ", due " + f.Due
	}
	if f.To != "" {
		line += ", " + f.To
	}
	if f.Conditional {
		line += ", conditional"
	}
	return line + ": " + f.Text
}

// transcript reads the file as a transcript's JSON if it is one, and as a recording otherwise.
func (c *draftCmd) transcript(rt *runtime) (transcribe.Transcript, error) {
	var t transcribe.Transcript
	f, err := os.Open(c.File)
	if err != nil {
		return t, fault.Wrap(err, fault.Invalid, "file_unreadable", "The file cannot be opened. Check its name and that you may read it.")
	}
	defer f.Close()
	head := make([]byte, 64)
	n, _ := io.ReadFull(f, head)
	if !strings.HasPrefix(strings.TrimSpace(string(head[:n])), "{") {
		return transcribeFile(rt, c.engineFlags, c.File)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return t, err
	}
	if err := json.NewDecoder(f).Decode(&t); err != nil {
		return t, fault.Wrap(err, fault.Invalid, "transcript_invalid", "The file is not the JSON that vesper transcribe --json writes.")
	}
	return t, nil
}

// submitCmd sends a recording to a running server.
type submitCmd struct {
	File      string `arg:"" help:"Recording to send."`
	Server    string `help:"Address of the server." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Login     string `help:"Your login; empty: the author's."`
	Password  string `help:"Your password; better left to VESPER_PASSWORD or the prompt."`
	Author    string `help:"Login or id of the physician who dictated; empty: yourself."`
	Patient   string `help:"Record number or id of the patient."`
	Encounter string `help:"Id of the visit."`
	WorkType  string `help:"Kind of document." default:"progress"`
	Stat      bool   `help:"Urgent: before everything that has not started."`
	Key       string `help:"Your own key for this recording; sending it again with the same key changes nothing."`
}

// Run prints the receipt's id.
func (c *submitCmd) Run(rt *runtime) error {
	if c.Login == "" {
		c.Login = c.Author
	}
	if c.Login == "" {
		return need(map[string]string{"author": "", "login": ""})
	}
	password := c.Password
	if password == "" {
		var err error
		if password, err = askPassword(rt, "Password for "+c.Login+": "); err != nil {
			return err
		}
	}
	api, err := client.New(c.Server)
	if err != nil {
		return err
	}
	if _, err := api.Login(rt.ctx, c.Login, password); err != nil {
		return err
	}
	sub := client.Submission{Author: c.Author, Patient: c.Patient, Encounter: c.Encounter, WorkType: c.WorkType, ClientKey: c.Key}
	if c.Stat {
		sub.Priority = "stat"
	}
	api.OnWait = func(pause time.Duration, why *fault.Error) {
		fmt.Fprintf(rt.errOut, "%s It is tried again in %s.\n", why.Public, pause.Round(time.Second))
	}
	r, err := api.Submit(rt.ctx, c.File, sub)
	if err != nil {
		return err
	}
	what := "received"
	if r.Duplicate {
		what = "received before"
	}
	fmt.Fprintf(rt.out, "%s %s sha256 %s, %d bytes\n", r.ID, what, r.SHA256, r.Bytes)
	return nil
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// clock writes seconds as m:ss.
func clock(seconds float64) string {
	return fmt.Sprintf("%d:%02d", int(seconds)/60, int(seconds)%60)
}
