package consent

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/platform/db"
)

// Choice is what a person wants for one purpose on one channel.
type Choice struct {
	Purpose string
	Basis   Basis
	Channel Channel
	On      bool
	Since   time.Time // of the entry that says so; zero when the person said nothing
}

// Preferences lists what a person wants, each purpose on each channel: what the gates answer too, hours and other bars
// aside.
func (s *Consents) Preferences(ctx context.Context, org account.OrgID, who Who) ([]Choice, error) {
	var out []Choice
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		out, err = s.preferences(ctx, tx, org, who)
		return err
	})
	return out, err
}

func (s *Consents) preferences(ctx context.Context, c db.Conn, org account.OrgID, who Who) ([]Choice, error) {
	who, err := s.full(ctx, c, org, who)
	if err != nil {
		return nil, err
	}
	purposes, err := s.Purposes(ctx, org)
	if err != nil {
		return nil, err
	}
	person, err := s.person(ctx, c, org, who)
	if err != nil {
		return nil, err
	}
	var said []Entry
	if person != "" {
		if said, err = s.entries(ctx, c, org, person); err != nil {
			return nil, err
		}
	}
	stopped, err := s.Suppressions(ctx, c, org, who)
	if err != nil {
		return nil, err
	}
	var out []Choice
	for _, p := range purposes {
		for _, channel := range p.channels(who) {
			e := latest(said, p.Key, channel, "")
			choice := Choice{Purpose: p.Key, Basis: p.Basis, Channel: channel}
			choice.On = !checkObjection(e).Against && !checkConsent(e, p.Basis, s.Now()).Against &&
				!slices.ContainsFunc(stopped, func(x Suppression) bool { return x.Scope.stops(p.Key, channel) })
			if e != nil {
				choice.Since = e.At
			}
			out = append(out, choice)
		}
	}
	return out, nil
}

// SetPreferences brings a person's choices to what they want now; on names the purposes and channels that they want, all
// others are off. Only what changes is entered. wording gives the words that stood at a choice.
func (s *Consents) SetPreferences(ctx context.Context, org account.OrgID, who Who, on func(purpose string, channel Channel) bool, wording func(purpose string, channel Channel) Wording, how How) error {
	before, err := s.Preferences(ctx, org, who)
	if err != nil {
		return err
	}
	var changes []Change
	for _, c := range before {
		if want := on(c.Purpose, c.Channel); want != c.On {
			in := Change{Who: who, Purposes: []string{c.Purpose}, State: Withdrawn, How: how}
			if c.Channel != None {
				in.Channels = []Channel{c.Channel}
			}
			if want {
				in.State, in.Wording = Given, wording(c.Purpose, c.Channel)
			}
			changes = append(changes, in)
		}
	}
	return s.recordAll(ctx, org, changes)
}

// Stop ends every purpose on a channel, or on all channels with None, also purposes that the policy gets later.
func (s *Consents) Stop(ctx context.Context, org account.OrgID, who Who, channel Channel, how How, by account.MemberID) error {
	purposes, err := s.Purposes(ctx, org)
	if err != nil {
		return err
	}
	var all []Change
	for _, p := range purposes {
		in := Change{Who: who, Purposes: []string{p.Key}, Channels: p.channels(who), State: Withdrawn, How: how, By: by}
		if channel != None {
			in.Channels = []Channel{channel}
		}
		if p.Plain {
			in.Channels = nil
		}
		if !p.Plain || channel == None {
			all = append(all, in)
		}
	}
	return s.recordAll(ctx, org, all, func(ctx context.Context, tx *db.Tx) error {
		return s.Suppress(ctx, tx, org, who, Scope{"", channel}, string(how))
	})
}

// recordAll is Record for several changes at once.
func (s *Consents) recordAll(ctx context.Context, org account.OrgID, all []Change, also ...func(context.Context, *db.Tx) error) (err error) {
	for range 3 { // two entries about one person at the same moment
		err = s.DB.Tx(ctx, func(tx *db.Tx) error {
			for _, in := range all {
				if err := s.record(ctx, tx, org, in); err != nil {
					return err
				}
			}
			for _, do := range also {
				if err := do(ctx, tx); err != nil {
					return err
				}
			}
			return nil
		})
		if !db.IsUnique(err) {
			break
		}
	}
	return err
}

// Reply takes a message that a person sent back on a channel: one that says stop ends every purpose there, at once.
func (s *Consents) Reply(ctx context.Context, org account.OrgID, from Who, channel Channel, text string) (stopped bool, err error) {
	if !IsStop(text) {
		return false, nil
	}
	return true, s.Stop(ctx, org, from, channel, ByReply, "")
}
