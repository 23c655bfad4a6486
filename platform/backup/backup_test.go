package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"parley/platform/backup"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// house is an installation with people in it, a place for backups, and a clock that a story moves.
type house struct {
	*backup.Service
	t     *testing.T
	now   time.Time
	place string
}

func people() fstest.MapFS {
	return fstest.MapFS{"0001_people.sql": {Data: []byte("CREATE TABLE people (org_id BIGINT NOT NULL, num BIGINT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (org_id, num)) WITHOUT ROWID;\n")}}
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, now: time.Date(2026, 10, 1, 3, 0, 0, 0, time.UTC), place: t.TempDir()}
	h.Service = h.open(t.TempDir())
	h.Config = backup.Config{Where: h.place, Hour: 2, DrillDays: 7}
	for s, name := range []string{"Asha", "Ravi", "Mira"} {
		h.add(int64(s), name)
	}
	return h
}

// open opens the installation in a folder.
func (h *house) open(dir string) *backup.Service {
	h.t.Helper()
	master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	h.must(err)
	keys, err := vault.Open(h.t.Context(), dir, master)
	h.must(err)
	keys.Now = func() time.Time { return h.now }
	d, err := db.OpenSQLite(h.t.Context(), filepath.Join(dir, "parley.db"), keys.DatabaseKey())
	h.must(err)
	h.must(d.Migrate(h.t.Context(), "people", people()))
	h.t.Cleanup(func() { h.must(errors.Join(d.Close(), keys.Close())) })
	s := &backup.Service{Dir: dir, Version: "test", DB: d, Keys: keys, Master: master, Now: func() time.Time { return h.now }}
	s.Trial = func(ctx context.Context, dir string) error { return trial(ctx, dir, master) }
	return s
}

// trial opens what was restored.
func trial(ctx context.Context, dir string, master vault.Master) error {
	keys, err := vault.Open(ctx, dir, master)
	if err != nil {
		return err
	}
	d, err := db.OpenSQLite(ctx, filepath.Join(dir, "parley.db"), keys.DatabaseKey())
	if err != nil {
		return errors.Join(err, keys.Close())
	}
	return errors.Join(d.Check(ctx), d.Close(), keys.Close())
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) add(subject int64, name string) {
	h.t.Helper()
	o, err := h.Keys.Org(h.t.Context(), 1)
	h.must(err)
	h.must(o.EnsureSubjects(h.t.Context(), subject))
	sealed, err := o.SealSubject(h.t.Context(), subject, "name", []byte(name))
	h.must(err)
	_, err = h.DB.Exec(h.t.Context(), `INSERT INTO people (org_id, num, sealed) VALUES (1, $1, $2)`, subject, sealed)
	h.must(err)
}

func (h *house) erase(subject int64) {
	h.t.Helper()
	o, err := h.Keys.Org(h.t.Context(), 1)
	h.must(err)
	h.must(o.DestroySubject(h.t.Context(), subject))
	_, err = h.DB.Exec(h.t.Context(), `DELETE FROM people WHERE org_id = 1 AND num = $1`, subject)
	h.must(err)
}

func (h *house) run() *backup.Result {
	h.t.Helper()
	r, err := h.Run(h.t.Context(), "", false, nil)
	h.must(err)
	return r
}

func (h *house) pass(d time.Duration) { h.now = h.now.Add(d) }

const day = 24 * time.Hour

// restored fetches parts of a backup into a folder of its own. live says whether the epochs of the running installation
// are known.
func (h *house) restored(name string, live bool, parts ...backup.Part) (dir string, head *backup.Header, err error) {
	h.t.Helper()
	dir = h.t.TempDir()
	var epochs []byte
	if live {
		epochs = h.Keys.Epochs().File()
	}
	from, err := backup.OpenSource(h.t.Context(), h.place, name, backup.Access{}, h.Master, epochs, h.now)
	if err != nil {
		return dir, nil, err
	}
	defer func() { h.must(from.Close()) }()
	head, err = from.Fetch(h.t.Context(), dir, parts, h.Master, nil)
	if err != nil {
		return dir, nil, err
	}
	if slices.Contains(parts, backup.Keys) {
		list, err := from.Erased(h.t.Context())
		h.must(err)
		keys, err := vault.Open(h.t.Context(), dir, h.Master)
		h.must(err)
		_, err = keys.Replay(h.t.Context(), list, head.MadeAt)
		h.must(errors.Join(err, keys.Close()))
	}
	return dir, head, nil
}

