package app

import (
	"context"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"parley/platform/db"
	"parley/platform/id"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"parley": func() { os.Exit(Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) }})
}

// TestScripts runs the stories in testdata/script against the real program, on the embedded database and, where
// PARLEY_TEST_POSTGRES is set, on PostgreSQL in a schema of their own.
func TestScripts(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { stories(t, "") })
	if dsn := os.Getenv("PARLEY_TEST_POSTGRES"); dsn != "" {
		t.Run("postgres", func(t *testing.T) { stories(t, dsn) })
	}
}

func stories(t *testing.T, dsn string) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"PARLEY_DATA", "PARLEY_CONFIG", "PARLEY_MASTER_KEY", "PARLEY_DATABASE"} {
				env.Setenv(name, "")
			}
			env.Vars = dropEmpty(env.Vars)
			if dsn == "" {
				return nil
			}
			schema, err := freshSchema(env, dsn)
			env.Setenv("PARLEY_DATABASE", schema)
			return err
		},
		Condition: func(cond string) (bool, error) { return cond == "postgres" && dsn != "", nil },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ready": ready, "damage": damage, "age": age, "capture": capture,
		},
	})
}

// dropEmpty takes variables without a value away: an empty setting counts as set.
func dropEmpty(vars []string) []string {
	var out []string
	for _, v := range vars {
		if name, value, _ := strings.Cut(v, "="); value != "" || !strings.HasPrefix(name, "PARLEY_") {
			out = append(out, v)
		}
	}
	return out
}

func freshSchema(env *testscript.Env, dsn string) (string, error) {
	ctx := context.Background()
	root, err := db.OpenPostgres(ctx, dsn)
	if err != nil {
		return "", err
	}
	name := strings.ToLower(id.New("story"))
	if _, err := root.Exec(ctx, `CREATE SCHEMA `+name); err != nil {
		return "", err
	}
	env.Defer(func() {
		if _, err := root.Exec(ctx, `DROP SCHEMA `+name+` CASCADE`); err != nil {
			env.T().Log(err)
		}
		_ = root.Close()
	})
	u, err := url.Parse(dsn)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// ready waits until the server of a data folder takes commands.
func ready(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ready folder")
	}
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); {
		if c, err := dialServer(ts.MkAbs(args[0])); err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("no server came up in %s", args[0])
}

// damage overwrites the middle of a file.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage file")
	}
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	for i := range min(4096, len(b)/2) {
		b[len(b)/2-2048+i] ^= 0xff
	}
	if filepath.Ext(path) == ".db" {
		for i := range 4096 { // the first page, which every start reads
			b[i] ^= 0xff
		}
	}
	ts.Check(os.WriteFile(path, b, 0o600))
}

// age makes a data folder look as if a newer program had written it.
func age(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: age folder")
	}
	ctx, dir := context.Background(), ts.MkAbs(args[0])
	env := func(name string) (string, bool) { v := ts.Getenv(name); return v, v != "" }
	c, err := readConfig(map[string]string{"data": dir}, "", env)
	ts.Check(err)
	held, err := takeLock(dir)
	ts.Check(err)
	p, err := Open(ctx, c, held, slog.New(slog.DiscardHandler))
	ts.Check(err)
	_, err = p.DB.Exec(ctx, `UPDATE schema_versions SET version = 99 WHERE series = 'call'`)
	ts.Check(err)
	ts.Check(p.Close())
}

// capture keeps the first word of the last output that begins with a text in a variable: capture NAME PREFIX.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture NAME prefix")
	}
	for word := range strings.FieldsSeq(ts.ReadFile("stdout")) {
		if word = strings.Trim(word, `",:`); strings.HasPrefix(word, args[1]) {
			ts.Setenv(args[0], word)
			return
		}
	}
	ts.Fatalf("the output has no word that begins with %q", args[1])
}
