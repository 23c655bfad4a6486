package app

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/calls/person"
	"parley/platform/audit"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/consent"
	"parley/trust/law"
	"parley/trust/subject"
)

// consents makes the ledger of consents over the number book, the policy and the law.
func (p *Parley) consents() (*consent.Consents, error) {
	tables, err := law.Load()
	if err != nil {
		return nil, err
	}
	return consent.New(consent.Deps{
		DB: p.DB, Keys: p.Keys, Accounts: p.Accounts, Log: p.Audit, People: person.InBook(p.Book), Purposes: p.contactPurposes,
		Bars: []consent.Bar{p.barRestricted, consent.Hours(tables)}, Now: p.Now,
	}), nil
}

func (p *Parley) contactPurposes(ctx context.Context, org account.OrgID) ([]consent.Purpose, error) {
	doc, err := p.policyOf(ctx, org)
	if err != nil {
		return nil, err
	}
	return consent.FromPolicy(doc), nil
}

// barRestricted keeps people whose data is restricted from being contacted, but about that itself.
func (p *Parley) barRestricted(ctx context.Context, c db.Conn, org account.OrgID, q consent.Question) (consent.Check, error) {
	out := consent.Check{Rule: "restriction"}
	n := number.ID(q.Who.Ref.Num())
	if n == number.Withheld && q.Who.Number != "" {
		var err error
		if n, _, err = p.Book.Find(ctx, c, org, q.Who.Number); err != nil {
			return out, err
		}
	}
	if q.Purpose == "rights" || q.Purpose == "legal" {
		return out, nil
	}
	if q.Who.Ref.Kind == subject.Member {
		may, err := p.Rights.May(ctx, c, org, q.Who.Ref, "")
		if out.Against = !may && err == nil; out.Against {
			out.Reason = consent.IsRestricted
		}
		return out, err
	}
	if n == number.Withheld {
		return out, nil
	}
	err := p.Book.CheckUse(ctx, c, org, n)
	if fault.KindOf(err) == fault.Denied {
		out.Against, out.Reason = true, consent.IsRestricted
		return out, nil
	}
	return out, err
}

type consentCmd struct {
	Give     consentGiveCmd     `cmd:"" help:"Enter a consent that a person gave."`
	Withdraw consentWithdrawCmd `cmd:"" help:"Enter that a person takes consent back, or does not want something."`
	Show     consentShowCmd     `cmd:"" help:"Show what a person said, and whether they may be contacted."`
	Suppress consentSuppressCmd `cmd:"" help:"Put somebody on the suppression list: no more contacts."`
	Minor    consentMinorCmd    `cmd:"" help:"Mark somebody as under age: no more advertising, whatever they agreed to."`
	Link     consentLinkCmd     `cmd:"" help:"Make the link by which a person chooses without an account."`
	Export   consentExportCmd   `cmd:"" help:"Write everything a person said to a file, with proofs."`
	Verify   consentVerifyCmd   `cmd:"" help:"Check such a file; needs no data."`
}

// onPerson is a command about one person outside.
type onPerson struct {
	inOrg
	Person string `arg:"" help:"Phone number or e-mail address."`
}

func (c *onPerson) who(ctx context.Context, r *Run) (*account.Org, consent.Who, error) {
	org, err := c.find(ctx, r)
	if err != nil {
		return nil, consent.Who{}, err
	}
	who, err := consent.ParseWho(c.Person, org.Country)
	return org, who, err
}

// aboutPurpose are the flags that say what about.
type aboutPurpose struct {
	Purpose []string `required:"" help:"Purposes of the privacy policy, such as marketing."`
	Channel []string `help:"Channels: call, sms, email, messenger. Left out: all."`
}

func (c *aboutPurpose) channels() ([]consent.Channel, error) {
	if len(c.Channel) == 0 {
		return consent.Channels(), nil
	}
	var out []consent.Channel
	for _, word := range c.Channel {
		channel, err := consent.ParseChannel(word)
		if err != nil {
			return nil, err
		}
		out = append(out, channel)
	}
	return out, nil
}

type consentGiveCmd struct {
	onPerson
	aboutPurpose
	How      string `required:"" help:"The act: spoken, key_press, web_form, paper or import."`
	Wording  string `help:"The words that the person agreed to."`
	Version  string `help:"Version of the wording; alone, it stands for words that were entered before."`
	Language string `default:"en" help:"Language of the wording."`
	Evidence string `help:"Where the act can be found again: a recording, a paper, a file."`
	Expires  string `placeholder:"2027-12-31" help:"Last day of the consent; without, it holds until it is taken back."`
}

func (c *consentGiveCmd) onData(ctx context.Context, r *Run) error {
	org, who, err := c.who(ctx, r)
	if err != nil {
		return err
	}
	in := consent.Change{Who: who, Purposes: c.Purpose, State: consent.Given, How: consent.How(c.How), Evidence: c.Evidence, By: audit.Operator,
		Wording: consent.Wording{Version: c.Version, Language: c.Language, Text: c.Wording}}
	if in.Channels, err = c.channels(); err != nil {
		return err
	}
	if in.Expires, err = lastMoment(c.Expires, org); err != nil {
		return err
	}
	if err := r.p.Consents.Record(ctx, org.ID, in); err != nil {
		return err
	}
	return r.printf("Entered: %s may be contacted for %s.\n", c.Person, strings.Join(c.Purpose, ", "))
}