// names are the people that data shows with keys.
func (h *house) names(dataDir string, keys *vault.Keys) (out []string) {
	h.t.Helper()
	ctx := h.t.Context()
	d, err := db.OpenSQLite(ctx, filepath.Join(dataDir, "parley.db"), keys.DatabaseKey())
	h.must(err)
	defer func() { h.must(d.Close()) }()
	type row struct {
		num    int64
		sealed []byte
	}
	rows, err := db.Select(ctx, d, func(r db.Scanner) (x row, err error) { return x, r.Scan(&x.num, &x.sealed) }, `SELECT num, sealed FROM people WHERE org_id = 1 ORDER BY num`)
	h.must(err)
	o, err := keys.Org(ctx, 1)
	h.must(err)
	for _, r := range rows {
		name, err := o.OpenSubject(ctx, r.num, "name", r.sealed)
		if fault.KindOf(err) == fault.Gone {
			name, err = []byte("-"), nil
		}
		h.must(err)
		out = append(out, string(name))
	}
	return out
}

// Case 1 of three: an old backup of the data, opened with the keys of today.
func TestOldDataWithTodaysKeysLacksTheErasedAlone(t *testing.T) {
	h := newHouse(t)
	old := h.run()
	h.pass(3 * day)
	h.erase(1)
	dir, _, err := h.restored(old.Set, true, backup.Data)
	h.must(err)
	if got := h.names(dir, h.Keys); !slices.Equal(got, []string{"Asha", "-", "Mira"}) {
		t.Errorf("readable are %v", got)
	}
}

// Case 2: a backup of both, opened inside the thirty days, also where nothing of the installation is left but its place
// for backups and its master key.
func TestARestoredBackupLacksWhomItsJournalNames(t *testing.T) {
	for _, live := range []bool{true, false} {
		h := newHouse(t)
		old := h.run()
		h.pass(3 * day)
		h.erase(1)
		h.must(h.Sync(t.Context()))
		h.pass(26 * day) // the 29th after the backup
		dir, head, err := h.restored(old.Set, live, backup.Data, backup.Keys)
		h.must(err)
		if head.Epoch != "2026-10-01" || head.Version != "test" {
			t.Errorf("the header is %+v", head)
		}
		keys, err := vault.Open(t.Context(), dir, h.Master)
		h.must(err)
		if got := h.names(dir, keys); !slices.Equal(got, []string{"Asha", "-", "Mira"}) {
			t.Errorf("live %v: readable are %v", live, got)
		}
		h.must(keys.Close())
	}
}

// Case 3: after thirty days.
func TestABackupCannotBeOpenedOnDay30(t *testing.T) {
	h := newHouse(t)
	old := h.run()
	epochsThen, err := os.ReadFile(filepath.Join(h.place, vault.EpochsFile))
	h.must(err)
	h.pass(30 * day)
	for _, live := range []bool{true, false} {
		// Nobody was there to destroy the key yet, and it is refused nevertheless.
		if _, _, err := h.restored(old.Set, live, backup.Data, backup.Keys); fault.KindOf(err) != fault.Gone || !strings.Contains(fault.Sentence(err), "destroyed 30 days later") {
			t.Errorf("on the 30th day: %v", err)
		}
	}
	h.must(h.Sync(t.Context()))
	epochsNow, err := os.ReadFile(filepath.Join(h.place, vault.EpochsFile))
	h.must(err)
	if bytes.Equal(epochsThen, epochsNow) {
		t.Error("the copy beside the backups was not renewed")
	}
	h.pass(-5 * day) // even with the clock set back
	for _, live := range []bool{true, false} {
		if _, _, err := h.restored(old.Set, live, backup.Data, backup.Keys); fault.KindOf(err) != fault.Gone {
			t.Errorf("after its key was destroyed: %v", err)
		}
	}
	// Somebody puts an old copy of the epochs beside the backups: what is destroyed here stays destroyed.
	h.must(os.WriteFile(filepath.Join(h.place, vault.EpochsFile), epochsThen, 0o600))
	if _, _, err := h.restored(old.Set, true, backup.Data, backup.Keys); fault.KindOf(err) != fault.Gone {
		t.Errorf("with an old copy of the epochs: %v", err)
	}
}

