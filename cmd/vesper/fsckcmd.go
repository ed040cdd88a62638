package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
	"vesper/storage/postgres"
)

// fsckCmd compares the object store with the database, both ways. Nothing is ever removed but, with --repair, a delete marker.
type fsckCmd struct {
	databaseFlags
	serviceFlags
	Data     string `help:"Data folder of a running vesper up; instead of the addresses." default:"./data" placeholder:"DIR"`
	Deep     bool   `help:"Read every byte of every recording and compare it, instead of names, versions and sizes only."`
	Repair   bool   `help:"Mend what can be mended without removing anything: bring deleted recordings back, make renditions for listening again, copy checkpoints out again."`
	Continue bool   `help:"Go on with a check that broke off."`
	Parallel int    `help:"Recordings read at once with --deep." default:"2"`
	Rate     int64  `help:"Read at most so many MiB a second with --deep; 0: as fast as it goes." default:"0"`
	JSON     bool   `help:"Print JSON."`
	Settle   string `help:"Settle a finding, by its id, instead of checking: it no longer counts as open. Needs --note and --by." placeholder:"ID"`
	Note     string `help:"How the finding was dealt with, for --settle." placeholder:"TEXT"`
	By       string `help:"Login of the administrator in whose name it is settled." placeholder:"LOGIN"`
}

// Run fails unless everything is in order or settled.
func (c *fsckCmd) Run(rt *runtime) error {
	db, f := c.databaseFlags, c.serviceFlags
	if db.DatabaseURL == "" {
		var err error
		if db, f, err = attach(c.Data); err != nil {
			return err
		}
	}
	store, err := postgres.Open(rt.ctx, db.DatabaseURL, rt.log)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := store.RequireSchema(rt.ctx); err != nil {
		return err
	}
	if c.Settle != "" {
		return c.settle(rt, store)
	}
	objects, err := openObjects(rt.ctx, f)
	if err != nil {
		return err
	}
	checker := &keeping.Checker{Store: store, Objects: objects, Others: otherParts(), Log: rt.log, Parallel: c.Parallel, Rate: c.Rate << 20}
	run, err := c.check(rt, checker)
	if err != nil {
		return err
	}
	var mended []keeping.Mended
	if c.Repair {
		temp := filepath.Join(f.ScratchDir, "work")
		if err := os.MkdirAll(temp, 0o700); err != nil {
			return fault.Wrap(err, fault.Unavailable, "temp_unavailable", "The scratch folder cannot be written. Check --scratch-dir.")
		}
		remaker := newRemaker(&pipeline.Remaker{Store: store, Objects: vault{store: objects}, TempDir: temp})
		mender := &keeping.Mender{Store: store, Objects: objects, Remake: func(ctx context.Context, x keeping.Finding) error {
			return remaker.Remake(ctx, x.PracticeID, x.DictationID)
		}}
		if mended, err = mender.Mend(rt.ctx); err != nil {
			return err
		}
	}
	standing, err := store.Standing(rt.ctx, keeping.Kinds())
	if err != nil {
		return err
	}
	return c.print(rt, run, mended, standing)
}

