package models

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// errNoTool says that whisper.cpp's quantize tool was not found.
var errNoTool = errors.New("whisper.cpp's quantize tool is missing; build it with internal/setup/whisper.sh or name it in VESPER_QUANTIZE")

// fromLocalF16 quantises when the float16 file is already here, which is quicker than any download.
func (f *fetch) fromLocalF16(ctx context.Context, e Entry, to string) error {
	if e.Quant == "f16" {
		return errAbsent
	}
	tool, err := f.quantizeTool()
	if err != nil {
		return errAbsent
	}
	base, err := Find(e.Base)
	if err != nil {
		return err
	}
	full, err := f.local(base)
	if err != nil {
		return errAbsent
	}
	return quantize(ctx, tool, full.Path, to, e.Quant)
}

// fromF16 fetches the float16 file first, then quantises.
func (f *fetch) fromF16(ctx context.Context, e Entry, to string) error {
	if e.Quant == "f16" {
		return errAbsent
	}
	tool, err := f.quantizeTool()
	if err != nil {
		return err
	}
	base, err := Find(e.Base)
	if err != nil {
		return err
	}
	full, err := f.ensure(ctx, base)
	if err != nil {
		return err
	}
	return quantize(ctx, tool, full.Path, to, e.Quant)
}

func quantize(ctx context.Context, tool, from, to, quant string) error {
	cmd := exec.CommandContext(ctx, tool, from, to, quant)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("quantize: %w: %s", err, lastLine(out.String()))
	}
	return nil
}

// quantizeTool finds the tool: the setting, the environment, PATH, then the newest build in the cache.
func (s *Store) quantizeTool() (string, error) {
	for _, set := range []string{s.QuantizeTool, os.Getenv("VESPER_QUANTIZE")} {
		if set == "" {
			continue
		}
		path, err := exec.LookPath(set)
		if err != nil {
			return "", fmt.Errorf("%w: %w", errNoTool, err)
		}
		return path, nil
	}
	if path, err := exec.LookPath("whisper-quantize"); err == nil {
		return path, nil
	}
	found, err := filepath.Glob(filepath.Join(cacheDir(), "whisper.cpp-*", "bin", "quantize"))
	if err != nil || len(found) == 0 {
		return "", errNoTool
	}
	return found[len(found)-1], nil
}