func TestABackupIsUnreadableWithoutItsKeys(t *testing.T) {
	h := newHouse(t)
	set := h.run().Set
	for _, part := range []string{".data", ".keys"} {
		raw, err := os.ReadFile(filepath.Join(h.place, set+part))
		h.must(err)
		for _, canary := range []string{"SQLite format", "Asha", "people", "keys.db", string(h.Keys.Root())} {
			if bytes.Contains(raw, []byte(canary)) {
				t.Errorf("%s shows %q", part, canary)
			}
		}
	}
	other, err := vault.MasterFile(filepath.Join(t.TempDir(), "m"))
	h.must(err)
	if _, err := backup.OpenSource(t.Context(), h.place, set, backup.Access{}, other, nil, h.now); fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.Sentence(err), "lost") {
		t.Errorf("another master key gives %v", err)
	}
}

func TestAnOldBackupOpensAfterTheMasterKeyChanged(t *testing.T) {
	h := newHouse(t)
	old := h.run()
	next, err := vault.NextMaster(filepath.Join(h.Dir, "master.key"))
	h.must(err)
	h.must(h.Keys.RotateMaster(t.Context(), next))
	h.must(vault.AdoptMaster(filepath.Join(h.Dir, "master.key")))
	past := h.Master
	h.Master = next
	h.must(h.Sync(t.Context()))
	dir, _, err := h.restored(old.Set, false, backup.Data, backup.Keys)
	h.must(err)
	keys, err := vault.Open(t.Context(), dir, next)
	h.must(err)
	if got := h.names(dir, keys); !slices.Equal(got, []string{"Asha", "Ravi", "Mira"}) {
		t.Errorf("readable are %v", got)
	}
	h.must(keys.Close())
	h.Master = past
	if _, _, err := h.restored(old.Set, false, backup.Data, backup.Keys); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("the old master key gives %v", err)
	}
}

