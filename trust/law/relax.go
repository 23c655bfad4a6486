package law

import (
	"slices"

	"parley/platform/civil"
	"parley/platform/fault"
)

// Relaxation is what an administrator puts in the place of a row, answering for it. Whoever takes one writes it to the
// audit log.
type Relaxation struct {
	Place    Place
	Topic    Topic
	Value    string // in the words of the topic's table
	Reason   string
	Citation string // where the law says so
	On       civil.Day
}

// Relaxed gives tables in which the relaxations stand for the rows of their places. Each needs a reason and a citation.
func (t *Tables) Relaxed(all ...Relaxation) (*Tables, error) {
	out := *t
	out.relaxed = slices.Clone(t.relaxed)
	for _, x := range all {
		r := Row{Jurisdiction: x.Place.String(), Topic: x.Topic, Value: x.Value, Conditions: x.Reason, Source: x.Citation,
			SourceKind: "secondary", CheckedOn: x.On, Confidence: Relaxed}
		switch {
		case x.Place.Country == "":
			return nil, fault.Field("place", "A rule can be changed for a place only. Name the country or state.")
		case x.Reason == "":
			return nil, fault.Field("reason", "Write why the rule for %s is changed. It goes into the audit log.", x.Place.name())
		case x.Citation == "":
			return nil, fault.Field("citation", "Write where the law of %s says so. It goes into the audit log.", x.Place.name())
		case x.On == 0:
			return nil, fault.Field("on", "Write the day on which the law of %s was looked at.", x.Place.name())
		case !slices.Contains([]Topic{recordingTopic, hoursTopic, requestTopic, breachTopic}, x.Topic):
			return nil, fault.Field("topic", "%q cannot be changed. Choose recording, hours, request or breach.", x.Topic)
		}
		if err := checkValue(&r); err != nil {
			return nil, fault.Field("value", "%s", fault.Sentence(err))
		}
		out.relaxed = append(out.relaxed, r)
	}
	return &out, nil
}
