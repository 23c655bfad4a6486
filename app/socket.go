package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"parley/platform/fault"
)

// order is a command as the command line hands it to the server.
type order struct {
	Args     []string `json:"args"`
	Dir      string   `json:"dir"`
	Terminal bool     `json:"terminal"`
}

// frame is a piece of what comes back; the last one has the exit code.
type frame struct {
	Out  []byte `json:"out,omitempty"`
	Err  []byte `json:"err,omitempty"`
	Exit *int   `json:"exit,omitempty"`
}

// How long a command waits for another that has the folder, and how often it looks.
const (
	patience = 30 * time.Second
	glance   = 50 * time.Millisecond
)

// acquire takes the data folder. When a server has it, the command is handed over and the code is its exit code; a
// negative code means that the folder is ours.
func (r *Run) acquire(ctx context.Context) (held *lock, code int, err error) {
	if err := os.MkdirAll(r.Config.Data, 0o700); err != nil {
		return nil, 0, fault.Wrap(fault.Unavailable, err, "The data folder %s cannot be made. Choose another with --data.", r.Config.Data)
	}
	until := time.Now().Add(patience)
	for {
		held, err := takeLock(r.Config.Data)
		if !errors.Is(err, errHeld) {
			return held, -1, err
		}
		if conn, err := dialServer(r.Config.Data); err == nil {
			code, err := r.handOver(ctx, conn)
			return nil, code, err
		}
		if time.Now().After(until) {
			return nil, 0, fault.New(fault.Conflict, "The process %s is using the data in %s and does not take commands. Wait until it is done, or end it.", holder(r.Config.Data), r.Config.Data)
		}
		select {
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		case <-time.After(glance):
		}
	}
}

// maxSocketPath is what the address of a socket holds on Linux; on others it is a little less.
const maxSocketPath = 100

// withSocket gives a short path to the socket in dir to use. Where the folder's own path is too long for an address, the
// system's folder of open files leads to it.
func withSocket[T any](dir string, use func(path string) (T, error)) (T, error) {
	path := filepath.Join(dir, socketFile)
	if len(path) <= maxSocketPath {
		return use(path)
	}
	open, err := os.Open(dir)
	if err != nil {
		var none T
		return none, err
	}
	defer open.Close()
	return use(fmt.Sprintf("/proc/self/fd/%d/%s", open.Fd(), socketFile))
}

func dialServer(dir string) (net.Conn, error) {
	return withSocket(dir, func(path string) (net.Conn, error) { return net.Dial("unix", path) })
}

// handOver lets the server carry the command out and writes what comes back.
func (r *Run) handOver(ctx context.Context, conn net.Conn) (int, error) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // the server stops the command when we are gone
	if err := json.NewEncoder(conn).Encode(order{r.Args, r.Dir, r.Terminal}); err != nil {
		return 0, errGone(err)
	}
	in := json.NewDecoder(conn)
	for {
		var f frame
		if err := in.Decode(&f); err != nil {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			return 0, errGone(err)
		}
		if f.Exit != nil {
			return *f.Exit, nil
		}
		if _, err := r.Out.Write(f.Out); err != nil {
			return 0, err
		}
		if _, err := r.Err.Write(f.Err); err != nil {
			return 0, err
		}
	}
}

func errGone(err error) error {
	return fault.Wrap(fault.Unavailable, err, "The server stopped before the command was done. Start it again, look at what was done, and repeat the command.")
}

// desk takes commands for an open installation.
type desk struct {
	p        *Parley
	listener net.Listener
	working  sync.WaitGroup
}

func openDesk(p *Parley) (*desk, error) {
	dir := p.Config.Data
	if err := os.Remove(filepath.Join(dir, socketFile)); err != nil && !errors.Is(err, fs.ErrNotExist) { // left by a server that was killed
		return nil, err
	}
	l, err := withSocket(dir, func(path string) (net.Listener, error) {
		l, err := net.Listen("unix", path)
		if err != nil {
			return nil, err
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false) // by then path may lead nowhere
		return l, os.Chmod(path, 0o600)
	})
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "The server cannot listen for commands in %s. Choose a data folder on a local disk with a shorter path.", dir)
	}
	return &desk{p: p, listener: l}, nil
}

// serve takes commands until ctx ends, and then waits for those that run.
func (d *desk) serve(ctx context.Context) {
	defer context.AfterFunc(ctx, func() { _ = d.listener.Close() })()
	for {
		conn, err := d.listener.Accept()
		if err != nil {
			break
		}
		d.working.Go(func() { d.carryOut(ctx, conn) })
	}
	d.working.Wait()
	if err := os.Remove(filepath.Join(d.p.Config.Data, socketFile)); err != nil {
		d.p.Log.Warn("socket not removed", "err", err)
	}
}

// carryOut runs one command for a client.
func (d *desk) carryOut(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	in := json.NewDecoder(conn)
	var o order
	if err := in.Decode(&o); err != nil {
		return // somebody looked whether a server is there
	}
	go func() { // ends with the connection, which is closed when the command is done
		_, _ = io.Copy(io.Discard, conn)
		stop()
	}()
	out := &frames{to: json.NewEncoder(conn)}
	run := &Run{Args: o.Args, Dir: o.Dir, Terminal: o.Terminal, Out: out.writer(false), Err: out.writer(true), Config: d.p.Config, p: d.p, served: true}
	code := run.remote(ctx)
	_ = out.send(frame{Exit: &code}) // the client may be gone
}

// remote carries a command out on the server's installation.
func (r *Run) remote(ctx context.Context) int {
	_, command, code := r.parse()
	if code >= 0 {
		return code
	}
	c, ok := command.Selected().Target.Addr().Interface().(onData)
	if !ok {
		return say(r.Err, fault.New(fault.Conflict, "\"parley %s\" cannot run while a server has the data. Stop the server first.", command.Command()))
	}
	return say(r.Err, r.logged(ctx, command, c))
}

// frames writes pieces of output one after the other.
type frames struct {
	mu sync.Mutex
	to *json.Encoder
}

func (f *frames) send(piece frame) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.to.Encode(piece)
}

type frameWriter struct {
	frames *frames
	err    bool
}

func (f *frames) writer(err bool) io.Writer { return &frameWriter{f, err} }

func (w *frameWriter) Write(b []byte) (int, error) {
	piece := frame{Out: b}
	if w.err {
		piece = frame{Err: b}
	}
	return len(b), w.frames.send(piece)
}
