package watch

// Event is one thing that happened to a recording, or to the folder as a whole when Number is 0.
type Event struct {
	Number int    // of the recording in this run
	Name   string // in the folder; for the eyes of whoever sits before it, never for a log
	Sum    string // SHA-256 of its content, once it has been read
	What   What
	Detail string // why, for people; holds no name
	Place  string // where it lies now; holds the name
	Sent   int64  // bytes that the server has
	Size   int64
}

// What happened.
type What string

// The events of a recording, in the order of a good day, then what may come between.
const (
	Uploading  What = "uploading"
	Received   What = "received"
	Known      What = "received before"
	Moved      What = "moved"
	Rejected   What = "rejected"
	Unfinished What = "unfinished"
	Unreadable What = "unreadable"
	Changed    What = "changed"
	Waiting    What = "waiting"
	Held       What = "held"
	Note       What = "note"
)

// The events of the folder.
const (
	FolderGone What = "folder gone"
	FolderBack What = "folder back"
	LockWait   What = "waiting for the lock"
	StateLost  What = "state not written"
)

// tell is for the goroutine of Run. The same news of a recording is told once.
func (w *watcher) tell(f *file, what What, detail string) {
	if news := string(what) + detail; f.told != news {
		f.told = news
		w.Tell(Event{Number: f.number, Name: f.name, Sum: f.sum, What: what, Detail: detail, Size: f.sight.size})
	}
}

// report is for the goroutines of uploads.
func (w *watcher) report(f file, what What, detail string, sent int64) {
	w.events <- Event{Number: f.number, Name: f.name, Sum: f.sum, What: what, Detail: detail, Sent: sent, Size: f.sight.size}
}
