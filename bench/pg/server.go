// Package pg asks PostgreSQL: a server of its own, or the one that PARLEY_BENCH_POSTGRES names.
package pg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// server is a PostgreSQL that this program started in a folder of its own.
type server struct {
	dir  string
	cmd  *exec.Cmd
	gone chan error
}

// startServer makes a cluster below dir and starts it. It listens on a Unix socket in that folder only, so no port is
// taken. PostgreSQL refuses to run as root; there it runs as the user postgres.
func startServer(ctx context.Context, dir string) (*server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	as, err := owner()
	if err != nil {
		return nil, err
	}
	// The socket's path may have 107 characters at most, so the folder is one directly below the temporary one.
	s := &server{gone: make(chan error, 1)}
	if s.dir, err = os.MkdirTemp(dir, "pg-"); err != nil {
		return nil, err
	}
	if as != nil {
		if err := os.Chown(s.dir, int(as.Uid), int(as.Gid)); err != nil {
			return nil, err
		}
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", s.data(), "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = &syscall.SysProcAttr{Credential: as}, s.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w: %s", err, out), os.RemoveAll(s.dir))
	}
	args := []string{"-D", s.data(), "-k", s.dir, "-c", "listen_addresses="}
	for _, set := range settings() {
		args = append(args, "-c", set)
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return nil, err
	}
	s.cmd = exec.Command(filepath.Join(bin, "postgres"), args...)
	s.cmd.SysProcAttr, s.cmd.Dir = &syscall.SysProcAttr{Credential: as, Setpgid: true}, s.dir // not to be hit by our Ctrl-C
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close(), os.RemoveAll(s.dir))
	}
	go func() { s.gone <- errors.Join(s.cmd.Wait(), log.Close()) }()
	return s, s.await(ctx)
}

// settings are for one client that asks one question at a time on one core, with room for its sorts and hashes.
func settings() []string {
	return []string{
		"shared_buffers=2GB", "effective_cache_size=8GB", "work_mem=512MB", "maintenance_work_mem=1GB", "hash_mem_multiplier=2",
		"max_parallel_workers_per_gather=0", "max_parallel_maintenance_workers=0", "random_page_cost=1.1", "jit=off",
		"max_wal_size=8GB", "wal_compression=on", "checkpoint_timeout=1h", "autovacuum=off", "logging_collector=off",
	}
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

func (s *server) dsn() string { return "host=" + s.dir + " port=5432 user=bench dbname=postgres" }

// await waits until the server answers.
func (s *server) await(ctx context.Context) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 300 {
		if c, err := pgx.Connect(ctx, s.dsn()); err == nil {
			return c.Close(ctx)
		}
		select {
		case err := <-s.gone:
			s.gone <- err
			log, _ := os.ReadFile(filepath.Join(s.dir, "log")) // only to explain the failure
			return errors.Join(fmt.Errorf("PostgreSQL did not start: %w: %s", err, log), s.stop())
		case <-ctx.Done():
			return errors.Join(ctx.Err(), s.stop())
		case <-tick.C:
		}
	}
	return errors.Join(errors.New("PostgreSQL did not answer within 30 s"), s.stop())
}

// stop ends the server and removes all it kept. How it ends does not matter: nothing of it is needed again.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.gone
	return os.RemoveAll(s.dir)
}

// binaries is the folder with the newest server's programs.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	version := func(path string) int {
		v, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // a folder that is no version comes last
		return v
	}
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		return strings.TrimSpace(string(out)), nil
	}
	return "", errors.New("PostgreSQL is not installed. Install the Debian package postgresql, set PARLEY_BENCH_POSTGRES to the address of a server on this machine, or leave it out with -engines")
}

// owner is whom the server runs as when this program is root, and nil otherwise.
func owner() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres to run it as: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}
