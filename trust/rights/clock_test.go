package rights_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/fault"
	"parley/trust/law"
	"parley/trust/policy"
	"parley/trust/rights"
)

func TestClocksPerLaw(t *testing.T) {
	tables, err := law.Load()
	must(t, err)
	d, err := policy.Shipped()
	must(t, err)
	org := &account.Org{ID: 1, Country: "IN", Zone: "Asia/Kolkata", Workdays: account.MondayToFriday}
	monday := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	longer := *d
	longer.Deadlines.Answer, longer.Deadlines.Grievance = policy.Period{N: 120, Unit: policy.Days}, policy.Period{N: 120, Unit: policy.Days}
	for _, c := range []struct {
		d           *policy.Document
		kind        rights.Kind
		place       string
		minor       bool
		due, extend string
		law         string
	}{
		{d, rights.Erasure, "IN", false, "2026-03-11", "", "policy"},           // 7 business days
		{d, rights.Erasure, "DE", false, "2026-03-11", "2026-06-02", "policy"}, // the promise is shorter; the law lets it be extended
		{d, rights.Erasure, "IN", true, "2026-03-02", "", "policy"},            // a child: at once
		{d, rights.Access, "", false, "2026-03-17", "", "strictest"},           // the promise is as long as the strictest law
		{&longer, rights.Access, "", false, "2026-03-17", "", "strictest"},     // Brazil's
		{&longer, rights.Access, "DE", false, "2026-04-02", "2026-06-02", "GDPR"},
		{&longer, rights.Access, "US-CA", false, "2026-04-16", "2026-05-31", "US-CA"},
		{&longer, rights.Access, "BR", false, "2026-03-17", "", "BR"},
		{&longer, rights.Access, "CA", false, "2026-03-17", "", "strictest"}, // unverified
		{&longer, rights.Objection, "US-CA", false, "2026-03-23", "", "US-CA"},
		{d, rights.Complaint, "IN", false, "2026-04-01", "", "policy"},
	} {
		got, err := rights.ClockOf(tables, c.d, org, rights.Question{Kind: c.kind, Place: c.place, Minor: c.minor, Received: monday})
		must(t, err)
		day := func(at time.Time) string {
			if at.IsZero() {
				return ""
			}
			return at.In(org.Location()).Add(-time.Minute).Format(time.DateOnly)
		}
		if day(got.Due) != c.due || !strings.Contains(got.Law, c.law) || c.extend != "" && day(got.Extend) != c.extend {
			t.Errorf("%s in %q: due %s, extended %s, by %q; want %s, %s, %q", c.kind, c.place, day(got.Due), day(got.Extend), got.Law, c.due, c.extend, c.law)
		}
	}
	_, err = rights.ClockOf(tables, d, org, rights.Question{Kind: rights.Access, Place: "the moon", Received: monday})
	refused(t, err, fault.Invalid, "no place")
}

func TestWhatRequestsNeedOfThePolicy(t *testing.T) {
	d, err := policy.Default(policy.Facts{Country: "IN"})
	must(t, err)
	p, err := rights.PolicyOf(&policy.Version{Number: 2, Hash: "x", Document: d})
	must(t, err)
	if !slices.Contains(p.Objectable, "marketing") || slices.Contains(p.Objectable, "call_ops") || slices.Contains(p.Objectable, "security") || !slices.Contains(p.Objectable, "reports") || slices.Contains(p.Consented, "reports") || !slices.Contains(p.Consented, "marketing") {
		t.Errorf("people may object to %v", p.Objectable)
	}
	var facts struct {
		Categories []struct {
			Category string
			Purposes map[string]string
			Kept     string
		}
	}
	must(t, json.Unmarshal(p.Facts, &facts))
	if len(facts.Categories) != len(d.Categories) || !strings.Contains(string(p.Facts), `"call.meta"`) || !strings.Contains(string(p.Facts), `"contract"`) {
		t.Errorf("the package says %s", p.Facts)
	}
	// The Indian floor of a year, once it is in force.
	newest := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	lock, ok := rights.FloorOf(d, "call.meta", newest, time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC))
	if !ok || !lock.Until.Equal(newest.AddDate(0, 0, 365)) || !strings.Contains(lock.Law, "8(3)") {
		t.Errorf("the floor is %+v, %v", lock, ok)
	}
	if lock, ok = rights.FloorOf(d, "call.meta", newest, newest); ok {
		t.Errorf("a law that is not in force keeps until %s", lock.Until)
	}
}
