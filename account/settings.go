package account

import (
	"time"

	"golang.org/x/text/language"

	"parley/platform/fault"
)

// OrgSettings is what an organisation may change about itself. Zero values of Locale, Workdays, the hours,
// ConnectedFrom and GapMinutes stand for the usual ones (en, Monday to Friday, 9:00 to 18:00, 1 second, 15 minutes).
type OrgSettings struct {
	Name, Country, Zone              string
	ContactName, ContactPhone, Email string
	Industry, Locale                 string
	Workdays                         Weekdays
	WorkFrom, WorkTo                 int
	ConnectedFrom, GapMinutes        int
}

// Settings gives the organisation's settings as they are, to be changed and given to UpdateOrg.
func (o *Org) Settings() OrgSettings {
	return OrgSettings{
		Name: o.Name, Country: o.Country, Zone: o.Zone, ContactName: o.ContactName, ContactPhone: o.ContactPhone,
		Email: o.Email, Industry: o.Industry, Locale: o.Locale, Workdays: o.Workdays, WorkFrom: o.WorkFrom, WorkTo: o.WorkTo,
		ConnectedFrom: o.ConnectedFrom, GapMinutes: o.GapMinutes,
	}
}

const (
	dayMinutes       = 24 * 60
	maxConnectedFrom = 600
	maxGapMinutes    = 240
)

// tidy checks the settings, trims them and fills in the usual values.
func (s OrgSettings) tidy() (OrgSettings, error) {
	var errs [10]error
	s.Name, errs[0] = cleanName("name", "The organisation's name", s.Name)
	s.ContactName, errs[1] = cleanText("contact_name", "The contact person's name", s.ContactName)
	s.ContactPhone, errs[2] = cleanText("contact_phone", "The contact number", s.ContactPhone)
	s.Industry, errs[3] = cleanText("industry", "The industry", s.Industry)
	if s.Email != "" {
		s.Email, errs[4] = parseEmail("email", s.Email)
	}
	s.Country, errs[5] = readCountry(s.Country)
	errs[6] = checkZone(s.Zone)
	s.Locale, errs[7] = readLocale(s.Locale)
	s, errs[8] = s.tidyHours()
	s, errs[9] = s.tidyThresholds()
	return s, fault.Join(errs[:]...)
}

func readCountry(country string) (string, error) {
	r, err := language.ParseRegion(country)
	if err != nil || !r.IsCountry() || len(country) != 2 {
		return "", fault.Field("country", "%q is not a country. Write its two letters, for example IN, DE or US.", country)
	}
	return r.String(), nil
}

func checkZone(zone string) error {
	if _, err := time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
		return fault.Field("zone", "%q is not a time zone. Write its name in the time zone database, for example Asia/Kolkata or Europe/Berlin.", zone)
	}
	return nil
}

func readLocale(locale string) (string, error) {
	if locale == "" {
		return "en", nil
	}
	tag, err := language.Parse(locale)
	if err != nil {
		return "", fault.Field("locale", "%q is not a language. Write its code, for example en or hi.", locale)
	}
	return tag.String(), nil
}

func (s OrgSettings) tidyHours() (OrgSettings, error) {
	if s.Workdays == 0 {
		s.Workdays = MondayToFriday
	}
	if s.WorkFrom == 0 && s.WorkTo == 0 {
		s.WorkFrom, s.WorkTo = 9*60, 18*60
	}
	if s.Workdays > 0b1111111 {
		return s, fault.Field("workdays", "The working days are not days of the week.")
	}
	if s.WorkFrom < 0 || s.WorkFrom >= s.WorkTo || s.WorkTo > dayMinutes {
		return s, fault.Field("work_from", "The working hours must begin before they end, on the same day. Change one of them.")
	}
	return s, nil
}

func (s OrgSettings) tidyThresholds() (OrgSettings, error) {
	if s.ConnectedFrom == 0 {
		s.ConnectedFrom = 1
	}
	if s.GapMinutes == 0 {
		s.GapMinutes = 15
	}
	if s.ConnectedFrom < 1 || s.ConnectedFrom > maxConnectedFrom {
		return s, fault.Field("connected_from", "A call can count as connected from 1 to %d seconds of talk; %d is outside.", maxConnectedFrom, s.ConnectedFrom)
	}
	if s.GapMinutes < 1 || s.GapMinutes > maxGapMinutes {
		return s, fault.Field("gap_minutes", "A pause within active time can last 1 to %d minutes; %d is outside.", maxGapMinutes, s.GapMinutes)
	}
	return s, nil
}
