package policy

import (
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Check reads a text and finds all that is wrong with it.
func Check(text []byte) Findings {
	d, err := Parse(text)
	if err != nil {
		fs, _ := err.(Findings) //nolint:errorlint // Parse gives nothing else
		return fs
	}
	return d.Lint()
}

// Lint finds the traps that policies fall into. A document with findings cannot be published.
func (d *Document) Lint() Findings {
	l := &linter{d: d}
	for _, rule := range []func(){
		l.texts, l.languages, l.controller, l.contacts, l.notice, l.purposes, l.categories, l.retentions, l.recipients,
		l.sharing, l.security, l.deadlines, l.devices, l.cookies, l.regions, l.rights, l.vocabulary,
	} {
		rule()
	}
	return l.found.sorted()
}

// linter collects what the rules find in one document.
type linter struct {
	d     *Document
	found Findings
}

func (l *linter) add(path, rule, promise, reason, mend string) {
	l.found = append(l.found, Finding{l.d.Line(path), rule, promise, reason, mend})
}

// minAge is the youngest that an account may be for.
const minAge = 18

func (l *linter) languages() {
	d := l.d
	if len(d.Languages) == 0 {
		l.add("languages", "language_missing", "P100", "The document names no language.", "Write for example [en, hi].")
	}
	for _, lang := range d.Languages {
		if !slices.Contains(Languages(), lang) {
			l.add("languages", "language_unknown", "P100", sentence("The pages that people read cannot be written in %q by this version.", lang), sentence("Write some of: %s.", quoted(Languages())))
		}
	}
	for path, text := range d.passages() {
		for _, lang := range d.Languages {
			if strings.TrimSpace(text[lang]) == "" {
				l.add(path, "translation_missing", "P100", sentence("%s is not written in %q.", path, lang), sentence("Add it, or take %q out of the languages.", lang))
			}
		}
	}
	if d.Age.Minimum < minAge {
		l.add("age.minimum", "age", "P145", sentence("Accounts are for people of %d or older here.", d.Age.Minimum), sentence("Write at least %d.", minAge))
	}
	if len(d.Laws) == 0 {
		l.add("laws", "law_missing", "P97", "The document names no place whose law applies.", "Write the country codes, for example [\"IN\"].")
	}
	for _, place := range d.Laws {
		if !IsPlace(place) {
			l.add("laws", "law_missing", "P97", sentence("%q is no place.", place), "Write two capital letters, such as \"IN\", or \"EU\".")
		}
	}
}

// IsPlace tells whether a code is a country by ISO 3166-1, or EU.
func IsPlace(code string) bool {
	if code == "EU" {
		return true
	}
	r, err := language.ParseRegion(code)
	return err == nil && len(code) == 2 && r.IsCountry() && r.String() == code
}

func (l *linter) controller() {
	c := l.d.Controller
	if strings.TrimSpace(c.Name) == "" {
		l.add("controller.name", "controller_missing", "P147", "Nobody is named who answers for the data.", "Write the registered name under controller.name.")
	}
	if strings.TrimSpace(c.Address) == "" {
		l.add("controller.address", "controller_missing", "P147", "The address of whoever answers for the data is missing.", "Write the registered office under controller.address.")
	}
	if !IsPlace(c.Country) {
		l.add("controller.country", "controller_missing", "P147", sentence("%q is no country.", c.Country), "Write its two letters, such as \"IN\".")
	}
	india := c.Country == "IN" || slices.Contains(l.d.Laws, "IN")
	if o := c.GrievanceOfficer; india && (strings.TrimSpace(o.Name) == "" || strings.TrimSpace(o.Email) == "") {
		l.add("controller.grievance_officer", "grievance_officer", "P99", "Indian law applies, and no grievance officer is named with an address.", "Write grievance_officer: {name: …, email: …} under controller.")
	}
}

// wholeAddress is what an address of a real server looks like, in any script.
var wholeAddress = regexp.MustCompile(`^[^@\s]+@[\p{L}\p{M}\p{N}.-]+\.[\p{L}\p{M}]{2,}$`)

var addressIn = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}`)

// contacts finds a contact that is missing, cannot be right or contradicts another. Masked ones are found with all text.
func (l *linter) contacts() {
	c := l.d.Controller
	declared := map[string]bool{}
	domain, first := "", ""
	for _, at := range []struct{ path, address string }{
		{"controller.contact", c.Contact}, {"controller.privacy_officer.email", c.PrivacyOfficer.Email}, {"controller.grievance_officer.email", c.GrievanceOfficer.Email},
	} {
		address := strings.TrimSpace(at.address)
		switch a, err := mail.ParseAddress(address); {
		case address == "" && at.path == "controller.contact":
			l.add(at.path, "contact_missing", "P101", "No address is given that people can write to about their data.", "Write an e-mail address under controller.contact.")
		case address == "" || masked.MatchString(address): // the first is as good as not there, the second is found as masked
		case err != nil || a.Address != address || !wholeAddress.MatchString(address):
			l.add(at.path, "contact_invalid", "P101", sentence("%q is no e-mail address.", address), "Write it as name@example.org.")
		default:
			_, its, _ := strings.Cut(strings.ToLower(address), "@")
			if domain == "" {
				domain, first = its, at.path
			} else if its != domain {
				l.add(at.path, "contact_conflict", "P152", sentence("The address is at %s, and %s is at %s. Readers cannot tell which one is right.", its, first, domain), "Use addresses of one domain.")
			}
			declared[strings.ToLower(address)] = true
		}
	}
	for path, text := range l.d.passages() {
		for _, s := range text {
			for _, address := range addressIn.FindAllString(s, -1) {
				if len(declared) > 0 && !declared[strings.ToLower(address)] {
					l.add(path, "contact_conflict", "P152", sentence("The text names %s, which is no contact of this document.", address), "Name the address under controller, or take it out here.")
				}
			}
		}
	}
}

// minNotice is the shortest notice of a change, in days.
const minNotice = 7

func (l *linter) notice() {
	n := l.d.Notice
	if n.MaterialChangeDays < minNotice {
		l.add("notice.material_change_days", "no_notice", "P144", sentence("Material changes would take effect after %d days.", n.MaterialChangeDays), sentence("Write at least %d days.", minNotice))
	}
	for _, c := range []string{"email", "in_app"} {
		if !slices.Contains(n.Channels, c) {
			l.add("notice.channels", "no_notice", "P140", sentence("Changes are not told by %q.", c), "Write [email, in_app]: everybody with an account is told by both.")
		}
	}
	if n.Acceptance != "act" {
		l.add("notice.acceptance", "use_as_acceptance", "P143", sentence("%q would be taken as acceptance of a material change.", n.Acceptance), "Write \"act\": people accept by doing something for it.")
	}
}

// acts are the places where somebody does something to give consent.
func acts() []string {
	return []string{"preference_page", "sign_up", "form", "call_notice", "call_key", "employee_switch", "admin_switch", "letter"}
}

func (l *linter) purposes() {
	for key, p := range l.d.Purposes {
		path := "purposes." + key
		switch {
		case p.Basis == "":
			l.add(path, "basis_missing", "P27", sentence("The purpose %q has no basis in law.", key), sentence("Write basis: and one of %s.", quoted(p.Basis.words())))
		case p.Basis == Consent && !slices.Contains(acts(), p.ConsentPoint):
			reason := sentence("The purpose %q rests on consent, and nobody does anything to give it.", key)
			if p.ConsentPoint != "" {
				reason = sentence("The purpose %q rests on consent, and %q is no act by which somebody gives it.", key, p.ConsentPoint)
			}
			l.add(path+".consent_point", "consent_without_act", "P153", reason, sentence("Write consent_point: and one of %s.", quoted(acts())))
		case p.Basis == LegitimateInterest && len(p.Interest) == 0:
			l.add(path, "interest_missing", "P27", sentence("The purpose %q rests on an interest that is not named.", key), "Write it under interest:, in each language.")
		}
	}
}

// isDevice tells whether a category is something that phones report of themselves beyond what pairing needs.
func isDevice(category string) bool { return strings.HasPrefix(category, "device.") }

// judged are categories on which no decision about a person may rest.
func judged(category string) bool {
	return category == "weblog" || category == "device" || isDevice(category)
}

func (l *linter) categories() {
	d := l.d
	for key, c := range d.Categories {
		path := "categories." + key
		if len(c.Purposes) == 0 {
			l.add(path, "purpose_missing", "P82", sentence("%q is kept for nothing.", key), "Name its purposes, or take the category out.")
		}
		for _, p := range c.Purposes {
			if d.Purposes[p] == nil {
				l.add(path+".purposes", "purpose_unknown", "P27", sentence("%q is used for %q, which is no purpose of this document.", key, p), "Declare the purpose, or take it out here.")
			} else if judged(key) && (p == "profiling" || strings.HasPrefix(d.Purposes[p].Fides, "automated_decisions_or_profiling")) {
				l.add(path+".purposes", "profiling", "P24", sentence("%q would be used to judge people.", key), "Take the purpose out.")
			}
		}
		if c.Special && (c.Basis == "" || c.Basis == LegitimateInterest || c.Basis == Contract) {
			l.add(path+".special_basis", "special_without_basis", "P27", sentence("%q is of a special kind, which the law lets nobody use without a basis of its own.", key), "Write special_basis: consent, legal_obligation or vital_interest.")
		}
		if isDevice(key) && c.Default == On {
			l.add(path+".default", "device_on", "P154", sentence("%q is collected from phones before anybody switched it on.", key), "Write default: \"ask\" or \"off\".")
		}
		if len(c.Subjects) == 0 {
			l.add(path+".subjects", "subject_missing", "P26", sentence("%q is about nobody.", key), "Name whom it is about.")
		}
		for _, s := range c.EraseOn {
			if !slices.Contains(c.Subjects, s) {
				l.add(path+".erase_on", "subject_missing", "P92", sentence("%q ends with the erasure of a %s, whom it is not about.", key, s), "Name one of its subjects.")
			}
		}
	}
}

func (l *linter) retentions() {
	for key, c := range l.d.Categories {
		path, r := "categories."+key+".retention", c.Retention
		if r.From == "" || !r.Max.Said() {
			l.add(path, "retention_missing", "P76", sentence("%q is kept without an end that can be reckoned.", key), "Write retention: {from: …, max: …}, for example {from: last_activity, max: 365d}.")
			continue
		}
		if ceiling := l.d.Deadlines.PlatformLog; r.Ceiling.Said() && ceiling.Said() && ceiling.shorter(r.Ceiling) {
			l.add(path+".ceiling", "ceiling", "P78", sentence("%q may be kept for %s, longer than the %s that logs are kept at most.", key, r.Ceiling, ceiling), "Shorten it.")
		}
		for place, f := range r.Floor {
			at := path + ".floor." + place
			if strings.TrimSpace(f.Cite) == "" {
				l.add(at, "floor_without_citation", "P81", sentence("%q must be kept for %s, and no law is named that says so.", key, f.Min), "Name it under cite:, or take the floor out.")
			}
			if !IsPlace(place) {
				l.add(at, "law_missing", "P97", sentence("%q is no place.", place), "Write two capital letters, such as \"IN\", or \"EU\".")
			}
			if r.Max.shorter(f.Min, r.Archive) {
				l.add(path+".max", "ceiling_below_floor", "P81", sentence("%q ends after %s, and must be kept for %s in %s.", key, r.Max, f.Min, place), "Raise max, or lower the floor if the law allows it.")
			}
			if r.Ceiling.Said() && r.Ceiling.shorter(f.Min) {
				l.add(path+".ceiling", "ceiling_below_floor", "P81", sentence("%q ends after %s, and must be kept for %s in %s.", key, r.Ceiling, f.Min, place), "Raise the ceiling, or lower the floor if the law allows it.")
			}
		}
	}
}

func (l *linter) recipients() {
	d := l.d
	for key, r := range d.Recipients {
		path := "recipients." + key
		if r.Contract.IsZero() {
			l.add(path, "recipient_contract", "P124", sentence("No contract binds %s, or its date is not named.", r.LegalName), "Write contract: and the date of signing.")
		}
		if u, err := url.Parse(r.PolicyURL); err != nil || u.Scheme != "https" || u.Host == "" {
			l.add(path+".policy_url", "recipient_policy", "P136", sentence("Readers cannot look up what %s does with the data.", r.LegalName), "Write policy_url: and the https address of its privacy policy.")
		}
		switch {
		case !IsPlace(r.Country):
			l.add(path+".country", "recipient_transfer", "P138", sentence("%q is no country.", r.Country), "Write its two letters, such as \"IN\".")
		case r.Country != d.Controller.Country && !slices.Contains(mechanisms(), r.Mechanism):
			l.add(path, "recipient_transfer", "P138", sentence("Data goes to %s in %s, and nothing is named that allows that.", r.LegalName, r.Country), sentence("Write mechanism: and one of %s.", quoted(mechanisms())))
		}
		if IsPlace(r.Country) && !slices.Contains(d.Regions.Allowed, r.Country) {
			l.add(path+".country", "region", "P137", sentence("Data goes to %s, which is not among the regions that are allowed.", r.Country), "Add it to regions.allowed, or choose another recipient.")
		}
		if r.Kind == Sale {
			l.add(path+".kind", "sale", "P122", sentence("Data would be sold to %s.", r.LegalName), "Take the recipient out.")
		}
		for _, h := range r.Hosts {
			if !hostForm.MatchString(h) {
				l.add(path+".hosts", "recipient_host", "P122", sentence("%q is not the name of one server.", h), "Write each name out, without * and without https://.")
			}
		}
		if len(r.Hosts) == 0 {
			l.add(path+".hosts", "recipient_host", "P126", sentence("No server of %s is named, so nothing could be sent there.", r.LegalName), "Name its servers under hosts.")
		}
	}
}

var hostForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$|^localhost$`)

