package unit

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Systemd writes units. Those of the machine need systemd 250 or newer, for credentials.
type Systemd struct{}

// Path implements Manager.
func (Systemd) Path(s Spec) string {
	if !s.User {
		return filepath.Join("/etc/systemd/system", s.Name()+".service")
	}
	config := s.Config
	if config == "" {
		config = filepath.Join(s.Home, ".config")
	}
	return filepath.Join(config, "systemd", "user", s.Name()+".service")
}

// File implements Manager. A share need not be there at the start: the watcher waits for it. So the folder is no
// requirement of the unit, which would stop it with the share and not start it again.
func (Systemd) File(s Spec) []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# %s; changes are lost when it is installed again.", marker)
	line("[Unit]")
	line("Description=Vesper: sends the recordings of %s", escape(s.Dir))
	line("Documentation=man:systemd.service(5)")
	if !s.User {
		line("Wants=network-online.target")
		line("After=network-online.target remote-fs.target")
	}
	line("StartLimitIntervalSec=0")
	line("\n[Service]")
	line("Type=exec")
	line("ExecStart=%s", commandLine(s))
	line("Restart=always\nRestartSec=30")
	line("KillMode=mixed\nTimeoutStopSec=30")
	line("UMask=0077")
	if s.User {
		line("Environment=%s", quote("VESPER_PASSWORD_FILE="+s.PasswordFile))
	} else {
		line("User=%s", escape(s.RunAs))
		line("LoadCredential=password:%s", escape(s.PasswordFile)) // up to the end of the line, as it is
		line("Environment=VESPER_PASSWORD_FILE=%%d/password")
		line("ProtectSystem=strict\nProtectHome=read-only")
		for _, dir := range append([]string{s.Dir}, s.Writes...) {
			line("ReadWritePaths=%s", quote("-"+dir))
		}
		if !below(s.Dir, "/tmp") && !below(s.Program, "/tmp") && !below(s.Dir, "/var/tmp") {
			line("PrivateTmp=yes")
		}
		line("PrivateDevices=yes\nProtectKernelTunables=yes\nProtectKernelModules=yes\nProtectKernelLogs=yes\nProtectControlGroups=yes")
		line("ProtectClock=yes\nProtectHostname=yes\nCapabilityBoundingSet=")
	}
	line("NoNewPrivileges=yes\nLockPersonality=yes\nRestrictSUIDSGID=yes\nRestrictRealtime=yes\nRestrictNamespaces=yes")
	line("RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX\nSystemCallArchitectures=native")
	line("\n[Install]")
	if s.User {
		line("WantedBy=default.target")
	} else {
		line("WantedBy=multi-user.target")
	}
	return []byte(b.String())
}

func commandLine(s Spec) string {
	words := []string{quote(s.Program), "watch", "--service"}
	for _, a := range s.Args {
		words = append(words, argument(a))
	}
	return strings.Join(append(words, "--", argument(s.Dir)), " ")
}

// escape keeps systemd from replacing what looks like one of its specifiers.
func escape(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// quote makes one word of a value, whatever is in it.
func quote(s string) string {
	r := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "\t", `\t`)
	return `"` + r.Replace(s) + `"`
}

// argument is quote for the words of a command, in which variables are replaced too.
func argument(s string) string { return strings.ReplaceAll(quote(s), "$", "$$") }

func below(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// Next implements Manager.
func (m Systemd) Next(s Spec) []string {
	out := []string{}
	if s.User {
		return append(out, "systemctl --user daemon-reload", "systemctl --user enable --now "+s.Name(),
			"loginctl enable-linger   # if it shall run while you are not logged in", "journalctl --user -fu "+s.Name())
	}
	return append(out, "systemctl daemon-reload", "systemctl enable --now "+s.Name(), "journalctl -fu "+s.Name())
}

// Stop implements Manager.
func (m Systemd) Stop(s Spec) []string {
	if s.User {
		return []string{"systemctl --user disable --now " + s.Name()}
	}
	return []string{"systemctl disable --now " + s.Name()}
}
