package portal

import (
	"net/http"
	"strconv"

	"senim/internal/registry"
	"senim/internal/web"
)

// statusPath is where the loads of the registries are shown, to anybody.
const statusPath = "/registry-status"

// registryStatus shows of every source the last load, the next, and whether it is late.
func (s *site) registryStatus(w http.ResponseWriter, r *web.Request) error {
	if s.registries == nil {
		return web.ErrNotFound
	}
	all, err := s.registries.Sources(r.Context())
	if err != nil {
		return err
	}
	return r.OK(w, registryStatusPage(r, all))
}

// sourceRows says how a source does.
func sourceRows(r *web.Request, s registry.SourceState) []web.Row {
	next := r.T("registry.status.none")
	if !s.Next.IsZero() {
		next = web.Slot(r, s.Next)
	}
	if !s.Loaded() {
		return []web.Row{{Label: r.T("registry.status.last"), Value: r.T("registry.status.never")}, {Label: r.T("registry.status.next"), Value: next}}
	}
	rows := "registry.status.delta"
	if s.Last.Full {
		rows = "registry.status.full"
	}
	state := r.T("registry.status.ontime")
	if s.Missed > 0 {
		state = r.T("registry.status.delayed", "date", web.Slot(r, s.Expected))
	}
	return []web.Row{
		{Label: r.T("registry.status.last"), Value: r.T("registry.status.last_value", "load", strconv.FormatInt(s.Last.Number, 10),
			"received", r.DateTime(s.Last.Received), "date", r.DateTime(s.Last.AsOf))},
		{Label: r.T("registry.status.state"), Value: state},
		{Label: r.T("registry.status.rows"), Value: r.T(rows, "n", strconv.Itoa(s.Last.Entities+s.Last.Leaders+s.Last.Persons))},
		{Label: r.T("registry.status.next"), Value: next},
	}
}
