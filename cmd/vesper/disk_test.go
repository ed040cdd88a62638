package main_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"vesper/internal/testkit"
)

// cramped is a data folder whose disk can be filled. Where mounting is allowed it is a disk of its own, and filling is
// just that; elsewhere the folders for uploads lose their write permission instead, which the server meets at the same
// places.
type cramped struct {
	t       *testing.T
	dir     string
	mounted bool
}

// Megabytes of the disk: what an installation needs at the start and some more.
const diskSize = "800"

func newCramped(t *testing.T) cramped {
	t.Helper()
	if os.Geteuid() != 0 {
		return cramped{t, folder(t), false}
	}
	dir, err := os.MkdirTemp("", "vesper-cmd-disk-") //nolint:usetesting // a short path: sockets of services lie below it
	if err != nil {
		t.Fatal(err)
	}
	mounted := exec.Command("mount", "-t", "tmpfs", "-o", "mode=711,size="+diskSize+"m", "vesper-test", dir).Run() == nil
	t.Cleanup(func() {
		testkit.Until(t, 30*time.Second, "no process uses "+dir, func() bool { return len(processesOf(t, dir)) == 0 })
		if mounted {
			testkit.Until(t, 30*time.Second, "the disk is given back", func() bool { return exec.Command("umount", dir).Run() == nil })
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return cramped{t, filepath.Join(dir, "data"), mounted}
}

// fill leaves this many megabytes free; 0 leaves nothing.
func (c cramped) fill(left int64) {
	c.t.Helper()
	if !c.mounted {
		c.permit(0o500)
		return
	}
	f, err := os.Create(filepath.Join(filepath.Dir(c.dir), "filler"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	n, err := io.Copy(f, endless{})
	if err == nil {
		c.t.Fatal("the disk does not fill")
	}
	if err := f.Truncate(max(n-left<<20, 0)); err != nil {
		c.t.Fatal(err)
	}
}

// endless is zeros without end; the disk ends before them.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func (c cramped) free() {
	c.t.Helper()
	if !c.mounted {
		c.permit(0o700)
		return
	}
	if err := os.Remove(filepath.Join(filepath.Dir(c.dir), "filler")); err != nil {
		c.t.Fatal(err)
	}
}

// permit sets the mode of the folders that uploads go through. Root is not bound by modes; without a disk of its own it
// takes the folders away.
func (c cramped) permit(mode os.FileMode) {
	c.t.Helper()
	for _, name := range []string{"spool", "uploads"} {
		path := filepath.Join(c.dir, "scratch", name)
		var err error
		switch {
		case os.Geteuid() != 0:
			err = os.Chmod(path, mode)
		case mode == 0o500:
			err = os.Rename(path, path+".away")
		default:
			err = os.Rename(path+".away", path)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
}

func TestOnAFullDiskNothingAcknowledgedIsLost(t *testing.T) {
	t.Parallel()
	disk := newCramped(t)
	i := up(t, disk.dir, "--demo")
	first, second := clip(t, 1), clip(t, 2)
	i.submit(first).want(t, 0, "received")

	disk.fill(100)
	r := i.submit(second)
	r.want(t, 1, "vesper: ", "Keep yours")
	acknowledged := i.total()
	if acknowledged != 2 { // the sample and the first one
		t.Errorf("%d dictations with the disk full", acknowledged)
	}
	disk.free()
	i.submit(second).want(t, 0, "received ")
	acknowledged++

	if disk.mounted {
		// Not a byte is free: whatever answers, answers plainly, and what was acknowledged is there afterwards.
		disk.fill(0)
		r := i.submit(clip(t, 3))
		if r.code != 1 {
			t.Errorf("without a byte free: %+v", r)
		}
		disk.free()
		testkit.Until(t, time.Minute, "recordings are taken again", func() bool { return i.submit(clip(t, 3)).code == 0 })
		acknowledged++
	}
	if n := i.total(); n != acknowledged {
		t.Errorf("%d dictations are there, %d were acknowledged", n, acknowledged)
	}
	i.submit(first).want(t, 0, "received before")
	run(t, nil, "audit", "verify", "--data", disk.dir).want(t, 0, "The log is whole.")
}

func TestADiskThatIsTooSmallIsToldBeforeAnythingStarts(t *testing.T) {
	t.Parallel()
	disk := newCramped(t)
	if disk.mounted {
		disk.fill(50)
		run(t, nil, "up", "--data", disk.dir).wantFault(t, "disk_full")
		run(t, nil, "doctor", "--data", disk.dir).want(t, 1, "(unhealthy)")
		return
	}
	blocked := file(t, "blocked", "a file where a folder should be")
	run(t, nil, "up", "--data", filepath.Join(blocked, "data")).wantFault(t, "data_folder_unwritable")
}
