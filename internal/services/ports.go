package services

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"sync"

	"vesper/internal/fault"
)

// Where the search for a free port begins when nothing is wished or remembered: the usual port of each service plus
// 10000, so that a system-wide server is not in the way.
var firstPorts = map[string]int{Postgres: 15432, Redis: 16379, S3Store: 17070, "web": 8080, "ehr": 8090}

// How far the search goes.
const portSpan = 500

// ports hands out free ports of 127.0.0.1 and remembers them in the data folder.
type ports struct {
	path string
	any  bool
	log  *slog.Logger

	mu    sync.Mutex
	saved map[string]int // of the last run
	taken map[string]int // of this run
}

func openPorts(dir string, anyPort bool, log *slog.Logger) (*ports, error) {
	p := &ports{path: filepath.Join(dir, "ports.json"), any: anyPort, log: log, saved: map[string]int{}, taken: map[string]int{}}
	text, err := os.ReadFile(p.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, folderFault(err, "read ports.json")
	}
	if len(text) > 0 && json.Unmarshal(text, &p.saved) != nil {
		log.Warn("ports.json cannot be read; choosing ports anew")
		p.saved = map[string]int{}
	}
	return p, nil
}

// choose returns a free port for name: the wish, the one of last time, or the next free one after it.
func (p *ports) choose(name string, wish int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	want := wish
	if want == 0 {
		want = p.saved[name]
	}
	port, err := p.search(name, want)
	if err != nil {
		return 0, err
	}
	if want != 0 && port != want {
		p.log.LogAttrs(context.Background(), slog.LevelWarn, "a port is taken by another program; using the next free one",
			slog.String("service", name), slog.Int("wanted", want), slog.Int("using", port))
	}
	p.taken[name], p.saved[name] = port, port
	return port, p.save()
}

func (p *ports) search(name string, want int) (int, error) {
	if p.any {
		if want != 0 && p.free(name, want) {
			return want, nil
		}
		return kernelPort()
	}
	from := want
	if from == 0 {
		from = firstPorts[name]
	}
	if from == 0 {
		return kernelPort()
	}
	for port := from; port < min(from+portSpan, 65536); port++ {
		if p.free(name, port) {
			return port, nil
		}
	}
	return 0, fault.New(fault.Unavailable, "no_free_port", fmt.Sprintf(
		"No free port for %s between %d and %d. End a program that uses one, or ask for another port.", name, from, from+portSpan-1))
}

// free says whether nothing listens on a port and no other service of this stack has it.
func (p *ports) free(name string, port int) bool {
	for other, used := range p.taken {
		if used == port && other != name {
			return false
		}
	}
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

func (p *ports) get(name string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken[name]
}

func (p *ports) save() error {
	text, err := json.MarshalIndent(maps.Clone(p.saved), "", "  ")
	if err != nil {
		return err
	}
	if err := writeAtomically(p.path, append(text, '\n'), 0o600); err != nil {
		return folderFault(err, "write ports.json")
	}
	return nil
}

func kernelPort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("services: free port: %w", err)
	}
	defer l.Close()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("services: free port: %s is no TCP address", l.Addr())
	}
	return addr.Port, nil
}
