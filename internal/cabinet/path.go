package cabinet

import (
	"time"

	"senim/internal/ra"
	"senim/internal/web"
)

// stage is one station on the way of an application.
type stage struct {
	// Who is the word of the station in the catalogue.
	Who string
	// State is "done", "now", "later" or "stop".
	State string
	// At is when it was passed; zero when not known or not yet.
	At time.Time
	// Note is a key of the catalogue with more; empty for none.
	Note string
}

// pathOf says who had an application, who has it now, and who is to have it (interface.md).
func pathOf(a ra.Application) []stage {
	all := []stage{{Who: "applicant", At: a.SignedAt}}
	at := map[ra.State]int{ra.Draft: 0}
	add := func(s stage, states ...ra.State) {
		for _, one := range states {
			at[one] = len(all)
		}
		all = append(all, s)
	}
	if a.Subject.BIN != "" {
		add(stage{Who: "registry"}, ra.Signed)
	}
	switch {
	case a.State == ra.AwaitingDesk:
		add(stage{Who: "desk"}, ra.AwaitingDesk)
	case a.Subject.BIN != "" && a.Role != ra.RoleHead:
		add(headStage(a), ra.AwaitingDirector)
	}
	add(stage{Who: "authority"}, ra.Approved)
	if a.Subject.BIN == "" {
		at[ra.Signed] = len(all) - 1
	}
	if len(a.Certificates) > 0 {
		all[len(all)-1].At = a.Certificates[0].NotBefore
	}
	add(stage{Who: "owner", At: a.InstalledAt}, ra.Issued)
	now, running := at[a.State]
	if a.State == ra.Installed {
		now, running = len(all), true
	}
	if !running {
		return ended(all, a)
	}
	for i := range all {
		switch {
		case i < now:
			all[i].State = "done"
		case i == now:
			all[i].State, all[i].At = "now", time.Time{}
		default:
			all[i].State, all[i].At = "later", time.Time{}
		}
	}
	return all
}

func headStage(a ra.Application) stage {
	s := stage{Who: "head"}
	if n := len(a.Approvals); n > 0 {
		s.At, s.Note = a.Approvals[n-1].At, "confirm.path.by_head"
		if a.Approvals[n-1].Delegation != "" {
			s.Note = "confirm.path.by_delegate"
		}
	}
	return s
}

// ended cuts the way where a rejected, expired or withdrawn application stopped.
func ended(all []stage, a ra.Application) []stage {
	last := 0
	for i, s := range all {
		switch {
		case a.State == ra.Withdrawn:
		case s.Who == "registry" && !a.SignedAt.IsZero(), s.Who == "head":
			last = i
		case s.Who == "authority" && a.Subject.BIN == "" && !a.SignedAt.IsZero():
			last = i
		}
	}
	if len(a.Approvals) > 0 && a.State != ra.Withdrawn { // it went past its head
		last = len(all) - 2
	}
	for i := range all[:last] {
		all[i].State = "done"
	}
	all[last].State, all[last].At = "stop", a.Changed
	return all[:last+1]
}

func stageKind(s stage) string {
	switch s.State {
	case "done":
		return "good"
	case "now":
		return "soon"
	case "stop":
		return "stop"
	}
	return ""
}

// legalRole is the role asked for, where there is a choice of roles.
func legalRole(r *web.Request, a ra.Application) string {
	if a.Subject.BIN == "" {
		return ""
	}
	return r.T(roleKey(a.Role))
}
