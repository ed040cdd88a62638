package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// growth is how a process's memory went.
type growth struct {
	points [][2]float64 // minutes, MB
}

// watcher samples this process's resident memory.
type watcher struct {
	end  chan struct{}
	done chan growth
}

func watchMemory() *watcher {
	w := &watcher{end: make(chan struct{}), done: make(chan growth)}
	go func() {
		began := time.Now()
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		var g growth
		for {
			g.points = append(g.points, [2]float64{time.Since(began).Minutes(), resident()})
			select {
			case <-tick.C:
			case <-w.end:
				w.done <- g
				return
			}
		}
	}()
	return w
}

func (w *watcher) stop() growth {
	close(w.end)
	return <-w.done
}

// resident is this process's resident memory in MB; 0 where there is no /proc.
func resident() float64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, err := strconv.Atoi(strings.Fields(string(raw))[1])
	if err != nil {
		return 0
	}
	return float64(pages) * float64(os.Getpagesize()) / 1e6
}

// String tells the medians of the second and of the last quarter of the time: the first is warming up.
func (g growth) String() string {
	quarter := len(g.points) / 4
	if quarter == 0 {
		return "too short to tell"
	}
	early, late := middle(g.points[quarter:2*quarter]), middle(g.points[len(g.points)-quarter:])
	return fmt.Sprintf("%.0f MB in the second quarter of the time, %.0f MB in the last (%+.1f %%)", early, late, 100*(late-early)/early)
}

func middle(points [][2]float64) float64 {
	sample := make([]time.Duration, len(points))
	for i, p := range points {
		sample[i] = time.Duration(p[1] * 1000)
	}
	return float64(rank(sample, 50)) / 1000
}
