package law

import (
	"math/bits"
	"slices"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/at"
	"github.com/rickar/cal/v2/au"
	"github.com/rickar/cal/v2/be"
	"github.com/rickar/cal/v2/bg"
	"github.com/rickar/cal/v2/br"
	"github.com/rickar/cal/v2/ca"
	"github.com/rickar/cal/v2/ch"
	"github.com/rickar/cal/v2/cz"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/dk"
	"github.com/rickar/cal/v2/es"
	"github.com/rickar/cal/v2/fr"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/gr"
	"github.com/rickar/cal/v2/hr"
	"github.com/rickar/cal/v2/ie"
	"github.com/rickar/cal/v2/it"
	"github.com/rickar/cal/v2/jp"
	"github.com/rickar/cal/v2/lt"
	"github.com/rickar/cal/v2/lv"
	"github.com/rickar/cal/v2/nl"
	"github.com/rickar/cal/v2/no"
	"github.com/rickar/cal/v2/nz"
	"github.com/rickar/cal/v2/pl"
	"github.com/rickar/cal/v2/ro"
	"github.com/rickar/cal/v2/se"
	"github.com/rickar/cal/v2/si"
	"github.com/rickar/cal/v2/sk"
	"github.com/rickar/cal/v2/ua"
	"github.com/rickar/cal/v2/us"
	"github.com/rickar/cal/v2/za"

	"parley/account"
	"parley/platform/civil"
)

// holidays lists the public holidays of a country that are known; none for a country whose holidays are not. In India
// three days are the same everywhere; all others are set by each state every year, so they are left to the organisation.
func holidays(country string) []*cal.Holiday {
	switch country {
	case "IN":
		return []*cal.Holiday{
			{Name: "Republic Day", Month: time.January, Day: 26, Func: cal.CalcDayOfMonth},
			{Name: "Independence Day", Month: time.August, Day: 15, Func: cal.CalcDayOfMonth},
			{Name: "Gandhi Jayanti", Month: time.October, Day: 2, Func: cal.CalcDayOfMonth},
		}
	case "AU": // days that every state keeps
		return []*cal.Holiday{au.NewYear, au.AustraliaDay, au.GoodFriday, au.EasterMonday, au.AnzacDay, au.ChristmasDay, au.BoxingDay}
	}
	return map[string][]*cal.Holiday{
		"AT": at.Holidays, "BE": be.Holidays, "BG": bg.Holidays, "BR": br.Holidays, "CA": ca.Holidays, "CH": ch.Holidays, "CZ": cz.Holidays,
		"DE": de.Holidays, "DK": dk.Holidays, "ES": es.Holidays, "FR": fr.Holidays, "GB": gb.Holidays, "GR": gr.Holidays, "HR": hr.Holidays,
		"IE": ie.Holidays, "IT": it.Holidays, "JP": jp.Holidays, "LT": lt.Holidays, "LV": lv.Holidays, "NL": nl.Holidays, "NO": no.Holidays,
		"NZ": nz.Holidays, "PL": pl.Holidays, "RO": ro.Holidays, "SE": se.Holidays, "SI": si.Holidays, "SK": sk.Holidays, "UA": ua.Holidays,
		"US": us.Holidays, "ZA": za.Holidays,
	}[country]
}

// holiday names the public holiday that a day is, or is observed as, in a country; "" for none.
func holiday(country string, day time.Time) string {
	c := cal.Calendar{Holidays: holidays(country)}
	if actual, observed, h := c.IsHoliday(day); actual || observed {
		return h.Name
	}
	return ""
}

// Calendar tells business days: an organisation's working days without the public holidays of its country and without
// the days it names itself.
type Calendar struct {
	zone     *time.Location
	business *cal.BusinessCalendar
	own      []civil.Day
}

// fewest is how many working days a week must have for business days to follow them. An organisation that works on
// Mondays only does not make ten business days of a law ten weeks.
const fewest = 5

// NewCalendar makes the calendar of an organisation in a zone. own are holidays that the country's list does not have.
// An organisation that works on fewer than five days of the week gets Monday to Friday beside its own.
func NewCalendar(country string, workdays account.Weekdays, zone *time.Location, own ...civil.Day) *Calendar {
	b := cal.NewBusinessCalendar()
	if bits.OnesCount(uint(workdays)) < fewest {
		workdays |= account.MondayToFriday
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		b.SetWorkday(d, workdays.Has(d))
	}
	b.AddHoliday(holidays(country)...)
	return &Calendar{zone: zone, business: b, own: own}
}

// IsBusiness tells whether a day is a business day.
func (c *Calendar) IsBusiness(day civil.Day) bool {
	y, m, d := day.Date()
	return c.business.IsWorkday(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) && !slices.Contains(c.own, day)
}

// addBusiness is the n-th business day after a day.
func (c *Calendar) addBusiness(day time.Time, n int) time.Time {
	for n > 0 {
		day = day.AddDate(0, 0, 1)
		if c.IsBusiness(civil.DayOf(day, time.UTC)) {
			n--
		}
	}
	return day
}

// day is the calendar day of t, as midnight in UTC.
func (c *Calendar) day(t time.Time) time.Time {
	y, m, d := t.In(c.zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// endOf is the first instant after a day.
func (c *Calendar) endOf(day time.Time) time.Time {
	return (civil.DayOf(day, time.UTC) + 1).Start(c.zone)
}
