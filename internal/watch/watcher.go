package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"vesper/internal/fault"
)

// Options say what to watch and how. Zero durations and counts mean the defaults.
type Options struct {
	Dir      string // the folder
	Sent     string // where received recordings go; empty: DIR/sent
	Rejected string // where unusable ones go; empty: DIR/rejected
	Rules    string // file of rules; empty: DIR/vesper-watch.yaml if it is there
	Defaults Fields // over the defaults of the rules
	Nested   bool   // look into subfolders whatever the rules say

	Session *Session
	Scope   string // names server and account: receipts of one are none of another

	Poll     time.Duration // between two looks; 2 s
	Looks    int           // equal looks after which a recording is settled; 4
	Patience time.Duration // how long a recording that looks half-written may stay unchanged before it is sent; 10 min
	Pause    time.Duration // after the first failure, doubling up to sixty times of it; 1 s
	Hold     time.Duration // before a held recording is tried again; 5 min
	Beat     time.Duration // between two signs of life in the lock; 10 s
	Parallel int           // uploads at the same time; 2
	Once     bool          // end when nothing is left that could be sent now

	Tell func(Event) // hears what happens to each recording; called from one goroutine at a time
	Now  func() time.Time
}

func (o *Options) defaults() {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&o.Poll, 2*time.Second)
	set(&o.Patience, 10*time.Minute)
	set(&o.Pause, time.Second)
	set(&o.Hold, 5*time.Minute)
	set(&o.Beat, 10*time.Second)
	if o.Looks <= 0 {
		o.Looks = 4
	}
	if o.Parallel <= 0 {
		o.Parallel = 2
	}
	if o.Sent == "" {
		o.Sent = filepath.Join(o.Dir, "sent")
	}
	if o.Rejected == "" {
		o.Rejected = filepath.Join(o.Dir, "rejected")
	}
	if o.Tell == nil {
		o.Tell = func(Event) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// Result counts what a run did.
type Result struct {
	Received, Duplicates, Rejected int
	Left                           int // recordings that are still in the folder: held, or not finished by their recorder
}

// watcher is one run. Its table belongs to the goroutine of Run; uploads hand their outcomes to it.
type watcher struct {
	Options
	rules   Rules
	journal *journal
	files   map[string]*file
	seen    int // recordings numbered so far
	result  Result

	gone        bool // the folder is away, and that has been told
	pausedUntil time.Time
	failures    int // in a row, of the server as a whole
	lastFailure error

	outcomes chan outcome
	events   chan Event
	busy     int
}

// Run watches until ctx ends, or until nothing is left to do when asked to run once. A folder that goes away is waited
// for. What ends it is a fault that needs a person: a wrong password, a second watcher, rules that make no sense.
func Run(ctx context.Context, o Options) (Result, error) {
	var err error
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return Result{}, fmt.Errorf("find the folder: %w", err)
	}
	o.defaults()
	for _, dir := range []*string{&o.Sent, &o.Rejected} {
		if *dir, err = filepath.Abs(*dir); err != nil {
			return Result{}, fmt.Errorf("find the folder: %w", err)
		}
	}
	w := &watcher{Options: o, files: map[string]*file{}, outcomes: make(chan outcome), events: make(chan Event)}
	// A wrong password is told at once, not with the first recording. A server that is away is not: it may come back.
	if _, err := w.Session.signIn(ctx, 0); needsPerson(err) {
		return w.result, err
	}
	defer w.Session.end(ctx)
	for {
		err := w.visit(ctx)
		switch {
		case ctx.Err() != nil || err == nil:
			return w.result, ctx.Err()
		case !isGone(err):
			return w.result, err
		case w.Once:
			return w.result, folderFault(err)
		case !w.gone:
			w.Tell(Event{What: FolderGone, Detail: folderFault(err).Public})
		}
		w.gone = true
		select {
		case <-ctx.Done():
			return w.result, ctx.Err()
		case <-time.After(max(w.Poll, min(5*w.Poll, 10*time.Second))):
		}
	}
}

func isGone(err error) bool { return errors.Is(err, errGone) || errors.Is(err, errLost) }

func folderFault(err error) *fault.Error {
	if errors.Is(err, os.ErrPermission) || errors.Is(err, errReadOnly) {
		return fault.Wrap(err, fault.Invalid, "folder_unwritable",
			"The folder cannot be written, so what was received could not be moved away. Give the account that runs this the right to write there.")
	}
	return fault.Wrap(err, fault.Unavailable, "folder_gone", "The folder cannot be read. If it is a share, it is not connected.")
}

