package main

import (
	"context"
	"path/filepath"

	"vesper/ehr/fhir"
	"vesper/internal/doctor"
	"vesper/internal/fault"
	"vesper/internal/services"
	"vesper/models"
	"vesper/storage/postgres"
)

// doctorCmd checks everything Vesper depends on: the services given by flags, else those of a running `vesper up`, and
// this machine in any case.
type doctorCmd struct {
	databaseFlags
	serviceFlags
	engineFlags
	Data string `help:"Data folder of vesper up." default:"./data" placeholder:"DIR"`
}

// leastDisk is the free space below which recordings are soon refused, bytes.
const leastDisk = 2 << 30

// Run prints a table and fails when something is wrong.
func (c *doctorCmd) Run(rt *runtime) error {
	checks := []doctor.Check{
		doctor.Ffmpeg(), doctor.Folder(c.Data), doctor.Disk(c.Data, leastDisk, services.FreeSpace),
		doctor.Model(func(context.Context) (string, error) {
			f, err := c.modelStore(rt).Lookup(c.modelName())
			if err != nil {
				return "", err
			}
			_, err = c.modelStore(rt).Lookup(models.SileroVAD)
			return f.Name, err
		}),
	}
	db, f := c.databaseFlags, c.serviceFlags
	if db.DatabaseURL == "" {
		if _, running := services.Running(c.Data); running {
			var err error
			if db, f, err = attach(c.Data); err != nil {
				return err
			}
			f.noticeFlags = c.noticeFlags
		}
	}
	if db.DatabaseURL != "" {
		checks = append(checks, serviceChecks(rt, db, f)...)
	} else {
		rt.log.Info("no services were given and no vesper up runs on the data folder: checking this machine only", "data", filepath.Clean(c.Data))
	}
	results := doctor.Examine(rt.ctx, checks)
	if err := doctor.Print(rt.out, results); err != nil {
		return err
	}
	if !doctor.Healthy(results) {
		return fault.New(fault.Unavailable, "unhealthy", "Something is wrong; the table says how to mend it.")
	}
	return nil
}

// serviceChecks ask the services themselves.
func serviceChecks(rt *runtime, db databaseFlags, f serviceFlags) []doctor.Check {
	checks := []doctor.Check{
		doctor.Postgres(func(ctx context.Context) (string, error) {
			store, err := postgres.Open(ctx, db.DatabaseURL, rt.log)
			if err != nil {
				return "", err
			}
			defer store.Close()
			if err := store.RequireSchema(ctx); err != nil {
				return "", err
			}
			return store.Version(ctx)
		}),
		doctor.Redis(func(ctx context.Context) (doctor.RedisFacts, error) { return doctor.AskRedis(ctx, f.RedisURL) }),
		doctor.Store(func(ctx context.Context) (doctor.StoreFacts, error) {
			store, err := openObjects(ctx, f)
			if err != nil {
				return doctor.StoreFacts{}, err
			}
			caps := store.Capabilities()
			return doctor.StoreFacts{Bucket: f.S3Bucket, Versioning: caps.Versioning, Lock: caps.ObjectLock}, nil
		}),
	}
	if f.SMTPURL != "" {
		checks = append(checks, doctor.Mail(func(ctx context.Context) error {
			m, err := newMailer(f.noticeFlags, "")
			if err != nil {
				return err
			}
			return m.Check(ctx)
		}))
	}
	if f.EHRURL == "" {
		return checks
	}
	return append(checks, doctor.EHR(func(ctx context.Context) (string, error) {
		c, err := fhir.New(fhir.Config{Name: f.EHRName, BaseURL: f.EHRURL, Token: f.EHRToken, AllowPrivate: f.EHRAllowPrivate})
		if err != nil {
			return "", err
		}
		_, err = c.Check(ctx)
		return f.EHRName, err
	}))
}