func (c *fsckCmd) settle(rt *runtime, store *postgres.Store) error {
	id, err := uuid.Parse(c.Settle)
	if err != nil {
		return fault.New(fault.Invalid, "finding_unknown", "The id of a finding is what vesper fsck --json calls id.")
	}
	err = pipeline.SettleAsOperator(rt.ctx, store, c.By, id, c.Note)
	if fault.KindOf(err) == fault.NotFound {
		return fault.Wrap(err, fault.NotFound, "finding_unknown", "There is no open finding with this id that concerns the practice of --by or the whole installation.")
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(rt.out, "settled")
	return nil
}

// check shows how far it is.
func (c *fsckCmd) check(rt *runtime, checker *keeping.Checker) (keeping.Run, error) {
	mode := keeping.Quick
	if c.Deep {
		mode = keeping.Deep
	}
	show := statusLine(rt)
	return checker.Run(rt.ctx, keeping.Options{Mode: mode, By: "operator", TakeUp: c.Continue, Progress: func(p keeping.Progress) {
		show(fmt.Sprintf("checked %d of %d recordings, %d MiB read, %d findings", p.Objects, p.Total, p.Bytes>>20, p.Found), !p.FinishedAt.IsZero())
	}})
}

// fsckReport is the outcome as JSON.
type fsckReport struct {
	Mode       keeping.Mode  `json:"mode"`
	Recordings int64         `json:"recordings"`
	Bytes      int64         `json:"bytes"` // read and compared
	Seconds    float64       `json:"seconds"`
	Mended     []fsckFinding `json:"mended"`
	Findings   []fsckFinding `json:"findings"` // that stand and that nobody has settled
	Settled    []fsckFinding `json:"settled"`
}

type fsckFinding struct {
	ID        uuid.UUID    `json:"id"`
	Kind      keeping.Kind `json:"kind"`
	Meaning   string       `json:"meaning"`
	Key       string       `json:"key"`
	VersionID string       `json:"version_id,omitempty"`
	Dictation *uuid.UUID   `json:"dictation,omitempty"`
	FirstSeen time.Time    `json:"first_seen"`
	Error     string       `json:"error,omitempty"` // why it could not be mended
}

func fsckFindingOf(f keeping.Finding) fsckFinding {
	out := fsckFinding{ID: f.ID, Kind: f.Kind, Meaning: f.Kind.Words(), Key: f.Key, VersionID: f.VersionID, FirstSeen: f.FirstSeen}
	if f.DictationID != uuid.Nil {
		out.Dictation = &f.DictationID
	}
	return out
}

func (c *fsckCmd) print(rt *runtime, run keeping.Run, mended []keeping.Mended, standing []keeping.Finding) error {
	r := fsckReport{Mode: run.Mode, Recordings: run.Objects, Bytes: run.Bytes, Seconds: run.FinishedAt.Sub(run.StartedAt).Seconds(), Mended: []fsckFinding{}, Findings: []fsckFinding{}, Settled: []fsckFinding{}}
	failed := map[uuid.UUID]string{}
	for _, m := range mended {
		if m.Err != nil {
			failed[m.ID] = fault.As(m.Err).Public
			continue
		}
		r.Mended = append(r.Mended, fsckFindingOf(m.Finding))
	}
	for _, f := range standing {
		x := fsckFindingOf(f)
		x.Error = failed[f.ID]
		if f.SettledAt != nil {
			r.Settled = append(r.Settled, x)
		} else {
			r.Findings = append(r.Findings, x)
		}
	}
	if c.JSON {
		if err := printJSON(rt.out, r); err != nil {
			return err
		}
	} else {
		r.text(rt)
	}
	if len(r.Findings) > 0 {
		return fault.New(fault.Conflict, "fsck_findings", fmt.Sprintf("%d findings stand. They are on the page “Recordings” of administrators, too, where they can be settled.", len(r.Findings)))
	}
	return nil
}

func (r fsckReport) text(rt *runtime) {
	fmt.Fprintf(rt.out, "%s check of %d recordings in %.1f s", r.Mode, r.Recordings, r.Seconds)
	if r.Bytes > 0 {
		fmt.Fprintf(rt.out, ", %d MiB read", r.Bytes>>20)
	}
	fmt.Fprintln(rt.out)
	for _, f := range r.Mended {
		fmt.Fprintf(rt.out, "  mended: %s %s\n", f.Kind, f.Key)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(rt.out, "  ! %s %s\n    %s\n", f.Kind, f.Key, f.Meaning)
		if f.Error != "" {
			fmt.Fprintf(rt.out, "    It could not be mended: %s\n", f.Error)
		}
	}
	if len(r.Settled) > 0 {
		fmt.Fprintf(rt.out, "  %d more were settled by a person\n", len(r.Settled))
	}
	if len(r.Findings) == 0 {
		fmt.Fprintln(rt.out, "Everything that was checked is in order.")
	}
}
