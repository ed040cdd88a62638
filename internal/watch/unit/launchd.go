package unit

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"path/filepath"
	"strings"
)

// Launchd writes property lists.
type Launchd struct{}

func (Launchd) label(s Spec) string { return "org.vesper." + s.Name() }

// Path implements Manager.
func (m Launchd) Path(s Spec) string {
	if s.User {
		return filepath.Join(s.Home, "Library", "LaunchAgents", m.label(s)+".plist")
	}
	return filepath.Join("/Library/LaunchDaemons", m.label(s)+".plist")
}

// File implements Manager.
func (m Launchd) File(s Spec) []byte {
	var b bytes.Buffer
	text := func(v string) string {
		var out strings.Builder
		_ = xml.EscapeText(&out, []byte(v)) // a strings.Builder takes everything
		return "<string>" + out.String() + "</string>"
	}
	key := func(name, value string) { fmt.Fprintf(&b, "\t<key>%s</key>\n\t%s\n", name, value) }
	b.WriteString(xml.Header + `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n")
	b.WriteString("<!-- " + marker + "; changes are lost when it is installed again. -->\n<plist version=\"1.0\">\n<dict>\n")
	key("Label", text(m.label(s)))
	words := append(append([]string{s.Program, "watch", "--service"}, s.Args...), "--", s.Dir)
	var all strings.Builder
	for _, w := range words {
		all.WriteString("\n\t\t" + text(w))
	}
	key("ProgramArguments", "<array>"+all.String()+"\n\t</array>")
	key("EnvironmentVariables", "<dict>\n\t\t<key>VESPER_PASSWORD_FILE</key>\n\t\t"+text(s.PasswordFile)+"\n\t</dict>")
	if !s.User {
		key("UserName", text(s.RunAs))
	}
	key("RunAtLoad", "<true/>")
	key("KeepAlive", "<true/>")
	key("ThrottleInterval", "<integer>30</integer>")
	key("ExitTimeOut", "<integer>30</integer>")
	key("ProcessType", text("Background"))
	key("Umask", "<integer>63</integer>") // 0077
	key("StandardErrorPath", text(m.log(s)))
	b.WriteString("</dict>\n</plist>\n")
	return b.Bytes()
}

func (m Launchd) log(s Spec) string {
	if s.User {
		return filepath.Join(s.Home, "Library", "Logs", s.Name()+".log")
	}
	return filepath.Join("/Library/Logs", s.Name()+".log")
}

// Next implements Manager.
func (m Launchd) Next(s Spec) []string {
	if s.User {
		return []string{"launchctl bootstrap gui/$(id -u) " + shell(m.Path(s)), "tail -f " + shell(m.log(s))}
	}
	return []string{"launchctl bootstrap system " + shell(m.Path(s)), "tail -f " + shell(m.log(s))}
}

// Stop implements Manager.
func (m Launchd) Stop(s Spec) []string {
	if s.User {
		return []string{"launchctl bootout gui/$(id -u)/" + m.label(s)}
	}
	return []string{"launchctl bootout system/" + m.label(s)}
}

// shell makes one word for a shell.
func shell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
