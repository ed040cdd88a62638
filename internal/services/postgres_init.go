package services

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"vesper/internal/fault"
)

// dataVersion returns the major version of PostgreSQL that made a data folder, 0 when there is none yet.
func dataVersion(dir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dir, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, folderFault(err, "read PG_VERSION")
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("services: PG_VERSION of the data folder: %w", err)
	}
	return major, nil
}

func initialised(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "PG_VERSION"))
	return err == nil
}

// unprivileged returns the account under which PostgreSQL runs when the supervisor is root, as which it refuses to:
// the owner of existing data, else postgres, else nobody. It is nil for anybody but root.
func unprivileged(dir string) (*User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	if info, err := os.Stat(dir); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 {
			return &User{Name: "owner", UID: st.Uid, GID: st.Gid}, nil
		}
	}
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return &User{Name: name, UID: uint32(uid), GID: uint32(gid)}, nil
		}
	}
	return nil, fault.New(fault.Unavailable, "no_unprivileged_user",
		"PostgreSQL does not run as root, and there is no account named postgres or nobody. Make one, or start Vesper as another user.")
}

// initialise makes the cluster on the first start. It is made under another name and moved when it is whole, so that a
// crash in the middle leaves nothing that looks finished.
func (c *cluster) initialise(ctx context.Context) error {
	if initialised(c.dir) {
		return nil
	}
	log := c.stack.cfg.Log
	log.LogAttrs(ctx, slog.LevelInfo, "making a new database cluster", slog.Int("postgres", c.program.Major))
	half := c.dir + ".new"
	if err := errors.Join(os.RemoveAll(half), os.RemoveAll(c.dir), os.Mkdir(half, 0o700)); err != nil {
		return folderFault(err, "make the database folder")
	}
	if c.user != nil {
		if err := os.Chown(half, int(c.user.UID), int(c.user.GID)); err != nil {
			return folderFault(err, "give the database folder to "+c.user.Name)
		}
	}
	if err := c.initdb(ctx, half); err != nil {
		return err
	}
	if err := os.Rename(half, c.dir); err != nil {
		return folderFault(err, "move the database folder")
	}
	return syncFolder(filepath.Dir(c.dir))
}

func (c *cluster) initdb(ctx context.Context, dir string) error {
	file, err := c.passwordFile()
	if err != nil {
		return err
	}
	defer os.Remove(file)
	password, files, err := c.reach(file, nil)
	if err != nil {
		return err
	}
	target, files, err := c.reach(dir, files)
	if err != nil {
		return err
	}
	ctype := "C.UTF-8"
	if runtime.GOOS == "darwin" {
		ctype = "en_US.UTF-8"
	}
	args := []string{
		"-D", target, "--username=" + superuser, "--pwfile=" + password, "--auth=scram-sha-256", "--data-checksums",
		"--encoding=UTF8", "--locale=C", "--lc-ctype=" + ctype, "--no-instructions",
	}
	if c.stack.cfg.Volatile {
		args = append(args, "--no-sync")
	}
	return c.runInitdb(ctx, args, files)
}

func (c *cluster) runInitdb(ctx context.Context, args []string, files []*os.File) error {
	for _, f := range files {
		defer f.Close()
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(c.program.Path), "initdb"), args...)
	cmd.Env, cmd.Dir, cmd.ExtraFiles = baseEnv(), "/", files
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = childAttr(c.user, syscall.SIGKILL)
	err := c.stack.keeper.do(cmd.Start)
	if err == nil {
		err = cmd.Wait()
	}
	switch {
	case err == nil:
		return nil
	case isDiskFullText(out.String()):
		return diskFull(err)
	default:
		return fault.Wrap(fmt.Errorf("initdb: %w: %s", err, out.String()), fault.Unavailable, "database_not_made",
			"PostgreSQL could not make its database folder. The log says why.")
	}
}

