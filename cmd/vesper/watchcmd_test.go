package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vesper/internal/testkit"
)

// recorder is a folder with a clip of real speech under the name of a patient.
func recorder(t *testing.T) (dir, clipped string) {
	t.Helper()
	dir = t.TempDir()
	clipped = string(read(t, clip(t, 1)))
	if err := os.WriteFile(filepath.Join(dir, "Doe, Jane.wav"), []byte(clipped), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, clipped
}

func lies(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Lstat(path)
	return err == nil
}

// noNames fails the test when what a command printed names the patient of a file.
func noNames(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(text, "Jane") || strings.Contains(text, "Doe") {
			t.Errorf("a name is in the log:\n%s", text)
		}
	}
}

func TestTheFolderOfARecorderIsEmptiedIntoTheServer(t *testing.T) {
	t.Parallel()
	i := up(t, folder(t), "--demo")
	dir, speech := recorder(t)
	before := i.total()
	secret := []string{"VESPER_PASSWORD=" + i.password("dr.avery"), "VESPER_SERVER=" + i.url, "VESPER_LOGIN=dr.avery", "VESPER_SETTLE=200ms"}
	once := func(env ...string) result {
		t.Helper()
		r := run(t, append(append([]string{}, secret...), env...), "watch", dir, "--once", "--verbose")
		noNames(t, r.out, r.errOut)
		return r
	}

	once().want(t, 0, "1 received (0 of them before), 0 rejected, 0 left")
	day := time.Now().Format(time.DateOnly)
	if !lies(t, filepath.Join(dir, "sent", day, "Doe, Jane.wav")) {
		t.Error("the recording was not moved")
	}
	put := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("Doe, Jane again.wav", speech)
	once().want(t, 0, "1 received (1 of them before)")
	put("Doe, Jane.txt.wav", "Dear colleague, I saw your patient today.")
	once().want(t, 4, "1 rejected", "(watch_rejected)")
	put("Doe, Jane half.wav", speech[:5000])
	once().want(t, 3, "1 left", "(watch_left)")
	once("VESPER_PASSWORD=wrong").want(t, 77, "(watch_password)")
	once("VESPER_SERVER=http://127.0.0.1:1").want(t, 3, "1 left") // nothing is ready, so nobody is asked
	once("VESPER_PATIENCE=1ms").want(t, 0, "1 received")
	run(t, secret, "watch", filepath.Join(dir, "absent"), "--once").wantFault(t, "folder_gone")
	run(t, nil, "watch", dir).wantFault(t, "config_missing")
	if n := i.total() - before; n != 2 {
		t.Errorf("%d dictations of two recordings", n)
	}
	i.watchesAsAService(dir)
}

// watchesAsAService runs what a unit runs: with a wrong password first, then stopped and killed.
func (i *installation) watchesAsAService(dir string) {
	t := i.t
	t.Helper()
	secret := filepath.Join(t.TempDir(), "password")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(secret, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("wrong\n")
	args := []string{"watch", "--service", "--server=" + i.url, "--login=dr.avery", "--settle=200ms", "--password-file=" + secret, "--", dir}
	s := start(t, args...)
	logs := func(b *background, text string) {
		t.Helper()
		testkit.Until(t, time.Minute, "the service logs "+text, func() bool { return strings.Contains(b.log.String(), text) })
	}
	logs(s, "waiting until the password file changes")
	write(i.password("dr.avery") + "\n")
	other := string(read(t, clip(t, 1))) + "and one more byte"
	if err := os.WriteFile(filepath.Join(dir, "Doe, Jane 2.wav"), []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	logs(s, "recording: moved")
	run(t, []string{"VESPER_PASSWORD=" + i.password("dr.avery")}, "watch", dir, "--server", i.url, "--login", "dr.avery").wantFault(t, "watch_busy")
	s.signal(syscall.SIGTERM)
	if code := s.ends(); code != 0 {
		t.Errorf("a stopped service ends with %d", code)
	}
	noNames(t, s.out.String(), s.log.String())
	if err := os.Chmod(secret, 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, nil, args...).wantFault(t, "key_exposed")
}

func TestAServiceIsInstalledWithoutItsPasswordAndRemoved(t *testing.T) {
	t.Parallel()
	dir, _ := recorder(t)
	config := t.TempDir()
	env := []string{"XDG_CONFIG_HOME=" + config, "VESPER_PASSWORD=orchid-lantern", "VESPER_LOGIN=dr.avery"}
	run(t, env, "watch", dir, "--install", "--user", "--nested", "--sent", filepath.Join(dir, "done")).
		want(t, 0, "Wrote "+config, "systemctl --user enable --now vesper-watch-", "type the password of dr.avery")
	units, err := filepath.Glob(filepath.Join(config, "systemd", "user", "*.service"))
	if err != nil || len(units) != 1 {
		t.Fatalf("%v %v", units, err)
	}
	text := string(read(t, units[0]))
	for _, want := range []string{program, "--nested", "--login=dr.avery", "--sent=" + filepath.Join(dir, "done"), "Restart=always", "VESPER_PASSWORD_FILE="} {
		if !strings.Contains(text, want) {
			t.Errorf("the unit lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "orchid") {
		t.Error("the unit holds the password")
	}
	run(t, env, "watch", dir, "--uninstall", "--user").want(t, 0, "Removed "+config, "systemctl --user disable --now")
	run(t, env, "watch", dir, "--uninstall", "--user").wantFault(t, "service_absent")
	run(t, nil, "watch", dir, "--install", "--user").wantFault(t, "config_missing")
	run(t, env, "watch", filepath.Join(dir, "absent"), "--install", "--user").wantFault(t, "folder_gone")
}
