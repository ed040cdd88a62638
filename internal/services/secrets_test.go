package services_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vesper/internal/services"
)

func TestSecretsAreMadeOnceAndOnlyTheirOwnerMayReadThem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, err := services.OpenSecrets(dir)
	if err != nil {
		t.Fatal(err)
	}
	before, err := one.MasterKey()
	if err != nil || len(before) != 32 {
		t.Fatalf("master key of %d bytes, %v", len(before), err)
	}
	careless := filepath.Join(dir, "secrets", "session_key")
	if err := os.Chmod(careless, 0o644); err != nil {
		t.Fatal(err)
	}
	two, err := services.OpenSecrets(dir)
	if err != nil {
		t.Fatal(err)
	}
	if after, err := two.MasterKey(); err != nil || !bytes.Equal(before, after) {
		t.Fatalf("the master key changed, %v", err)
	}
	err = filepath.WalkDir(filepath.Join(dir, "secrets"), func(path string, d fs.DirEntry, err error) error {
		info, statErr := os.Stat(path)
		if err != nil || statErr != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v (%v, %v)", path, info.Mode(), err, statErr)
		}
		if strings.HasSuffix(path, ".new") || strings.HasPrefix(d.Name(), ".") {
			t.Errorf("%s was left behind", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEachRoleHasItsOwnPassword(t *testing.T) {
	t.Parallel()
	s, err := services.OpenSecrets(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[services.Secret]string{}
	for _, role := range []string{"postgres", "vesper_app", "vesper_worker"} {
		p, err := s.PostgresPassword(role)
		if err != nil || len(p.Reveal()) < 40 || seen[p] != "" {
			t.Errorf("password of %s: %d characters, same as %q, %v", role, len(p.Reveal()), seen[p], err)
		}
		seen[p] = role
	}
}

func TestSecretsDoNotShowThemselves(t *testing.T) {
	t.Parallel()
	s := services.Secret("hunter2")
	text, err := json.Marshal(map[string]any{"password": s})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %q", s, s, s, s), string(text), s.LogValue().String()} {
		if strings.Contains(shown, "hunter2") {
			t.Errorf("the secret shows: %s", shown)
		}
	}
	if s.Reveal() != "hunter2" {
		t.Error("Reveal does not reveal")
	}
}

func TestALostMasterKeyIsNotReplacedWhenThereIsData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := services.OpenSecrets(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "postgres"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "postgres", "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "secrets", "master_key")); err != nil {
		t.Fatal(err)
	}
	if _, err := services.OpenSecrets(dir); code(err) != "secrets_missing" {
		t.Fatalf("got %v", err)
	}
}

func TestADamagedKeyIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := services.OpenSecrets(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secrets", "master_key"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.MasterKey(); code(err) != "secrets_damaged" {
		t.Fatalf("got %v", err)
	}
	if _, err := s.Key("../postgres"); err == nil {
		t.Fatal("a key outside the folder was made")
	}
}
