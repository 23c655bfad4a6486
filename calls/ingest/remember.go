package ingest

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"parley/account"
	"parley/calls/logfile"
	"parley/platform/db"
)

// RememberedMapping is how a table was read last.
type RememberedMapping struct {
	Mapping    logfile.Mapping
	Zone       string
	Agent      account.AgentNo
	Ours       Ours
	OurNumbers []string
	UsedAt     time.Time
}

const mappingField = "import_mappings"

// headerKey is the keyed index of a table's headers. Case and blanks do not matter, the order does.
func (i *Imports) headerKey(ctx context.Context, org account.OrgID, columns []string) ([]byte, error) {
	k, err := i.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	clean := make([]string, len(columns))
	for j, c := range columns {
		clean[j] = strings.ToLower(strings.Join(strings.Fields(c), " "))
	}
	return k.Index(mappingField, strings.Join(clean, "\x00")), nil
}

// Remembered gives the mapping that a table with these headers was imported with last, and whether there is one.
func (i *Imports) Remembered(ctx context.Context, org *account.Org, columns []string) (*RememberedMapping, bool, error) {
	key, err := i.headerKey(ctx, org.ID, columns)
	if err != nil || len(columns) == 0 {
		return nil, false, err
	}
	var used int64
	sealed, ok, err := db.One(ctx, i.db, func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b, &used) },
		`SELECT sealed, used_ms FROM import_mappings WHERE org_id = $1 AND headers = $2`, org.ID, key)
	if err != nil || !ok {
		return nil, false, err
	}
	k, err := i.keys.Org(ctx, int64(org.ID))
	if err != nil {
		return nil, false, err
	}
	plain, err := k.Open(mappingField, sealed)
	if err != nil {
		return nil, false, err
	}
	var m RememberedMapping
	err = json.Unmarshal(plain, &m)
	m.UsedAt = moment(used)
	return &m, err == nil, err
}

// remember keeps the mapping that a table was imported with.
func (i *Imports) remember(ctx context.Context, tx *db.Tx, org account.OrgID, columns []string, m RememberedMapping) error {
	key, err := i.headerKey(ctx, org, columns)
	if err != nil {
		return err
	}
	k, err := i.keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	plain, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO import_mappings (org_id, headers, sealed, used_ms) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org_id, headers) DO UPDATE SET sealed = excluded.sealed, used_ms = excluded.used_ms`, org, key, k.Seal(mappingField, plain), i.now().UnixMilli())
	return err
}
