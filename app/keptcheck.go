package app

import (
	"context"
	"time"

	"parley/platform/fault"
)

// late is how long after its day an organisation that was to be closed may still be there.
const late = 24 * time.Hour

// checkRetention tells whether anything is kept longer than a policy says, or a person must decide about it.
func checkRetention(ctx context.Context, r *Run) finding {
	const name = "retention"
	orgs, err := r.p.Accounts.Orgs(ctx)
	if err != nil {
		return failed(name, err)
	}
	alarms := 0
	for _, org := range orgs {
		if org.Closing() && r.p.Now().Sub(org.ClosesAt) > late {
			return failed(name, fault.New(fault.Conflict, "Organisation %d was to be closed on %s and is still there. Look into the server's log; a legal hold may keep it.", org.ID, dayIn(org, org.ClosesAt)))
		}
		st, err := r.p.Retain.Status(ctx, org.ID)
		if err != nil {
			return failed(name, err)
		}
		alarms += len(st.Alarms)
	}
	if alarms > 0 {
		return warning(name, "%d things wait for a person. See \"parley retain status\".", alarms)
	}
	return ok(name, "nothing waits for a person")
}

// checkIncidents tells whether a clock of an incident ran out while nobody was told.
func checkIncidents(ctx context.Context, r *Run) finding {
	const name = "incidents"
	n, err := r.p.Incidents.Overdue(ctx)
	if err != nil {
		return failed(name, err)
	}
	if n > 0 {
		return failed(name, fault.New(fault.Conflict, "%d clocks of incidents ran out while nobody was told. See \"parley incident list\".", n))
	}
	return ok(name, "no clock of an incident has run out")
}
