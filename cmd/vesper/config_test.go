package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSettingsComeFromFlagsVariablesAndOneFile(t *testing.T) {
	t.Parallel()
	config := file(t, "vesper.yaml", "database-url: postgres://u:p@127.0.0.1:1/x\ns3_endpoint: http://127.0.0.1:1\nehr-url: https://ehr.example/fhir\n")
	env := []string{"VESPER_REDIS_URL=redis://127.0.0.1:1/0", "VESPER_AUDIT_PUBLIC_KEY=k"}
	r := run(t, env, "serve", "--config", config, "--master-key-file", filepath.Join(t.TempDir(), "key"))
	r.wantFault(t, "config_missing")
	for setting, given := range map[string]bool{
		"--database-url": true, "--s3-endpoint": true, "--ehr-url": true, "--redis-url": true, "--audit-public-key": true, "--master-key-file": true,
		"--s3-access-key": false, "--s3-secret-key": false,
	} {
		if strings.Contains(r.errOut, setting) == given {
			t.Errorf("%s given %v, and the answer is %s", setting, given, r.errOut)
		}
	}
	// A flag goes before the file, and the file is read from the variable too.
	r = run(t, append(env, "VESPER_CONFIG="+config, "VESPER_S3_ACCESS_KEY=a", "VESPER_S3_SECRET_KEY=s"), "serve", "--database-url", "nonsense://", "--master-key-file", "none")
	r.wantFault(t, "database_url")
}

func TestWhatIsMistypedIsToldWithTheUsage(t *testing.T) {
	t.Parallel()
	const usage = 80 // kong's code for a command line that cannot be understood
	run(t, nil, "up", "--nonsense").want(t, usage, "unknown flag --nonsense")
	run(t, nil, "dance").want(t, usage, "unexpected argument dance")
	run(t, nil).want(t, usage, "Usage: vesper <command>")
	run(t, nil, "transcribe").want(t, usage, `"<file>"`)
	run(t, nil, "--help").want(t, 0, "doctor", "transcribe", "demo")
	if r := run(t, nil, "--version"); r.code != 0 || strings.TrimSpace(r.out) == "" {
		t.Errorf("version: %+v", r)
	}
	if r := run(t, nil, "serve", "--config", file(t, "bad.yaml", "a: [b")); r.code == 0 || strings.Contains(r.errOut, "panic") {
		t.Errorf("a broken file: %+v", r)
	}
	if r := run(t, nil, "serve", "--config", filepath.Join(t.TempDir(), "absent.yaml")); r.code == 0 {
		t.Errorf("an absent file: %+v", r)
	}
}

func TestOneMachineHasTheSettingsOfALargeOne(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	run(t, nil, "up", "--help").want(t, 0, "--style", "--queue-limit", "--spool-limit")
	run(t, nil, "up", "--data", dir, "--style", "old-norse").wantFault(t, "style_unknown")
	if _, err := os.Stat(dir); err == nil {
		t.Error("something was started in spite of a wrong setting")
	}
	run(t, nil, "practice", "--data", dir, "--login", "boss", "--admin", "Alex Fiction", "My Practice").wantFault(t, "not_running")
}

func TestAKeyThatOthersCanReadIsRefused(t *testing.T) {
	t.Parallel()
	key := file(t, "audit", "secret")
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	r := run(t, nil, "work", "--audit-key-file", key)
	r.wantFault(t, "key_exposed")
	if !strings.Contains(r.errOut, "chmod 600 "+key) {
		t.Errorf("it does not say how to mend it: %s", r.errOut)
	}
	run(t, nil, "work", "--audit-key-file", key+"x").wantFault(t, "key_unreadable")
	run(t, nil, "work").wantFault(t, "config_missing")
	run(t, nil, "migrate").wantFault(t, "config_missing")
}

func TestServicesThatAreNotThereAreNamed(t *testing.T) {
	t.Parallel()
	run(t, nil, "migrate", "--owner-url", "postgres://u:hunter2@127.0.0.1:1/x").want(t, 1, "vesper: ")
	r := run(t, nil, "submit", clip(t, 1), "--server", "http://127.0.0.1:1", "--login", "x", "--password", "y")
	r.wantFault(t, "server_unreachable")
	r = run(t, nil, "audit", "verify", "--data", t.TempDir())
	if r.code != 1 || strings.Contains(r.errOut, "(internal)") {
		t.Errorf("nothing runs there: %+v", r)
	}
	if r := run(t, nil, "migrate", "--owner-url", "postgres://u:hunter2@127.0.0.1:1/x", "-v"); strings.Contains(r.out+r.errOut, "hunter2") {
		t.Errorf("the password is shown:\n%s", r.errOut)
	}
}
