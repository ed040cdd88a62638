package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// Program checks that a program is in the PATH and runs; version picks its version out of the first output of
// `NAME -version` or, failing that, `NAME --version`. need says what it is for.
func Program(name string, version *regexp.Regexp, need, mend string) Check {
	return Check{Name: name, Run: func(ctx context.Context) Finding {
		path, err := exec.LookPath(name)
		if err != nil {
			return bad(mend, "not found; it is needed to %s", need)
		}
		for _, flag := range []string{"-version", "--version"} {
			out, err := exec.CommandContext(ctx, path, flag).CombinedOutput()
			if m := version.FindSubmatch(out); err == nil && m != nil {
				return good("%s at %s", m[1], path)
			}
		}
		return bad(mend, "%s does not run", path)
	}}
}

// Ffmpeg checks the decoder of recordings.
func Ffmpeg() Check {
	return Program("ffmpeg", regexp.MustCompile(`ffmpeg version (\S+)`), "read recordings other than WAV",
		"Install ffmpeg: \"make deps\", or the package ffmpeg of your system.")
}

// Compiler checks what building Vesper needs. Running it needs no compiler, so its absence is only advice.
func Compiler() Check {
	check := Program("cc", regexp.MustCompile(`(?m)^(.*\d+\.\d+.*)$`), "build whisper.cpp", "")
	return Check{Name: "compiler", Run: func(ctx context.Context) Finding {
		found := check.Run(ctx)
		if !found.OK {
			return Finding{OK: true, What: "none; only needed to build", Mend: "To build from source: \"make deps\"."}
		}
		return found
	}}
}

// Disk checks the space on the disk of a folder. free returns what may still be written, in bytes; below least it is
// bad, below five times as much there is advice.
func Disk(dir string, least uint64, free func(dir string) (uint64, error)) Check {
	return Check{Name: "disk", Run: func(context.Context) Finding {
		have, err := free(nearest(dir))
		if err != nil {
			return badErr(err, "the free space is unknown", "Check that the disk of the data folder is there.")
		}
		what := fmt.Sprintf("%.1f GB free for %s", float64(have)/1e9, dir)
		switch mend := "Free space on this disk, or move the data folder (--data) to a larger one."; {
		case have < least:
			return Finding{What: what + "; that is too little", Mend: mend}
		case have < 5*least:
			return Finding{OK: true, What: what + "; it will be full soon", Mend: mend}
		}
		return Finding{OK: true, What: what}
	}}
}

// Folder checks that files can be made in a folder, or, when it does not exist yet, in the one that will hold it.
func Folder(dir string) Check {
	return Check{Name: "data folder", Run: func(context.Context) Finding {
		mend := "Give the folder to the account that runs Vesper, or choose another one with --data."
		at := nearest(dir)
		f, err := os.CreateTemp(at, ".vesper-doctor-*")
		if err != nil {
			return bad(mend, "%s cannot be written: %v", at, unwrapPath(err))
		}
		if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
			return bad(mend, "%s cannot be written: %v", at, unwrapPath(err))
		}
		if at != dir {
			return good("%s will be made on the first start", dir)
		}
		return good("%s can be written", dir)
	}}
}

// nearest is the folder itself or the closest one above it that exists.
func nearest(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// unwrapPath leaves the reason and drops the random name of the probe.
func unwrapPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// How far this machine's clock may be from PostgreSQL's. Turn-around, leases and tokens for the EHR are compared across
// machines.
const clockTolerance = 5 * time.Second

// Clock compares this machine's clock with another one, usually PostgreSQL's. Without one (nil) it only looks for a
// clock that was never set.
func Clock(now func() time.Time, reference func(ctx context.Context) (time.Time, error)) Check {
	mend := "Turn on time synchronisation (for example systemd-timesyncd or chrony) on every machine."
	return Check{Name: "clock", Run: func(ctx context.Context) Finding {
		if mine := now(); mine.Year() < 2026 {
			return bad(mend, "the clock shows %s", mine.UTC().Format(time.DateTime))
		}
		if reference == nil {
			return good("%s", now().UTC().Format("2006-01-02 15:04 UTC"))
		}
		before := now()
		other, err := reference(ctx)
		if err != nil {
			return Finding{OK: true, What: "not compared: the database does not answer"}
		}
		// The other clock was read somewhere between these two looks at ours.
		half := now().Sub(before) / 2
		off := other.Sub(before.Add(half)).Abs()
		if off > clockTolerance+half {
			return bad(mend, "the clocks of this machine and of the database differ by %s", off.Round(time.Second))
		}
		return good("agrees with the database's")
	}}
}
