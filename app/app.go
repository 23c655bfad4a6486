// Package app is the program as it is run: its commands, its configuration, and the wiring of everything else. It is the
// only package that knows everybody.
//
// One process owns the data folder. While that is "parley serve", other commands are carried out by it: the command line
// hands them over a socket in the folder and writes what comes back.
package app

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
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"parley/platform/fault"
)

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// Main runs the program and gives its exit code: 0 done, 1 failed, 2 not understood.
func Main(args []string, _ io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.Getwd()
	if err != nil {
		return say(stderr, err)
	}
	run := &Run{Args: args[1:], Dir: dir, Out: stdout, Err: stderr, Terminal: isTerminal(stderr)}
	return run.local(ctx)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Run is one command that is carried out, here or for a client of the server.
type Run struct {
	Args     []string
	Dir      string // that the paths of files are meant from
	Out, Err io.Writer
	Terminal bool // somebody watches Err

	Config *Config
	p      *Parley // open when the command needs the data
	served bool    // p belongs to a running server
}

// path is a file as the command's caller means it.
func (r *Run) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.Dir, name)
}

// printf writes a line of output.
func (r *Run) printf(format string, a ...any) error {
	_, err := fmt.Fprintf(r.Out, format, a...)
	return err
}

// errHelped says that help was asked for and given.
var errHelped = errors.New("help was shown")

type helpFlag bool

// BeforeReset shows the help of the command that was named so far.
func (helpFlag) BeforeReset(ctx *kong.Context) error {
	if err := ctx.PrintUsage(false); err != nil {
		return err
	}
	return errHelped
}

// parse understands the arguments. A negative code means that the command is to be carried out.
func (r *Run) parse() (cli *commands, command *kong.Context, code int) {
	cli = &commands{}
	parser, err := kong.New(cli, kong.Name("parley"), kong.NoDefaultHelp(), kong.Writers(r.Out, r.Err),
		kong.Description("Parley keeps and explains the calls of a business whose people work by phone."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 100}))
	if err != nil {
		return nil, nil, say(r.Err, err)
	}
	args := r.Args
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err = parser.Parse(args)
	switch {
	case errors.Is(err, errHelped):
		return nil, nil, exitOK
	case err != nil:
		usage := "parley --help"
		if parsing, ok := errors.AsType[*kong.ParseError](err); ok && parsing.Context != nil && parsing.Context.Selected() != nil {
			usage = parsing.Context.Selected().FullPath() + " --help"
		}
		_, _ = fmt.Fprintf(r.Err, "parley: %s. See \"%s\".\n", strings.TrimSuffix(err.Error(), "."), usage) // there is nowhere else to say it
		return nil, nil, exitUsage
	default:
		return cli, command, -1
	}
}

// local carries a command out in this process, or hands it to the server that owns the data.
func (r *Run) local(ctx context.Context) int {
	cli, command, code := r.parse()
	if code >= 0 {
		return code
	}
	config, err := cli.config(command, os.LookupEnv)
	if err != nil {
		return say(r.Err, err)
	}
	r.Config = config
	switch c := command.Selected().Target.Addr().Interface().(type) {
	case plain:
		return say(r.Err, c.plain(ctx, r))
	case onData:
		return r.withData(ctx, command, c)
	default:
		return say(r.Err, fmt.Errorf("the command %q does nothing", command.Command()))
	}
}

// plain is a command that opens what it needs by itself.
type plain interface {
	plain(ctx context.Context, r *Run) error
}

// onData is a command that works on an open installation, in whatever process that is open.
type onData interface {
	onData(ctx context.Context, r *Run) error
}

// founder is a command that may make the data folder.
type founder interface{ founds() bool }

func (r *Run) withData(ctx context.Context, command *kong.Context, c onData) int {
	if f, ok := c.(founder); !exists(r.Config.Data) && (!ok || !f.founds()) {
		return say(r.Err, fault.New(fault.NotFound, "There is no Parley data in %s. Say where it is with --data, or begin with \"parley org create\" or \"parley serve\".", r.Config.Data))
	}
	held, code, err := r.acquire(ctx)
	if err != nil || code >= 0 {
		if err != nil {
			return say(r.Err, err)
		}
		return code
	}
	log := slog.New(slog.NewTextHandler(r.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if r.p, err = Open(ctx, r.Config, held, log); err != nil {
		return say(r.Err, err)
	}
	err = r.logged(ctx, command, c)
	return say(r.Err, errors.Join(err, r.p.Close()))
}

// say tells what went wrong, if anything did, and gives the exit code.
func say(w io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	sentence := fault.Sentence(err)
	if fault.KindOf(err) == fault.Internal { // whoever runs commands is told what visitors are not
		sentence = err.Error()
	}
	if errors.Is(err, context.Canceled) {
		sentence = "Stopped before it was done. What was said to be done stays done; run it again to finish."
	}
	_, _ = fmt.Fprintln(w, "parley: "+sentence) // there is nowhere else to say it
	return exitFailure
}

// version is what this program was built as.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
