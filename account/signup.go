package account

import (
	"context"
	"strings"

	"parley/account/password"
	"parley/platform/db"
	"parley/platform/fault"
)

// SignUp is what somebody says who opens an organisation.
type SignUp struct {
	Company, ContactName, ContactPhone string
	Email, Password                    string
	Industry, Country, Zone, Locale    string
	Workdays                           Weekdays
	WorkFrom, WorkTo                   int // minutes after midnight
	Logo                               []byte
	AcceptTerms, Adult                 bool
	From                               SignInFrom
}

// SignUp makes an organisation with its first owner, who can sign in at once. Somebody who has a password here already
// gives that one. Errors name the fields name (the company's), contact_name, contact_phone, email, password, industry,
// country, zone, locale, workdays, work_from, logo, accept_terms and adult.
func (a *Accounts) SignUp(ctx context.Context, s SignUp) (*Org, *Member, error) {
	settings, person, err := a.readSignUp(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	hash, err := a.provePerson(ctx, person, s.Password, s.From, settings.Email, settings.Name, settings.ContactName)
	if err != nil {
		return nil, nil, err
	}
	var org *Org
	var owner *Member
	err = a.db.Tx(ctx, func(tx *db.Tx) error {
		if org, err = a.insertOrg(ctx, tx, settings, false); err != nil {
			return err
		}
		owner, err = a.insertMember(ctx, tx, newMember{org: org.ID, name: settings.ContactName, email: settings.Email, role: Owner, joined: true})
		if err != nil {
			return err
		}
		if len(s.Logo) > 0 {
			if err := writeLogo(ctx, tx, org.ID, s.Logo); err != nil {
				return err
			}
		}
		if err := a.insertAcceptance(ctx, tx, org.ID, owner.ID); err != nil {
			return err
		}
		return a.insertCredential(ctx, tx, person, hash)
	})
	return org, owner, err
}

// readSignUp checks all fields at once, so that the form shows all that is wrong with it.
func (a *Accounts) readSignUp(ctx context.Context, s SignUp) (OrgSettings, []byte, error) {
	settings, err := OrgSettings{
		Name: s.Company, ContactName: s.ContactName, ContactPhone: s.ContactPhone, Email: s.Email, Industry: s.Industry,
		Country: s.Country, Zone: s.Zone, Locale: s.Locale, Workdays: s.Workdays, WorkFrom: s.WorkFrom, WorkTo: s.WorkTo,
	}.tidy()
	var nameErr, emailErr, passErr, logoErr error
	if strings.TrimSpace(s.ContactName) == "" {
		nameErr = fault.Field("contact_name", "Your name is needed.")
	}
	if s.Email == "" { // one of blanks only is refused as no address
		emailErr = fault.Field("email", "An e-mail address is needed; you sign in with it.")
	}
	if s.Password == "" {
		passErr = fault.Field("password", "A password is needed.")
	}
	if len(s.Logo) > 0 {
		_, logoErr = logoKind(s.Logo)
	}
	if err := fault.Join(err, nameErr, emailErr, passErr, logoErr, checkConsent(s.AcceptTerms, s.Adult)); err != nil {
		return settings, nil, err
	}
	person, err := a.personKey(ctx, settings.Email)
	return settings, person, err
}

func checkConsent(terms, adult bool) error {
	var errs [2]error
	if !terms {
		errs[0] = fault.Field("accept_terms", "Read the terms and accept them to go on.")
	}
	if !adult {
		errs[1] = fault.Field("adult", "Confirm that you are 18 or older to go on.")
	}
	return fault.Join(errs[:]...)
}

// provePerson checks the password of somebody who joins an organisation: one who is known here must give the password
// they have, so that nobody can take over an address; for a new one a hash comes back, to be stored.
func (a *Accounts) provePerson(ctx context.Context, person []byte, pass string, from SignInFrom, about ...string) (hash string, err error) {
	known, err := a.credential(ctx, a.db, person)
	if err != nil {
		return "", err
	}
	if known == "" {
		if err := password.Check(pass, about...); err != nil {
			return "", err
		}
		return a.passwords.Hash(ctx, pass)
	}
	ok, err := a.checkPassword(ctx, person, known, pass, from)
	if err != nil {
		return "", a.turnedAway(ctx, person, from, err)
	}
	if !ok {
		if err = a.tell(ctx, person, SecurityEvent{Kind: WrongPassword, From: from, Cause: AtJoining}); err != nil {
			return "", err
		}
		err = fault.Field("password", "This e-mail address has a password here already, and it is another one. Give that password, or ask for a new one under \"Forgot password\".")
	}
	return "", err
}

// checkPassword compares a password with a stored hash, throttled per person and network address. hash may be empty.
func (a *Accounts) checkPassword(ctx context.Context, person []byte, hash, pass string, from SignInFrom) (bool, error) {
	address, err := a.addressDoor(ctx, from.IP)
	if err != nil {
		return false, err
	}
	if err := a.knock(ctx, personDoor(person), address); err != nil {
		return false, err
	}
	if len(pass) > 4*password.MaxLength { // bytes of that many characters: no stored password is longer
		return false, nil
	}
	ok, err := a.passwords.Matches(ctx, hash, pass)
	if err != nil || !ok {
		return false, err
	}
	return true, a.forgive(ctx, personDoor(person), address)
}

// credential gives a person's password hash, or "".
func (a *Accounts) credential(ctx context.Context, c db.Conn, person []byte) (string, error) {
	hash, _, err := db.One(ctx, c, func(r db.Scanner) (s string, err error) { return s, r.Scan(&s) },
		`SELECT password_hash FROM credentials WHERE email_key = $1`, person)
	return hash, err
}

// insertCredential stores the hash of a person who had none. When somebody else was faster the whole sign-up fails.
func (a *Accounts) insertCredential(ctx context.Context, tx *db.Tx, person []byte, hash string) error {
	if hash == "" {
		return nil
	}
	n, err := tx.Exec(ctx, `INSERT INTO credentials (email_key, password_hash, changed_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		person, hash, a.now().UnixMilli())
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "This e-mail address got a password a moment ago. Try again with that one.")
	}
	return err
}

func (a *Accounts) setCredential(ctx context.Context, tx *db.Tx, person []byte, hash string) error {
	_, err := tx.Exec(ctx, `INSERT INTO credentials (email_key, password_hash, changed_ms) VALUES ($1, $2, $3)
		ON CONFLICT (email_key) DO UPDATE SET password_hash = excluded.password_hash, changed_ms = excluded.changed_ms`,
		person, hash, a.now().UnixMilli())
	return err
}

func (a *Accounts) insertAcceptance(ctx context.Context, tx *db.Tx, org OrgID, m MemberID) error {
	_, err := tx.Exec(ctx, `INSERT INTO acceptances (org_id, member_id, terms, adult, accepted_ms) VALUES ($1, $2, $3, 1, $4)
		ON CONFLICT DO NOTHING`, org, m, Terms, a.now().UnixMilli())
	return err
}
