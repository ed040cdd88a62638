//go:build !linux

package audio

import (
	"context"
	"errors"
	"os/exec"
	"syscall"
)

// sandboxFailed is never returned here; it names the code of the Linux sandbox.
const sandboxFailed = 97

// sandboxed starts ffmpeg in its own process group. Outside Linux the demuxer and protocol lists, the time limit and the
// output limit are the guard.
func sandboxed(ctx context.Context, _ childBounds, bin string, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		return nil
	}
	return cmd
}

func outOfBounds(error) bool { return false }