// mechanisms are what allows data to go abroad.
func mechanisms() []string {
	return []string{"adequacy", "SCC", "BCR", "IDTA", "DPF", "consent", "contract", "law"}
}

// sharing compares what recipients say with what categories say.
func (l *linter) sharing() {
	d := l.d
	for key, r := range d.Recipients {
		path := "recipients." + key
		for _, p := range r.Purposes {
			if d.Purposes[p] == nil {
				l.add(path+".purposes", "purpose_unknown", "P125", sentence("%q is no purpose of this document.", p), "Declare the purpose, or take it out here.")
			} else if r.Kind == Marketer && d.Purposes[p].Basis != Consent {
				l.add(path+".purposes", "marketing_without_consent", "P123", sentence("%s would market with the data, and the purpose %q does not rest on consent.", r.LegalName, p), "Name purposes that rest on consent.")
			}
		}
		for _, name := range r.Categories {
			c := d.Categories[name]
			switch {
			case c == nil:
				l.add(path+".categories", "recipient_category", "P125", sentence("%q is no category of this document.", name), "Declare the category, or take it out here.")
			case c.NeverShare:
				l.add(path+".categories", "never_share", "P134", sentence("%q is never shared, and %s would get it.", name, r.LegalName), "Take the category out here.")
			case !slices.Contains(c.Recipients, key):
				l.add(path+".categories", "recipient_category", "P126", sentence("%s gets %q, and the category does not say so.", r.LegalName, name), sentence("Add %q to the recipients of %q.", key, name))
			case !slices.ContainsFunc(r.Purposes, func(p string) bool { return d.Allows(p, name) }):
				l.add(path+".purposes", "recipient_category", "P125", sentence("%s gets %q for none of the purposes that the category allows.", r.LegalName, name), "Name one of them, or take the category out here.")
			}
		}
		for _, f := range r.Fields {
			category, field, _ := strings.Cut(f, "/")
			if c := d.Categories[category]; c == nil || c.Fields[field] == nil || !slices.Contains(r.Categories, category) {
				l.add(path+".fields", "recipient_field", "P125", sentence("%q is no field of a category that %s gets.", f, r.LegalName), "Write category/field, as the category names it.")
			}
		}
	}
	for name, c := range d.Categories {
		for _, key := range c.Recipients {
			if r := d.Recipients[key]; r == nil || !slices.Contains(r.Categories, name) {
				l.add("categories."+name+".recipients", "recipient_category", "P126", sentence("%q goes to %q, and no recipient of that name gets it.", name, key), "Declare the recipient with this category, or take it out here.")
			}
		}
	}
}
