package main

import (
	"fmt"

	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/storage/postgres"
)

// auditCmd works on the record.
type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Recompute the whole audit log and compare it with every signed checkpoint."`
}

type auditVerifyCmd struct {
	databaseFlags
	serviceFlags
	Data string `help:"Data folder of a running vesper up; instead of the addresses." default:"./data" placeholder:"DIR"`
}

// Run prints what it found and fails unless the log is whole.
func (c *auditVerifyCmd) Run(rt *runtime) error {
	db, f := c.databaseFlags, c.serviceFlags
	if db.DatabaseURL == "" {
		var err error
		if db, f, err = attach(c.Data); err != nil {
			return err
		}
	}
	if err := need(map[string]string{"audit-public-key": f.AuditPublicKey}); err != nil {
		return err
	}
	store, err := postgres.Open(rt.ctx, db.DatabaseURL, rt.log)
	if err != nil {
		return err
	}
	defer store.Close()
	objects, err := openObjects(rt.ctx, f)
	if err != nil {
		return err
	}
	report, err := pipeline.Verify(rt.ctx, store, textOrFile(f.AuditPublicKey), objects.Checkpoints)
	if err != nil {
		return err
	}
	stones, wrong, err := pipeline.VerifyTombstones(rt.ctx, store, textOrFile(f.AuditPublicKey))
	if err != nil {
		return err
	}
	report.Findings = append(report.Findings, wrong...)
	fmt.Fprintf(rt.out, "%d events, %d signed checkpoints, %d tombstones, root %s\n", report.Events, report.Checkpoints, stones, report.Root)
	for _, x := range report.Findings {
		fmt.Fprintln(rt.out, "  !", x.What)
	}
	if !report.OK() {
		return fault.New(fault.Conflict, "audit_broken", "The audit log is not whole. Keep the database as it is and call whoever is responsible for compliance.")
	}
	fmt.Fprintln(rt.out, "The log is whole.")
	return nil
}
