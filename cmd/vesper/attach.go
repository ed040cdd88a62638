package main

import (
	"path/filepath"

	"vesper/internal/services"
	"vesper/storage/postgres"
)

// mainDatabase is the database of `vesper up`.
const mainDatabase = "vesper_main"

// attach finds the services of a running `vesper up` by its data folder, as the workers' login.
func attach(dir string) (databaseFlags, serviceFlags, error) {
	stack, err := services.Attach(dir)
	if err != nil {
		return databaseFlags{}, serviceFlags{}, err
	}
	logins, err := localLogins(stack)
	if err != nil {
		return databaseFlags{}, serviceFlags{}, err
	}
	keys, err := prepareKeys(stack.Dir())
	if err != nil {
		return databaseFlags{}, serviceFlags{}, err
	}
	return databaseFlags{logins.Work}, localServices(stack, keys), nil
}

// databaseOf is the database of the flags, or without an address that of the `vesper up` on the data folder.
func databaseOf(db databaseFlags, dir string) (string, error) {
	if db.DatabaseURL != "" {
		return db.DatabaseURL, nil
	}
	db, _, err := attach(dir)
	return db.DatabaseURL, err
}

// localLogins are the addresses of the database's logins on a local stack.
func localLogins(stack *services.Stack) (postgres.Logins, error) {
	serve, err := stack.Secrets().PostgresPassword(postgres.LoginServe)
	if err != nil {
		return postgres.Logins{}, err
	}
	work, err := stack.Secrets().PostgresPassword(postgres.LoginWork)
	if err != nil {
		return postgres.Logins{}, err
	}
	return postgres.LoginURLs(stack.PostgresURL(""), mainDatabase, serve.Reveal(), work.Reveal())
}

// localServices are the settings that point at a local stack; the EHR is still to be filled in.
func localServices(stack *services.Stack, keys auditKeys) serviceFlags {
	s3, dir := stack.S3(), stack.Dir()
	return serviceFlags{
		RedisURL: stack.RedisURL(), S3Endpoint: s3.Endpoint, S3Region: s3.Region, S3AccessKey: s3.AccessKey, S3SecretKey: s3.SecretKey.Reveal(),
		S3Bucket: "vesper", MasterKeyFile: filepath.Join(dir, "secrets", "master_key"), AuditPublicKey: keys.public,
		NoteSystem: "urn:vesper:note-version", MaxRecordingBytes: 2 << 30, limitFlags: limitDefaults(), ScratchDir: filepath.Join(dir, "scratch"), ownScratch: true,
		keepingFlags: keepingDefaults(),
	}
}
