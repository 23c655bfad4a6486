// Package account holds who there is: organisations, their teams and members, what each role may do, and how a person
// or a program proves who they are (passwords, sessions, one-time links, invitations, tokens).
//
// An e-mail address is a person: one password, however many organisations the person belongs to. A member is that
// person in one organisation, or somebody without an address whose calls are kept. Addresses lie sealed under the
// organisation's key; they are found by a keyed index under the installation's key.
package account

import (
	"context"
	"embed"
	"time"

	"parley/account/password"
	"parley/platform/db"
	"parley/platform/revoke"
	"parley/platform/vault"
)

// Schema holds the tables of this package, series "account".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Terms is the version of the terms that people accept when they join.
const Terms = "2026-11"

// Accounts keeps the accounts of an installation.
type Accounts struct {
	db        *db.DB
	keys      *vault.Keys
	now       func() time.Time
	passwords *password.Hasher
	gate      Gate
	security  func(ctx context.Context, e SecurityEvent) error // nil = nobody is told
	revoked   *revoke.Journal                                  // nil = nothing is written down
}

// Gate gives what decides, besides roles and scopes, whether a member's request may use people's data. It is asked once
// for every request, outside of any transaction; what it returns must need neither time nor the database.
type Gate func(ctx context.Context, org OrgID, member MemberID) (func(Permission) error, error)

// SetGate puts a gate in front of everything that members and programs ask for. It is called once, at wiring.
func (a *Accounts) SetGate(g Gate) { a.gate = g }

// SetJournal has access that is taken away written down, so that a backup from before does not bring it back. It is called
// once, at wiring.
func (a *Accounts) SetJournal(j *revoke.Journal) { a.revoked = j }

// New gives the accounts kept in d. now is the clock.
func New(d *db.DB, keys *vault.Keys, now func() time.Time) *Accounts {
	return &Accounts{db: d, keys: keys, now: now, passwords: password.NewHasher()}
}

// OrgID is an organisation's number: dense, from 1, never used twice.
type OrgID int64

// MemberID names a member. It is also the public id of an agent.
type MemberID string

// TeamID names a team.
type TeamID string

// AgentNo is an agent's number: dense per organisation, from 1. The tables of calls use it. 0 is a member who is no agent.
type AgentNo int32
