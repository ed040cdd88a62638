package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	_ "embed"

	"vesper/internal/services"
)

//go:embed large.sql
var fillSQL string

// psql runs SQL as superuser, with variables NAME=VALUE, and returns what it prints.
func (s *stand) psql(ctx context.Context, sql string, vars ...string) (string, error) {
	program, err := services.FindPostgres(ctx, 0)
	if err != nil {
		return "", err
	}
	args := []string{"-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", s.admin}
	for _, v := range vars {
		args = append(args, "-v", v)
	}
	var out, failed bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(program.Path), "psql"), args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(sql), &out, &failed
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("psql: %w: %s", err, failed.String())
	}
	return strings.TrimSpace(out.String()), nil
}

// large are the tables that grow with the years.
var large = []string{
	"dictations", "audio_objects", "jobs", "state_changes", "notes", "note_versions", "audit_events", "patients", "signatures", "deliveries",
	"transcripts", "transcript_words", "transcript_spans", "claims",
}

// planned is what the server said of its plans.
type planned struct {
	seen  int      // plans
	walks []string // "page: table"
}

var planOf = regexp.MustCompile(`"Node Type": "Seq Scan"[^{}]*?"Relation Name": "(\w+)"`)

const forgetPlans = `ALTER SYSTEM RESET ALL; SELECT pg_reload_conf()`

// plans lets PostgreSQL write down the plan of each statement while every page is asked for, often enough that prepared
// statements get their plan for any value.
func (s *stand) plans(ctx context.Context, pages []asked) (planned, error) {
	_, err := s.psql(ctx, `
		LOAD 'auto_explain';
		ALTER SYSTEM SET session_preload_libraries = 'auto_explain';
		ALTER SYSTEM SET auto_explain.log_min_duration = 0;
		ALTER SYSTEM SET auto_explain.log_format = 'json';
		ALTER SYSTEM SET auto_explain.log_nested_statements = on;
		SELECT pg_reload_conf();
		SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'vesper%';`)
	if err != nil {
		return planned{}, err
	}
	defer func() { _, _ = s.psql(context.WithoutCancel(ctx), forgetPlans) }() // a folder that stays is not to be slowed down
	log := filepath.Join(s.stack.Dir(), "logs", "postgres.log")
	read := func() (int64, error) { info, err := os.Stat(log); return info.Size(), err }
	var out planned
	for _, p := range pages {
		_ = p.ask(ctx) // the connections that were ended are found out
		from, err := read()
		if err != nil {
			return out, err
		}
		if _, err := p.times(ctx, 12); err != nil {
			return out, fmt.Errorf("%s: %w", p.name, err)
		}
		raw, err := os.ReadFile(log)
		if err != nil {
			return out, err
		}
		out.seen += bytes.Count(raw[from:], []byte(`"Query Text"`))
		for _, m := range planOf.FindAllSubmatch(raw[from:], -1) {
			walk := p.name + ": " + string(m[1])
			if slices.Contains(large, string(m[1])) && !slices.Contains(out.walks, walk) {
				out.walks = append(out.walks, walk)
			}
		}
	}
	if out.seen == 0 {
		return out, fmt.Errorf("PostgreSQL wrote no plans to %s", log)
	}
	return out, nil
}
