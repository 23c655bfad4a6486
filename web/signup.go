package web

import (
	"parley/account"
	"parley/platform/fault"
	"parley/web/region"
	"parley/web/ui"
)

// signUpRoutes open an organisation, and greet its owner.
func (s *site) signUpRoutes() []route {
	return []route{
		{"GET /sign-up", Public, signUpForm},
		{"POST /sign-up", Public, signUp},
		{"GET /welcome", SignedIn, welcome},
	}
}

// signUpForm shows the form with what a browser tells already: language and perhaps country.
func signUpForm(v *visit) error {
	if err := v.signUpOpen(); err != nil {
		return err
	}
	country := region.Guess(v.r.Header.Get("Accept-Language"))
	if country == "" {
		country = "IN"
	}
	return v.render("sign-up", v.signUpPage(account.SignUp{
		Country: country, Zone: region.MainZone(country), Workdays: account.MondayToFriday, WorkFrom: 9 * 60, WorkTo: 18 * 60,
	}))
}

func (v *visit) signUpOpen() error {
	if v.SignUp {
		return nil
	}
	return fault.New(fault.Denied, "New organisations are not opened here by everybody. Ask whoever runs this server to make one for you.")
}

func (v *visit) signUpPage(s account.SignUp) *form {
	p := &form{Frame: v.bare(v.t("sign_up.title")), Submit: v.t("sign_up.submit"), Files: true}
	p.Wide, p.Lead = true, v.words.Rich("sign_up.lead")
	p.Sections = []section{
		{Title: v.t("sign_up.organisation"), Fields: []ui.Field{
			{Name: "name", Label: v.t("org.name"), Value: s.Company, Complete: "organization", Focus: true},
			{Name: "industry", Label: v.t("org.industry"), Help: v.t("org.industry.help"), Value: s.Industry, Optional: true, Size: "medium"},
			countryField(v.words, s.Country),
			zoneField(v.words, s.Zone, v.Now()),
			v.logoField(),
		}},
		{Title: v.t("sign_up.you"), Fields: []ui.Field{
			{Name: "contact_name", Label: v.t("sign_up.name"), Value: s.ContactName, Complete: "name"},
			{Name: "contact_phone", Label: v.t("org.contact_phone"), Type: "tel", Value: s.ContactPhone, Optional: true, Complete: "tel", Size: "medium"},
			{Name: "email", Label: v.t("sign_in.email"), Help: v.t("sign_up.email.help"), Type: "email", Value: s.Email, Complete: "username"},
			v.newPassword("password", "sign_in.password"),
		}},
		{Title: v.t("org.hours"), Text: v.t("org.hours.help"), Fields: v.hoursFields(s.Workdays, s.WorkFrom, s.WorkTo)},
		{Title: v.t("sign_up.consent"), Text: v.t("sign_up.consent.text"), Link: v.termsLink(), Fields: v.consentFields(s.AcceptTerms, s.Adult)},
	}
	return p
}

func (v *visit) logoField() ui.Field {
	return ui.Field{Name: "logo", Label: v.t("org.logo"), Help: v.t("org.logo.help", "Most", account.MaxLogo>>10), Type: "file", Accept: "image/png,image/jpeg,image/webp", Optional: true}
}

func (v *visit) hoursFields(days account.Weekdays, from, to int) []ui.Field {
	return []ui.Field{
		weekdaysField(v.words, "workdays", v.t("org.workdays"), days),
		{Name: "work_from", Label: v.t("org.work_from"), Type: "time", Value: clockField(from), Size: "short"},
		{Name: "work_to", Label: v.t("org.work_to"), Type: "time", Value: clockField(to), Size: "short"},
	}
}

func (v *visit) termsLink() *ui.Link {
	return &ui.Link{Title: v.t("sign_up.read_terms"), Href: "/terms"}
}

// consentFields ask for the two confirmations of everybody who joins.
func (v *visit) consentFields(terms, adult bool) []ui.Field {
	return []ui.Field{
		{Name: "accept_terms", Label: v.t("sign_up.terms", "Version", account.Terms), Type: "check", Checked: terms},
		{Name: "adult", Label: v.t("sign_up.adult"), Type: "check", Checked: adult},
	}
}

// readSignUp reads the form; the error is about fields that the form itself could not read.
func (v *visit) readSignUp() (account.SignUp, error) {
	if err := v.readFiles(account.MaxLogo); err != nil {
		return account.SignUp{}, err
	}
	s := account.SignUp{
		Company: v.form("name"), ContactName: v.form("contact_name"), ContactPhone: v.form("contact_phone"), Email: v.form("email"),
		Password: v.typed("password"), Industry: v.form("industry"), Country: v.form("country"), Zone: v.form("zone"),
		Locale: v.words.Lang(), Workdays: v.weekdays("workdays"), AcceptTerms: v.checked("accept_terms"), Adult: v.checked("adult"), From: from(v.r),
	}
	var errs [4]error
	s.WorkFrom, errs[0] = v.time("work_from", false)
	s.WorkTo, errs[1] = v.time("work_to", true)
	s.Logo, errs[2] = v.file("logo", account.MaxLogo)
	if s.Workdays == 0 {
		errs[3] = fault.Field("workdays", "Choose at least one working day.")
	}
	return s, fault.Join(errs[:]...)
}

func signUp(v *visit) error {
	if err := v.signUpOpen(); err != nil {
		return err
	}
	s, err := v.readSignUp()
	if err == nil {
		_, _, err = v.Accounts.SignUp(v.ctx(), s)
	}
	if err != nil {
		return v.again("sign-up", v.signUpPage(s), err)
	}
	_, secret, err := v.Accounts.SignIn(v.ctx(), s.Email, s.Password, s.From)
	if err != nil {
		return err
	}
	v.startSession(secret)
	return v.to("/welcome")
}

// welcomePage leads a new organisation to its first report.
type welcomePage struct {
	ui.Frame
	Steps []step
}

// step is one thing to do, in the order of its use.
type step struct {
	Title, Text string
	Action      ui.Action
}

func welcome(v *visit) error {
	p := &welcomePage{Frame: v.frame(v.t("welcome.title", "Name", v.org().Name))}
	p.Lead = v.words.Rich("welcome.lead")
	for _, s := range []struct {
		key, path, icon string
		needs           account.Permission
	}{
		{"import", "/imports", "import", account.ImportCalls},
		{"agents", "/people/add", "agents", account.ManagePeople},
		{"devices", "/devices", "device", account.ReadDevices},
		{"settings", "/settings", "settings", account.ManageSettings},
		{"me", "/me", "user", account.ReadOwn},
	} {
		if v.actor.Can(s.needs) {
			p.Steps = append(p.Steps, step{Title: v.t("welcome." + s.key), Text: v.t("welcome." + s.key + ".text"),
				Action: ui.Action{Title: v.t("welcome." + s.key + ".go"), Href: s.path, Icon: s.icon, Primary: len(p.Steps) == 0}})
		}
	}
	return v.render("welcome", p)
}
