// Command vesper is the whole of Vesper in one binary: `vesper up` runs everything on one machine, `serve`, `work` and
// `migrate` run one role each against services elsewhere, and `transcribe` and `draft` work on one file with no service
// at all. It holds flags, configuration and wiring, nothing else.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"vesper/internal/fault"
	"vesper/internal/telemetry"
	"vesper/transcribe/whisper"
)

// version is set by the build (-ldflags -X main.version=…).
var version = "dev"

// cli is every command and the flags they share. Each flag is also an environment variable (VESPER_…) and a key of the
// YAML file.
type cli struct {
	Config  kong.ConfigFlag  `help:"Read settings from a YAML file; keys are the names of the flags." placeholder:"FILE"`
	Verbose bool             `short:"v" help:"Say more in the log."`
	Version kong.VersionFlag `help:"Print the version." env:"-"`

	TemplatesDir string `help:"Folder of a practice's own kinds of document, which go over the built-in ones (see docs/templates.md)." placeholder:"DIR"`

	Up         upCmd         `cmd:"" help:"Run everything on this machine: PostgreSQL, Redis, S3 store, web server, worker, sandbox EHR."`
	Serve      serveCmd      `cmd:"" help:"Run the web server against services elsewhere."`
	Work       workCmd       `cmd:"" help:"Run a worker against services elsewhere."`
	Migrate    migrateCmd    `cmd:"" help:"Bring the database schema up to date."`
	Practice   practiceCmd   `cmd:"" help:"Create a practice and its first administrator."`
	Patients   patientsCmd   `cmd:"" help:"Import patients and their visits from a CSV file."`
	Keys       keysCmd       `cmd:"" help:"Make the keys of recordings and audit log for serve and work."`
	Doctor     doctorCmd     `cmd:"" help:"Check every dependency and say how to mend what is wrong."`
	Models     modelsCmd     `cmd:"" help:"List, fetch and verify Whisper models."`
	Vocabulary vocabularyCmd `cmd:"" help:"Import, show and list medical terms; add and remove words of your own."`
	Templates  templatesCmd  `cmd:"" help:"List, check and preview the kinds of document."`
	Rules      rulesCmd      `cmd:"" name:"escalations" help:"Check escalation rules, and print those that come with Vesper."`
	Transcribe transcribeCmd `cmd:"" help:"Transcribe one recording; needs no service."`
	Draft      draftCmd      `cmd:"" help:"Draft a note from a recording or a transcript; needs no service."`
	Submit     submitCmd     `cmd:"" help:"Send a recording to a running server."`
	Watch      watchCmd      `cmd:"" help:"Send what a recorder leaves in a folder to a running server, as it comes."`
	Demo       demoCmd       `cmd:"" help:"Take one real dictation the whole way on a fresh temporary stack."`
	Status     statusCmd     `cmd:"" help:"Show at a glance what waits, what runs, what is stuck, and whether the services answer."`
	Quality    qualityCmd    `cmd:"" help:"Print error rates of signed notes by author, work type, model or editor."`
	Backup     backupCmd     `cmd:"" help:"Save everything into one encrypted file; verify such a file."`
	Restore    restoreCmd    `cmd:"" help:"Restore a backup into an empty folder and check it."`
	Audit      auditCmd      `cmd:"" help:"Verify the audit log."`
	Fsck       fsckCmd       `cmd:"" help:"Compare every recording with the object store, both ways; exit code 1 when something is wrong."`
}

// runtime is what commands get besides their flags.
type runtime struct {
	ctx    context.Context
	in     io.Reader
	out    io.Writer
	errOut io.Writer
	log    *slog.Logger

	watch        *watching // what operators see of this process; nil: nothing
	verbose      bool
	templatesDir string
}

func main() {
	whisper.RunChildIfAsked() // an engine child is this same binary; it never gets past this line
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // most of the heap is the lexicon, which stays: half of it in garbage is enough
	}
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	var c cli
	parser, err := kong.New(&c, kong.Name("vesper"), kong.Description("From a physician's dictation to a signed note in the EHR."),
		kong.DefaultEnvars("VESPER"), kong.Configuration(yamlResolver), kong.Vars{"version": version, "scratch": filepath.Join(os.TempDir(), "vesper-scratch")}, kong.ShortUsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(os.Stderr, "vesper:", err)
		return 2
	}
	cmd, err := parser.Parse(args)
	if err != nil {
		parser.FatalIfErrorf(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	rt := &runtime{ctx: ctx, in: os.Stdin, out: os.Stdout, errOut: os.Stderr, log: newLog(os.Stderr, c.Verbose), verbose: c.Verbose, templatesDir: c.TemplatesDir}
	if err := useTemplates(rt, c.TemplatesDir); err != nil {
		return complain(rt, err)
	}
	if err := cmd.Run(rt); err != nil {
		return complain(rt, err)
	}
	return 0
}

// newLog writes for people on a terminal and JSON for machines elsewhere.
func newLog(f *os.File, verbose bool) *slog.Logger {
	opts := &slog.HandlerOptions{Level: slog.LevelInfo}
	if verbose {
		opts.Level = slog.LevelDebug
	}
	if term.IsTerminal(int(f.Fd())) {
		return slog.New(telemetry.Log(slog.NewTextHandler(f, opts)))
	}
	return slog.New(telemetry.Log(slog.NewJSONHandler(f, opts)))
}

// complain prints what went wrong for a person and the cause for whoever asks; it returns the exit code.
func complain(rt *runtime, err error) int {
	f := fault.As(err)
	if errors.Is(err, context.Canceled) && rt.ctx.Err() != nil {
		fmt.Fprintln(rt.errOut, "vesper: stopped")
		return 130
	}
	fmt.Fprintf(rt.errOut, "vesper: %s (%s)\n", f.Public, f.Code)
	if f.Kind == fault.Internal {
		fmt.Fprintf(rt.errOut, "  cause: %v\n", err)
	} else if cause := f.Unwrap(); cause != nil {
		rt.log.Debug("cause", "err", cause)
	}
	return exitCode(err)
}