// lastMoment is the end of a day that was named, or zero.
func lastMoment(day string, org *account.Org) (time.Time, error) {
	if day == "" {
		return time.Time{}, nil
	}
	d, err := civil.Parse(day)
	if err != nil {
		return time.Time{}, err
	}
	return (d + 1).Start(org.Location()), nil
}

type consentWithdrawCmd struct {
	onPerson
	aboutPurpose
	How string `default:"spoken" help:"How they said it: spoken, paper, web_form, request."`
}

func (c *consentWithdrawCmd) onData(ctx context.Context, r *Run) error {
	org, who, err := c.who(ctx, r)
	if err != nil {
		return err
	}
	in := consent.Change{Who: who, Purposes: c.Purpose, State: consent.Withdrawn, How: consent.How(c.How), By: audit.Operator}
	if in.Channels, err = c.channels(); err != nil {
		return err
	}
	if err := r.p.Consents.Record(ctx, org.ID, in); err != nil {
		return err
	}
	return r.printf("Entered: %s is not contacted for %s any more, from now on.\n", c.Person, strings.Join(c.Purpose, ", "))
}

type consentShowCmd struct {
	onPerson
	asJSON
}

func (c *consentShowCmd) onData(ctx context.Context, r *Run) error {
	org, who, err := c.who(ctx, r)
	if err != nil {
		return err
	}
	choices, err := r.p.Consents.Preferences(ctx, org.ID, who)
	if err != nil {
		return err
	}
	type view struct {
		Purpose string          `json:"purpose"`
		Channel consent.Channel `json:"channel"`
		Allowed bool            `json:"allowed"`
		Reason  string          `json:"reason"`
		Since   *time.Time      `json:"since"`
	}
	out := make([]view, len(choices))
	for i, choice := range choices {
		d, err := r.p.Consents.MayContact(ctx, org.ID, who, choice.Purpose, choice.Channel, r.p.Now())
		if err != nil {
			return err
		}
		out[i] = view{choice.Purpose, choice.Channel, d.Allowed, d.Reason, orNil(choice.Since)}
	}
	return c.write(r, out, func(t *table) {
		t.row("PURPOSE", "CHANNEL", "ALLOWED", "WHY NOT", "SINCE")
		for _, v := range out {
			t.row(v.Purpose, v.Channel, yes(v.Allowed), v.Reason, moment(v.Since, org))
		}
	})
}

type consentSuppressCmd struct {
	onPerson
	Purpose string `help:"Only this purpose; left out: all."`
	Channel string `help:"Only this channel; left out: all."`
}

func (c *consentSuppressCmd) onData(ctx context.Context, r *Run) error {
	org, who, err := c.who(ctx, r)
	if err != nil {
		return err
	}
	scope := consent.Scope{Purpose: c.Purpose}
	if c.Channel != "" {
		if scope.Channel, err = consent.ParseChannel(c.Channel); err != nil {
			return err
		}
	}
	if err := r.p.Consents.Block(ctx, org.ID, who, scope, "staff", audit.Operator); err != nil {
		return err
	}
	return r.printf("%s is on the suppression list. It stays there when their data is erased; only they themselves can lift it.\n", c.Person)
}

type consentMinorCmd struct {
	onPerson
	Off bool `help:"Take the mark back: they are of age."`
}

func (c *consentMinorCmd) onData(ctx context.Context, r *Run) error {
	org, who, err := c.who(ctx, r)
	if err != nil {
		return err
	}
	if err := r.p.Consents.SetMinor(ctx, org.ID, who, !c.Off, "staff", audit.Operator); err != nil {
		return err
	}
	if c.Off {
		return r.printf("%s counts as of age again.\n", c.Person)
	}
	return r.printf("%s is marked as under age: what they agreed to counts for nothing. The mark stays when their data is erased.\n", c.Person)
}

type consentLinkCmd struct{ onPerson }

func (c *consentLinkCmd) onData(ctx context.Context, r *Run) error {
	org, who, err := c.who(ctx, r)
	if err != nil {
		return err
	}
	token, err := r.p.Consents.Link(ctx, org.ID, who)
	if err != nil {
		return err
	}
	return r.printf("%s/preferences/%s\n", r.p.Config.base(), token)
}

type consentExportCmd struct {
	onPerson
	Out string `required:"" placeholder:"FILE" help:"File to write."`
}

func (c *consentExportCmd) onData(ctx context.Context, r *Run) error {
	org, who, err := c.who(ctx, r)
	if err != nil {
		return err
	}
	x, err := r.p.Consents.Export(ctx, org, who)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(r.path(c.Out), append(text, '\n'), 0o600); err != nil {
		return fault.Wrap(fault.Unavailable, err, "The file %s cannot be written. Check that its folder exists and can be written to.", c.Out)
	}
	return r.printf("%d entries are in %s. The log's key is %s\n", len(x.Entries), c.Out, x.Key)
}

type consentVerifyCmd struct {
	File string `arg:"" help:"File that \"parley consent export\" wrote."`
	Key  string `help:"Public key of the organisation's audit log; left out, the one in the file is taken."`
}

func (c *consentVerifyCmd) plain(_ context.Context, r *Run) (err error) {
	f, err := os.Open(r.path(c.File))
	if err != nil {
		return fault.Wrap(fault.NotFound, err, "The file %s cannot be read.", c.File)
	}
	defer f.Close()
	key, err := textOrFile(r, c.Key)
	if err != nil {
		return err
	}
	v, err := consent.VerifyExport(f, key)
	if err != nil {
		return err
	}
	return r.printf("Sound: %d entries of %s, as %s logged them (log of %d entries, key %s).\n", v.Entries, v.Person, v.Organisation, v.Size, v.Key)
}
