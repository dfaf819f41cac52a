package web

import (
	"context"
	"strings"

	"senim/internal/registry"
)

// Registries tells how the sources of registries do; a registry.Watch is one.
type Registries interface {
	Sources(ctx context.Context) ([]registry.SourceState, error)
	Late(ctx context.Context) ([]registry.SourceState, error)
}

// LateNotice is said above every page while loads are missing; page is where more stands, on this site,
// or empty. Nil registries say nothing.
func LateNotice(r *Request, all Registries, page string) (Notice, error) {
	if all == nil {
		return Notice{}, nil
	}
	late, err := all.Late(r.Context())
	if err != nil || len(late) == 0 {
		return Notice{}, err
	}
	var lines []string
	for _, s := range late {
		lines = append(lines, r.T("registry.late", "source", SourceName(r, s.Source), "date", Slot(r, s.Expected)))
	}
	n := Notice{Code: "LOAD_DELAYED", Text: strings.Join(lines, " ")}
	if page != "" && r.URL.Path != page {
		n.Link = Link{Text: r.T("registry.status.link"), Href: page}
	}
	return n, nil
}
