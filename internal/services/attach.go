package services

import (
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"

	"vesper/internal/fault"
)

// Attach returns the addresses and secrets of a stack that another process runs in dir. It starts nothing, and Stop does
// nothing to the services. Fault: not_running.
func Attach(dir string) (*Stack, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("services: data folder: %w", err)
	}
	if _, running := Running(dir); !running {
		return nil, fault.New(fault.Unavailable, "not_running", "No Vesper runs in "+dir+". Start it with: vesper up --data "+dir)
	}
	s := &Stack{cfg: Config{Dir: dir}.withDefaults(), procs: map[string]*Process{}}
	if s.secrets, err = OpenSecrets(dir); err != nil {
		return nil, err
	}
	if s.ports, err = openPorts(dir, false, slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	s.ports.taken = maps.Clone(s.ports.saved) // what the other process saved is what it uses
	return s, nil
}
