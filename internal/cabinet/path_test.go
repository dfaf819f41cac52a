package cabinet

import (
	"strings"
	"testing"
	"time"

	"senim/internal/ra"
)

// The path names who has an application now, for every kind and state.
func TestPathOfAnApplication(t *testing.T) {
	signed := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	approved := []ra.Approval{{At: signed.Add(time.Hour)}}
	for _, c := range []struct {
		name, bin, role string
		state           ra.State
		signed          time.Time
		approvals       []ra.Approval
		want            string
	}{
		{"a person's draft", "", ra.RoleIndividual, ra.Draft, time.Time{}, nil, "applicant:now authority:later owner:later"},
		{"a person's, being issued", "", ra.RoleIndividual, ra.Approved, signed, nil, "applicant:done authority:now owner:later"},
		{"a person's, to be installed", "", ra.RoleIndividual, ra.Issued, signed, nil, "applicant:done authority:done owner:now"},
		{"a person's, at the end", "", ra.RoleIndividual, ra.Installed, signed, nil, "applicant:done authority:done owner:done"},
		{"a person's, rejected", "", ra.RoleIndividual, ra.Rejected, signed, nil, "applicant:done authority:stop"},
		{"the head's, registry silent", "X", ra.RoleHead, ra.Signed, signed, nil, "applicant:done registry:now authority:later owner:later"},
		{"the head's, to the desk", "X", ra.RoleHead, ra.AwaitingDesk, signed, nil, "applicant:done registry:done desk:now authority:later owner:later"},
		{"the head's, approved", "X", ra.RoleHead, ra.Approved, signed, nil, "applicant:done registry:done authority:now owner:later"},
		{"an employee's, waiting", "X", ra.RoleHR, ra.AwaitingDirector, signed, nil, "applicant:done registry:done head:now authority:later owner:later"},
		{"an employee's, confirmed", "X", ra.RoleHR, ra.Approved, signed, approved, "applicant:done registry:done head:done authority:now owner:later"},
		{"an employee's, rejected", "X", ra.RoleHR, ra.Rejected, signed, nil, "applicant:done registry:done head:stop"},
		{"an employee's, expired", "X", ra.RoleHR, ra.Expired, signed, nil, "applicant:done registry:done head:stop"},
		{"an employee's, rejected after the head", "X", ra.RoleHR, ra.Rejected, signed, approved, "applicant:done registry:done head:done authority:stop"},
		{"an employee's, withdrawn", "X", ra.RoleHR, ra.Withdrawn, signed, approved, "applicant:stop"},
	} {
		var got []string
		for _, s := range pathOf(ra.Application{State: c.state, Role: c.role, Subject: ra.Subject{BIN: c.bin}, SignedAt: c.signed, Approvals: c.approvals}) {
			got = append(got, s.Who+":"+s.State)
			if (s.State == "now" || s.State == "later") && !s.At.IsZero() {
				t.Errorf("%s: %s has a moment before it is passed", c.name, s.Who)
			}
		}
		if all := strings.Join(got, " "); all != c.want {
			t.Errorf("%s: %s, want %s", c.name, all, c.want)
		}
	}
}
