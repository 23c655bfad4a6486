package attach

import "parley/calls/ingest"

// Trip breaks work off at the steps for which fn gives an error.
func (a *Attach) Trip(fn func(step string) error) { a.trip = fn }

// Reread packs changes and reads them again.
func Reread(all ...*ingest.Changes) (days []ingest.AgentDay, numbers []int64, err error) {
	var t touched
	for _, c := range all {
		if err := t.add(packTouched(c)); err != nil {
			return nil, nil, err
		}
	}
	for _, n := range t.numbers {
		numbers = append(numbers, int64(n))
	}
	return t.days, numbers, nil
}

// Broken tells whether some bytes are refused.
func Broken(b []byte) bool {
	var t touched
	return t.add(b) != nil
}