// visit works while the folder is there.
func (w *watcher) visit(ctx context.Context) error {
	if info, err := os.Stat(w.Dir); err != nil || !info.IsDir() {
		return errors.Join(errGone, plain(err))
	}
	if err := w.readRules(); err != nil {
		return err
	}
	home := filepath.Join(w.Dir, ownFolder)
	if err := os.Mkdir(home, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return unwritable(err)
	}
	l, err := takeLock(ctx, filepath.Join(home, "lock"), w.Beat, func() { w.Tell(Event{What: LockWait}) })
	if err != nil {
		return unwritable(err)
	}
	defer l.release()
	if w.journal, err = openJournal(filepath.Join(home, "journal"), w.Now); err != nil {
		return unwritable(err)
	}
	defer w.journal.close()
	if w.gone {
		w.gone = false
		w.Tell(Event{What: FolderBack})
	}
	// Work that was begun on another visit of this run starts anew: its folder has been away.
	for _, f := range w.files {
		f.looks = 0
	}
	return w.loop(ctx, l)
}

var errReadOnly = errors.New("the folder is read-only")

// unwritable keeps faults as they are and makes the rest a folder that went away or may not be written.
func unwritable(err error) error {
	var f *fault.Error
	if errors.As(err, &f) || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, os.ErrPermission) || isReadOnly(err) {
		return folderFault(errors.Join(errReadOnly, plain(err)))
	}
	return errors.Join(errGone, plain(err))
}

// readRules reads the rules anew at each visit, so that a share may bring its own.
func (w *watcher) readRules() error {
	path, asked := w.Options.Rules, true
	if path == "" {
		path, asked = filepath.Join(w.Dir, "vesper-watch.yaml"), false
	}
	raw, err := readSmall(path)
	if err != nil && (asked || !errors.Is(err, os.ErrNotExist)) {
		return fault.Wrap(err, fault.Invalid, "rules_unreadable", "The file of rules cannot be read. Check its path, that you may read it, and that it is a file of at most 64 KiB.")
	}
	r, err := ParseRules(raw)
	if err != nil {
		return err
	}
	r.Fields = r.Fields.over(w.Defaults)
	r.Nested = r.Nested || w.Nested
	w.rules = r
	return nil
}

// rulesMax is the largest file of rules that is read.
const rulesMax = 64 << 10

// readSmall reads a file of rules. What others put there in its place, a pipe or a file without end, is refused.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > rulesMax) {
		err = os.ErrInvalid
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// loop looks, sends and waits. It returns when ctx ends, the folder goes away, nothing is left (once), or a person is needed.
func (w *watcher) loop(ctx context.Context, l *lock) error {
	ctx, cancel := context.WithCancel(ctx)
	defer w.drain()
	defer cancel()
	tick := time.NewTicker(w.Poll)
	defer tick.Stop()
	beat := time.NewTicker(w.Beat)
	defer beat.Stop()
	if err := w.lookAgain(); err != nil {
		return err
	}
	for {
		w.dispatch(ctx)
		if w.Once && w.busy == 0 {
			if err := w.done(); !errors.Is(err, errGoOn) {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-w.events:
			w.Tell(e)
		case o := <-w.outcomes:
			if err := w.apply(o); err != nil {
				return err
			}
		case <-tick.C:
			// Rules belong to the folder they were read in, so nothing is looked at in another.
			if err := l.held(); err != nil {
				return err
			}
			if err := w.lookAgain(); err != nil {
				return err
			}
		case <-beat.C:
			if err := l.beat(); err != nil {
				return err
			}
		}
	}
}

// drain waits for the uploads that are under way; they have been told to stop.
func (w *watcher) drain() {
	for w.busy > 0 {
		select {
		case e := <-w.events:
			w.Tell(e)
		case o := <-w.outcomes:
			_ = w.apply(o) // the first error is on its way already
		}
	}
}

var errGoOn = errors.New("there is more to do")

// lastTries is how often a server that cannot be reached is tried when running once.
const lastTries = 5

// done says how a run that is to end when nothing is left ends, or errGoOn.
func (w *watcher) done() error {
	if w.failures >= lastTries {
		w.result.Left = len(w.files)
		return w.lastFailure
	}
	left := 0
	for _, f := range w.files {
		if !f.stuck(w) {
			return errGoOn
		}
		left++
	}
	w.result.Left = left
	return nil
}
