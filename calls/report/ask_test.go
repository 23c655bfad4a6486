package report_test

import (
	"net/url"
	"reflect"
	"testing"

	"parley/calls/report"
	"parley/platform/fault"
)

func TestAnAskIsReadFromItsQuery(t *testing.T) {
	v, err := url.ParseQuery("preset=today&type=Missed,rejected&type=missed&team=tea_1&min_seconds=30&hour_from=22&hour_to=6&excluded=yes&page=7&tag=vip")
	must(t, err)
	got, err := report.AskFromQuery(v)
	must(t, err)
	want := report.Ask{Preset: "today", Types: []string{"missed", "rejected"}, Team: "tea_1", MinSeconds: 30, HourFrom: 22, HourTo: 6, Excluded: true, Tag: "vip"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if text := got.Query().Encode(); text != "excluded=1&hour_from=22&hour_to=6&min_seconds=30&preset=today&tag=vip&team=tea_1&type=missed&type=rejected" {
		t.Errorf("written %s", text)
	}
	for field, text := range map[string]string{"min_seconds": "-3", "hour_to": "noon", "max_seconds": "99999999999999999999", "excluded": "maybe"} {
		_, err := report.AskFromQuery(url.Values{field: {text}})
		refused(t, err, fault.Invalid, field, text)
	}
}

func FuzzAskRoundTrip(f *testing.F) {
	f.Add("from=2026-03-02&to=2026-04-11&agent=mem_1")
	f.Add("preset=today&type=missed,rejected&type=missed&excluded=on&hour_from=22&hour_to=6")
	f.Add("number=%2B91+98123+00101&tag=+a+b+&compare=weekdays&outcome=,,x&source=PHONE")
	f.Add("min_seconds=007&max_seconds=9&line=lin_%00&through=%ff")
	f.Fuzz(func(t *testing.T, query string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		a, err := report.AskFromQuery(v)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid || len(fault.Fields(err)) == 0 {
				t.Errorf("refused without a field: %v", err)
			}
			return
		}
		again, err := report.AskFromQuery(a.Query())
		if err != nil || !reflect.DeepEqual(a, again) {
			t.Errorf("%+v became %+v (%v)", a, again, err)
		}
	})
}