// passwordFile holds the superuser's password for initdb, readable only for the account that runs it.
func (c *cluster) passwordFile() (path string, err error) {
	password, err := c.stack.secrets.PostgresPassword(superuser)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Join(c.stack.cfg.Dir, "run"), ".initdb-*")
	if err != nil {
		return "", fmt.Errorf("services: password file: %w", err)
	}
	_, err = f.WriteString(password.Reveal() + "\n")
	if c.user != nil {
		err = errors.Join(err, f.Chown(int(c.user.UID), int(c.user.GID)))
	}
	return f.Name(), errors.Join(err, f.Close())
}

// reach returns the path under which the server's account sees a file or folder that it owns. When a folder above is
// closed to that account (a home of mode 0700), the child gets the thing itself as an open descriptor instead, one more
// in files.
func (c *cluster) reach(own string, files []*os.File) (string, []*os.File, error) {
	if c.user == nil || traversable(own, c.user) {
		return own, files, nil
	}
	path, ok := descriptorPath(3 + len(files))
	if !ok {
		return "", files, fault.New(fault.Unavailable, "data_folder_closed", fmt.Sprintf(
			"The account %s may not enter a folder above the data folder. Choose a data folder elsewhere with --data.", c.user.Name))
	}
	f, err := os.Open(own)
	if err != nil {
		return "", files, folderFault(err, "open the database folder")
	}
	return path, append(files, f), nil
}

// traversable says whether an account may pass through every folder above dir.
func traversable(dir string, u *User) bool {
	for d := filepath.Dir(dir); ; d = filepath.Dir(d) {
		info, err := os.Stat(d)
		if err != nil {
			return false
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		mode := info.Mode().Perm()
		if !ok || !(mode&0o001 != 0 || (st.Uid == u.UID && mode&0o100 != 0)) {
			return false
		}
		if d == filepath.Dir(d) {
			return true
		}
	}
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// preparePostgres makes the database and gives the roles that log in their passwords.
func (s *Stack) preparePostgres(ctx context.Context) error {
	var sql strings.Builder
	fmt.Fprintf(&sql, "SELECT format('CREATE DATABASE %%I', n) FROM (VALUES (%s)) v(n) WHERE n NOT IN (SELECT datname FROM pg_database) \\gexec\n",
		literal(s.cfg.Database))
	for _, role := range s.cfg.Logins {
		password, err := s.secrets.PostgresPassword(role)
		if err != nil {
			return err
		}
		fmt.Fprintf(&sql, "SELECT format('CREATE ROLE %%I', n) FROM (VALUES (%s)) v(n) WHERE n NOT IN (SELECT rolname FROM pg_roles) \\gexec\n", literal(role))
		fmt.Fprintf(&sql, "ALTER ROLE \"%s\" LOGIN PASSWORD %s;\n", strings.ReplaceAll(role, `"`, `""`), literal(password.Reveal()))
	}
	return s.psql(ctx, sql.String())
}

func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// psql runs statements as the superuser with PostgreSQL's own client, so that this package needs no driver.
func (s *Stack) psql(ctx context.Context, sql string) error {
	major, err := dataVersion(filepath.Join(s.cfg.Dir, Postgres))
	if err != nil {
		return err
	}
	program, err := FindPostgres(ctx, major)
	if err != nil {
		return err
	}
	password, err := s.secrets.PostgresPassword(superuser)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.StartWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(program.Path), "psql"), "--no-psqlrc", "--quiet",
		"--set=ON_ERROR_STOP=1", "--host=127.0.0.1", "--port="+strconv.Itoa(s.ports.get(Postgres)), "--username="+superuser, "--dbname=postgres")
	cmd.Env = append(baseEnv(), "PGPASSWORD="+password.Reveal())
	cmd.Stdin = strings.NewReader(sql)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fault.Wrap(fmt.Errorf("prepare the database: %w: %.300s", err, out), fault.Unavailable, "database_not_prepared",
			"PostgreSQL runs, but its database could not be prepared. The log says why.")
	}
	return nil
}
