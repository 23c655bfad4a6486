package lead

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"

	"parley/account"
	"parley/platform/fault"
)

// Money is an amount in the currency's minor unit.
type Money struct {
	Currency string // ISO 4217
	Amount   int64
}

// MinorDigits is how many digits the minor unit of a currency has after the point: 2 for INR, 0 for JPY (ISO 4217, as CLDR
// has it). A currency that is not known has 2.
func MinorDigits(code string) int {
	unit, err := currency.ParseISO(code)
	if err != nil {
		return 2
	}
	digits, _ := currency.Standard.Rounding(unit)
	return digits
}

// parseCurrency reads the code of a currency in any case; "" stays so.
func parseCurrency(field, code string) (string, error) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if code == "" {
		return "", nil
	}
	if _, err := currency.ParseISO(code); err != nil {
		return "", fault.Field(field, "%q is no currency. Write its code of three letters, such as INR or EUR.", code)
	}
	return code, nil
}

// CurrencyOf is what a lead's value is in when nobody says so: the pipeline's currency, else that of the organisation's
// country.
func (s *Leads) CurrencyOf(p *Pipeline, org *account.Org) string {
	if p.Currency != "" {
		return p.Currency
	}
	if region, err := language.ParseRegion(org.Country); err == nil {
		if unit, ok := currency.FromRegion(region); ok {
			return unit.String()
		}
	}
	return "USD"
}

// sums adds up by currency, the codes in order. Leads without a value are left out.
func sums(all map[string]int64) []Money {
	var out []Money
	for code, n := range all {
		if n != 0 {
			out = append(out, Money{code, n})
		}
	}
	slices.SortFunc(out, func(a, b Money) int { return cmp.Compare(a.Currency, b.Currency) })
	return out
}
