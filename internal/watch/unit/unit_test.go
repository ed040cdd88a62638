package unit_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vesper/internal/fault"
	"vesper/internal/watch/unit"
)

// odd is a folder whose name service managers would like to read as something else.
func odd(t *testing.T) unit.Spec {
	t.Helper()
	home := t.TempDir()
	dir := filepath.Join(home, `Dictées of "Dr. $HOME" 100% <&> \n`)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable() // one that is there: systemd looks
	if err != nil {
		t.Fatal(err)
	}
	return unit.Spec{
		Program: program, Args: []string{"--server=https://vesper.example:8443", "--login=dr.avery"}, Dir: dir,
		Writes: []string{"/srv/sent files"}, PasswordFile: filepath.Join(home, "pass word"), User: true, Home: home,
	}
}

func install(t *testing.T, m unit.Manager, s unit.Spec) string {
	t.Helper()
	if err := unit.Install(m, s); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(m.Path(s))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// settings reads a unit as systemd does: sections, and values by name.
func settings(t *testing.T, text string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
		default:
			name, value, ok := strings.Cut(line, "=")
			if !ok || section == "" {
				t.Fatalf("line %q", line)
			}
			out[section+"."+name] = append(out[section+"."+name], value)
		}
	}
	return out
}

func TestTheUnitIsOneThatSystemdTakes(t *testing.T) {
	t.Parallel()
	for _, user := range []bool{true, false} {
		s := odd(t)
		s.User, s.RunAs = user, "daemon"
		text := string(unit.Systemd{}.File(s))
		got := settings(t, text)
		want := map[string]string{
			"Service.Restart": "always", "Service.NoNewPrivileges": "yes", "Service.UMask": "0077", "Unit.StartLimitIntervalSec": "0",
		}
		if !user {
			want["Service.ProtectSystem"], want["Service.User"], want["Service.CapabilityBoundingSet"] = "strict", "daemon", ""
			want["Service.Environment"] = "VESPER_PASSWORD_FILE=%d/password"
			if rw := got["Service.ReadWritePaths"]; len(rw) != 2 || !strings.Contains(rw[0], `100%% <&>`) || rw[1] != `"-/srv/sent files"` {
				t.Errorf("writes to %v", rw)
			}
			if c := got["Service.LoadCredential"]; len(c) != 1 || c[0] != "password:"+s.PasswordFile {
				t.Errorf("credential %v", c)
			}
		}
		for name, value := range want {
			if v := got[name]; !slices.Equal(v, []string{value}) {
				t.Errorf("%s is %q", name, v)
			}
		}
		if strings.Contains(text, "secret") || strings.Contains(text, "DynamicUser") {
			t.Errorf("unit:\n%s", text)
		}
		verify(t, s, text, user)
	}
}

// verify asks systemd itself where it is there. What it does not know of, it warns about; the test fails then too.
func verify(t *testing.T, s unit.Spec, text string, user bool) {
	t.Helper()
	tool, err := exec.LookPath("systemd-analyze")
	if errors.Is(err, exec.ErrNotFound) {
		return // read by the test above
	}
	path := filepath.Join(t.TempDir(), s.Name()+".service")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"verify", "--man=no", "--recursive-errors=no", path}
	if user {
		args = append([]string{"--user"}, args...)
	}
	cmd := exec.Command(tool, args...)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), s.Name()) {
		t.Errorf("systemd-analyze: %v\n%s\n%s", err, out, text)
	}
	broken := strings.Replace(text, "Restart=always", "Restart=sometimes", 1)
	if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(tool, args...)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
	if out, _ := cmd.CombinedOutput(); !strings.Contains(string(out), "sometimes") {
		t.Errorf("systemd-analyze does not see what is wrong: %s", out)
	}
}

// plist reads a property list's dictionary: a value is its text, or the texts in it.
func plist(t *testing.T, text string) map[string][]string {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(text))
	out := map[string][]string{}
	name, depth := "", 0
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		switch e := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			depth++
			switch e.Name.Local {
			case "plist", "dict", "array":
				continue
			case "true":
				out[name] = append(out[name], "true")
				continue
			}
			var value string
			if err := dec.DecodeElement(&value, &e); err != nil {
				t.Fatal(err)
			}
			if depth--; e.Name.Local == "key" && depth == 2 {
				name = value
			} else {
				out[name] = append(out[name], value)
			}
		}
	}
}

func TestThePropertyListSaysWhatTheUnitSays(t *testing.T) {
	t.Parallel()
	s := odd(t)
	m := unit.Launchd{}
	got := plist(t, install(t, m, s))
	if want := append(append([]string{s.Program, "watch", "--service"}, s.Args...), "--", s.Dir); !slices.Equal(got["ProgramArguments"], want) {
		t.Errorf("arguments %q", got["ProgramArguments"])
	}
	if !slices.Equal(got["EnvironmentVariables"], []string{"VESPER_PASSWORD_FILE", s.PasswordFile}) {
		t.Errorf("environment %q", got["EnvironmentVariables"])
	}
	for name, value := range map[string]string{"KeepAlive": "true", "RunAtLoad": "true", "Umask": "63", "Label": "org.vesper." + s.Name()} {
		if !slices.Equal(got[name], []string{value}) {
			t.Errorf("%s is %q", name, got[name])
		}
	}
	if _, ok := got["UserName"]; ok {
		t.Error("an agent names an account")
	}
	s.User, s.RunAs = false, "recorder"
	if got := plist(t, string(m.File(s))); !slices.Equal(got["UserName"], []string{"recorder"}) || m.Path(s) != "/Library/LaunchDaemons/org.vesper."+s.Name()+".plist" {
		t.Errorf("as a daemon: %v at %s", got["UserName"], m.Path(s))
	}
}

func TestOnlyFilesOfOurOwnAreReplacedOrRemoved(t *testing.T) {
	t.Parallel()
	for _, goos := range []string{"linux", "darwin"} {
		m, err := unit.For(goos)
		if err != nil {
			t.Fatal(err)
		}
		s := odd(t)
		code := func(err error, want string) {
			t.Helper()
			if f := fault.As(err); f == nil || f.Code != want {
				t.Errorf("%s: %v, want %s", goos, err, want)
			}
		}
		code(unit.Uninstall(m, s), "service_absent")
		install(t, m, s)
		s.Args = []string{"--login=other"}
		if text := install(t, m, s); !strings.Contains(text, "login=other") || !strings.HasPrefix(m.Path(s), s.Home) {
			t.Errorf("%s: installed again:\n%s", goos, text)
		}
		if err := unit.Uninstall(m, s); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(m.Path(s)); err == nil {
			t.Error("the file is still there")
		}
		if err := os.WriteFile(m.Path(s), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		code(unit.Install(m, s), "service_foreign")
		code(unit.Uninstall(m, s), "service_foreign")
		other := s
		other.Dir += "\nExecStartPre=/bin/evil"
		code(unit.Install(m, other), "service_name")
		other = s
		other.User, other.RunAs = false, "root"
		code(unit.Install(m, other), "service_account")
		if len(m.Next(s)) == 0 || len(m.Stop(s)) == 0 {
			t.Error("what to do next is not told")
		}
	}
	if _, err := unit.For("plan9"); fault.As(err).Code != "service_manager_unknown" {
		t.Errorf("%v", err)
	}
}