func TestADamagedBackupIsRefused(t *testing.T) {
	h := newHouse(t)
	set := h.run().Set
	path := filepath.Join(h.place, set+".keys")
	whole, err := os.ReadFile(path)
	h.must(err)
	flip := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 1
		return b
	}
	for name, bad := range map[string][]byte{
		"a bit in the header": flip(40), "a bit in the middle": flip(len(whole) / 2), "a bit in the last byte": flip(len(whole) - 1),
		"cut off": whole[:len(whole)-1], "cut in half": whole[:len(whole)/2], "longer": append(bytes.Clone(whole), 0), "empty": nil,
		"another file": []byte("not a backup"), "the other part": must(os.ReadFile(filepath.Join(h.place, set+".data"))),
	} {
		h.must(os.WriteFile(path, bad, 0o600))
		if _, _, err := h.restored(set, true, backup.Keys); fault.KindOf(err) != fault.Invalid && fault.KindOf(err) != fault.Gone {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := h.Drill(t.Context(), "", nil); err == nil {
			t.Errorf("%s: the drill went well", name)
		}
	}
	h.must(os.WriteFile(path, []byte("parley backup 1\n{}\n"), 0o600))
	if _, _, err := h.restored(set, true, backup.Keys); fault.KindOf(err) != fault.Unsupported {
		t.Errorf("a backup of an older Parley: %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestADrillCountsAndRemembers(t *testing.T) {
	h := newHouse(t)
	h.run()
	h.add(9, "Later") // is not in the backup, and must not be missed
	r, err := h.Drill(t.Context(), "", nil)
	h.must(err)
	if !r.OK || r.Rows != 3+1 || r.Tables != 2 { // people, and the schema's version
		t.Errorf("the drill found %+v", r)
	}
	s, err := h.Status()
	h.must(err)
	if d := s.Target().Drill; d == nil || !d.OK || !s.Fresh {
		t.Errorf("the status is %+v", s)
	}
	h.Trial = func(context.Context, string) error { return fault.New(fault.Unavailable, "It does not open.") }
	if _, err := h.Drill(t.Context(), "", nil); err == nil {
		t.Error("a drill that failed went well")
	}
	if s, err = h.Status(); err != nil || s.Fresh || !strings.Contains(s.Sentence, "It does not open") {
		t.Errorf("after a failed drill the status is %q (%v)", s.Sentence, err)
	}
	left, err := filepath.Glob(filepath.Join(h.Dir, "drill-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("the drill left %v (%v)", left, err)
	}
}

func TestAMissedBackupRaisesTheAlarm(t *testing.T) {
	h := newHouse(t)
	status := func() *backup.Status { return must(h.Status()) }
	if s := status(); s.Fresh || !strings.Contains(s.Sentence, "No backup was made") {
		t.Errorf("before the first: %q", s.Sentence)
	}
	h.run()
	h.pass(25 * time.Hour)
	if s := status(); !s.Fresh {
		t.Errorf("after 25 hours: %q", s.Sentence)
	}
	h.pass(2 * time.Hour)
	if s := status(); s.Fresh || !strings.Contains(s.Sentence, "2026-10-01 03:00 UTC") {
		t.Errorf("after 27 hours: %q", s.Sentence)
	}
	h.must(os.Rename(h.place, h.place+".unmounted"))
	if _, err := h.Run(t.Context(), "", false, nil); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("an unmounted disk gives %v", err)
	}
	if s := status(); s.Fresh || !strings.Contains(s.Sentence, "mount the disk") {
		t.Errorf("after a failed one: %q", s.Sentence)
	}
	h.must(os.Rename(h.place+".unmounted", h.place))
	h.run()
	if s := status(); !s.Fresh {
		t.Errorf("after a good one: %q", s.Sentence)
	}
	h.Config.Where = ""
	if s := status(); s.Configured || s.Fresh {
		t.Errorf("without a place: %+v", s)
	}
}

func TestBackupsAreMadeOnceADayAtTheirHour(t *testing.T) {
	h := newHouse(t)
	due := func() bool { return must(h.Due()) }
	if !due() {
		t.Error("the first is not due")
	}
	h.run() // 03:00
	if h.pass(22 * time.Hour); due() {
		t.Error("due at 01:00 already")
	}
	if h.pass(time.Hour); !due() {
		t.Error("not due at 02:00")
	}
	h.pass(3 * time.Hour)
	if !due() {
		t.Error("a server that was down at 02:00 does not catch up at 05:00")
	}
	h.must(os.Rename(h.place, h.place+".unmounted"))
	if _, err := h.Run(t.Context(), "", false, nil); err == nil {
		t.Error("a missing place was written to")
	}
	if due() {
		t.Error("a failed one is repeated at once")
	}
	if h.pass(15 * time.Minute); !due() {
		t.Error("a failed one is not repeated after a while")
	}
	h.must(os.Rename(h.place+".unmounted", h.place))
	h.run()
	if due() {
		t.Error("due again right after")
	}
}

func TestTheServersTicksDoItAll(t *testing.T) {
	h := newHouse(t)
	var did []string
	tick := func() []string {
		did = nil
		h.Tick(t.Context(), func(what string, err error) { did = append(did, fmt.Sprint(what, " ", err)) })
		return did
	}
	if got := tick(); !slices.Equal(got, []string{"backup <nil>", "restore drill <nil>"}) {
		t.Errorf("the first tick did %v", got)
	}
	if got := tick(); len(got) > 0 {
		t.Errorf("the second tick did %v", got)
	}
	h.erase(1)
	h.pass(time.Minute)
	tick()
	raw, err := os.ReadFile(filepath.Join(h.place, vault.ErasedFile))
	if list, perr := vault.ReadErasures(raw); err != nil || perr != nil || len(list) != 1 {
		t.Errorf("a minute after an erasure the place knows %q (%v)", raw, err)
	}
	for range 40 {
		h.pass(day)
		tick()
	}
	sets, err := h.List(t.Context(), "")
	h.must(err)
	if len(sets) != 30 || !sets[0].Has(backup.Data) || !sets[0].Has(backup.Keys) {
		t.Errorf("after 41 days there are %d backups", len(sets))
	}
	if days := h.Keys.Epochs().Days(); len(days) != 30 {
		t.Errorf("after 41 days there are keys of %d days", len(days))
	}
	if last := sets[len(sets)-1]; last.OpensUntil() != sets[0].OpensUntil()-29 {
		t.Errorf("the oldest opens until %s, the newest until %s", last.OpensUntil(), sets[0].OpensUntil())
	}
}

func TestAPlaceThatWasUsedOnceIsLookedAfter(t *testing.T) {
	h := newHouse(t)
	stick := t.TempDir()
	if _, err := h.Run(t.Context(), stick, false, nil); err != nil {
		t.Fatal(err)
	}
	h.must(os.Rename(stick, stick+".pulled"))
	h.pass(10 * day)
	h.run()
	h.must(h.Sync(t.Context())) // a stick that is not there is no trouble yet
	h.pass(20 * day)
	h.run()
	if err := h.Sync(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a place that holds overdue keys and cannot be reached gives %v", err)
	}
	if s := must(h.Status()); len(s.Overdue) != 1 || !strings.Contains(s.Overdue[0], "2026-10-31") {
		t.Errorf("overdue are %v", s.Overdue)
	}
	h.must(os.Rename(stick+".pulled", stick))
	h.must(h.Sync(t.Context()))
	if s := must(h.Status()); len(s.Overdue) != 0 {
		t.Errorf("after it was connected, overdue are %v", s.Overdue)
	}
	e, err := vault.ReadEpochs(t.Context(), must(os.ReadFile(filepath.Join(stick, vault.EpochsFile))), h.Master)
	if err != nil || len(e.Days()) != 2 {
		t.Errorf("the stick holds keys of %v (%v)", e.Days(), err)
	}
	h.must(h.Forget(stick))
	if err := h.Forget(stick); fault.KindOf(err) != fault.NotFound {
		t.Errorf("forgetting twice gives %v", err)
	}
}

func TestTwoBackupsOfOneSecondDoNotReplaceEachOther(t *testing.T) {
	h := newHouse(t)
	if a, b := h.run(), h.run(); a.Set == b.Set || len(must(h.List(t.Context(), ""))) != 2 {
		t.Errorf("the backups are %s and %s", a.Set, b.Set)
	}
}

func TestAnotherInstallationsPlaceIsRefused(t *testing.T) {
	a, b := newHouse(t), newHouse(t)
	a.run()
	b.Config.Where = a.place
	if _, err := b.Run(t.Context(), "", false, nil); fault.KindOf(err) != fault.Conflict {
		t.Errorf("got %v", err)
	}
	if _, _, err := a.restored("", false, backup.Data); err != nil {
		t.Errorf("the first one's backups were harmed: %v", err)
	}
}

func TestWhatACrashLeftIsRemoved(t *testing.T) {
	h := newHouse(t)
	kept := filepath.Join(h.Dir, backup.KeptName(h.now))
	for _, name := range []string{filepath.Join(h.Dir, "backup-1"), filepath.Join(h.Dir, "drill-2"), kept} {
		h.must(os.Mkdir(name, 0o700))
	}
	h.must(h.Tidy())
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("what a restore replaced was removed too early: %v", err)
	}
	h.pass(30 * day)
	h.must(h.Tidy())
	list, err := os.ReadDir(h.Dir)
	h.must(err)
	for _, e := range list {
		if e.IsDir() {
			t.Errorf("%s is left", e.Name())
		}
	}
}

func TestBackupsGoToABucket(t *testing.T) {
	h := newHouse(t)
	kept := s3mem.New()
	h.must(kept.CreateBucket("backups"))
	s := httptest.NewServer(gofakes3.New(kept).Server())
	defer s.Close()
	h.place = "s3+" + s.URL + "/backups/ours"
	h.Config = backup.Config{Where: h.place, Access: backup.Access{AccessKey: "k", SecretKey: "s", Transport: http.DefaultTransport}}
	set := h.run().Set
	if r, err := h.Drill(t.Context(), "", nil); err != nil || !r.OK {
		t.Errorf("the drill found %+v (%v)", r, err)
	}
	h.erase(2)
	h.must(h.Sync(t.Context()))
	from, err := backup.OpenSource(t.Context(), h.place, set, h.Config.Access, h.Master, nil, h.now)
	h.must(err)
	if list, err := from.Erased(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("erased are %v (%v)", list, err)
	}
	h.must(from.Close())
}

func TestTwoBackupsAtOnceAreRefused(t *testing.T) {
	h := newHouse(t)
	h.run()
	h.Trial = func(ctx context.Context, _ string) error {
		if _, err := h.Run(ctx, "", false, nil); fault.KindOf(err) != fault.Conflict {
			t.Errorf("a backup during a drill gives %v", err)
		}
		return nil
	}
	if _, err := h.Drill(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
}
