package field

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

func digits(n int) string { return strconv.Itoa(n) }

// Check gives the canonical values of fields by their keys, without empty ones, or a sentence about the field that is wrong.
// Values of fields that are not in defs are refused.
func Check(defs []Def, values map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for _, d := range defs {
		value, err := canonical(d, values[d.Key])
		if err != nil {
			return nil, err
		}
		if value != "" {
			out[d.Key] = value
		} else if d.Required {
			return nil, refuse(d, "%s is missing.", d.Title)
		}
	}
	for key, value := range values {
		if value != "" && !slices.ContainsFunc(defs, func(d Def) bool { return d.Key == key }) {
			return nil, refuse(Def{Key: key}, "There is no field %q. Add it to the own fields first.", key)
		}
	}
	return out, nil
}

// canonical is one value in its canonical form.
func canonical(d Def, value string) (string, error) {
	value = strings.TrimSpace(strings.ToValidUTF8(value, ""))
	if value == "" {
		return "", nil
	}
	switch d.Kind {
	case Number:
		return number(d, value)
	case Date:
		return date(d, value)
	case Choice:
		for _, c := range d.Choices {
			if strings.EqualFold(c, value) {
				return c, nil
			}
		}
		return "", refuse(d, "%q is no choice of %s. Choose one of: %s.", value, d.Title, strings.Join(d.Choices, ", "))
	case YesNo:
		switch strings.ToLower(value) {
		case "yes", "y", "true", "1", "हाँ", "हां":
			return "yes", nil
		case "no", "n", "false", "0", "नहीं":
			return "no", nil
		}
		return "", refuse(d, "%q is neither yes nor no. Write yes or no for %s.", value, d.Title)
	default:
		return value, longest(d, value)
	}
}

func number(d Def, value string) (string, error) {
	plain := strings.NewReplacer(",", "", " ", "", "\u00a0", "", "\u202f", "").Replace(value)
	f, err := strconv.ParseFloat(plain, 64)
	if err != nil || f > 1e15 || f < -1e15 {
		return "", refuse(d, "%q is not a number. Write %s with digits and a point, such as 12.5.", value, d.Title)
	}
	return strconv.FormatFloat(f, 'f', -1, 64), nil
}

func date(d Def, value string) (string, error) {
	for _, form := range []string{time.DateOnly, "2006/01/02", "2006-01-02T15:04:05Z07:00"} {
		if t, err := time.Parse(form, value); err == nil && t.Year() >= 1900 && t.Year() < 2200 {
			return t.Format(time.DateOnly), nil
		}
	}
	return "", refuse(d, "%q is not a day. Write %s as year, month and day: 2026-03-02.", value, d.Title)
}
