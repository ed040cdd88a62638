package main

import (
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"

	"vesper/internal/fault"
	"vesper/internal/watch/unit"
)

// service installs or removes the service of the folder.
func (c *watchCmd) service(rt *runtime) error {
	m, err := unit.For(goruntime.GOOS)
	if err != nil {
		return err
	}
	s, err := c.spec()
	if err != nil {
		return err
	}
	if c.Uninstall {
		if err := unit.Uninstall(m, s); err != nil {
			return err
		}
		fmt.Fprintf(rt.out, "Removed %s\nIf it still runs:\n", m.Path(s))
		return list(rt, m.Stop(s))
	}
	if c.Login == "" && c.Author == "" {
		return need(map[string]string{"login": ""})
	}
	if err := unit.Install(m, s); err != nil {
		return err
	}
	fmt.Fprintf(rt.out, "Wrote %s\nNext:\n", m.Path(s))
	var next []string
	if info, err := os.Stat(s.PasswordFile); err != nil {
		next = append(next, fmt.Sprintf("install -m 600 /dev/stdin '%s'   # then type the password of %s, Return and Ctrl-D", s.PasswordFile, c.account()))
	} else if info.Mode().Perm()&0o077 != 0 {
		next = append(next, fmt.Sprintf("chmod 600 '%s'", s.PasswordFile))
	}
	return list(rt, append(next, m.Next(s)...))
}

func list(rt *runtime, commands []string) error {
	for _, line := range commands {
		if _, err := fmt.Fprintln(rt.out, "  "+line); err != nil {
			return err
		}
	}
	return nil
}

func (c *watchCmd) account() string {
	if c.Login != "" {
		return c.Login
	}
	return c.Author
}

// spec is the service that these flags describe.
func (c *watchCmd) spec() (unit.Spec, error) {
	s := unit.Spec{User: c.User, RunAs: c.RunAs, Config: os.Getenv("XDG_CONFIG_HOME")}
	var err error
	if s.Dir, err = filepath.Abs(c.Dir); err != nil {
		return s, fmt.Errorf("find the folder: %w", err)
	}
	if info, err := os.Stat(s.Dir); !c.Uninstall && (err != nil || !info.IsDir()) {
		return s, fault.Wrap(err, fault.Invalid, "folder_gone", "The folder cannot be read. Check its path; a share must be connected while its service is installed.")
	}
	if s.Program, err = os.Executable(); err != nil {
		return s, fmt.Errorf("find this program: %w", err)
	}
	if s.Home, err = os.UserHomeDir(); err != nil && c.User {
		return s, fmt.Errorf("find the home folder: %w", err)
	}
	if s.RunAs == "" && !c.User {
		s.RunAs = unit.Owner(s.Dir)
	}
	if s.PasswordFile, err = c.passwordPlace(s); err != nil {
		return s, err
	}
	s.Args, s.Writes, err = c.serviceArgs()
	return s, err
}

// passwordPlace is the file that holds the service's password.
func (c *watchCmd) passwordPlace(s unit.Spec) (string, error) {
	switch {
	case c.PasswordFile != "":
		return filepath.Abs(c.PasswordFile)
	case !c.User:
		return filepath.Join("/etc/vesper", s.Name()+".password"), nil
	case s.Config != "":
		return filepath.Join(s.Config, "vesper", s.Name()+".password"), nil
	default:
		return filepath.Join(s.Home, ".config", "vesper", s.Name()+".password"), nil
	}
}

// serviceArgs repeats the flags that were given, with whole paths, and never the password.
func (c *watchCmd) serviceArgs() (args, writes []string, err error) {
	args = []string{"--server=" + c.Server, "--settle=" + c.Settle.String(), "--patience=" + c.Patience.String(), fmt.Sprintf("--parallel=%d", c.Parallel)}
	for _, f := range [][2]string{{"login", c.Login}, {"author", c.Author}, {"work-type", c.WorkType}} {
		if f[1] != "" {
			args = append(args, "--"+f[0]+"="+f[1])
		}
	}
	for _, f := range [][2]string{{"ca-file", c.CAFile}, {"rules", c.Rules}, {"sent", c.Sent}, {"rejected", c.Rejected}} {
		if f[1] == "" {
			continue
		}
		path, err := filepath.Abs(f[1])
		if err != nil {
			return nil, nil, fmt.Errorf("find %s: %w", f[0], err)
		}
		args = append(args, "--"+f[0]+"="+path)
		if f[0] == "sent" || f[0] == "rejected" {
			writes = append(writes, path)
		}
	}
	if c.Stat {
		args = append(args, "--stat")
	}
	if c.Nested {
		args = append(args, "--nested")
	}
	return args, writes, nil
}
