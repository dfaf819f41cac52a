package agent

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"senim/internal/ask"
	"senim/internal/lang"
	"senim/pki"
)

// AuthorityRow is an authority that is known, or one that is looked at.
type AuthorityRow struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"` // SHA-256 in lower hex
	Shown       string `json:"shown"`       // the same in groups, to be compared by eye
	Root        bool   `json:"root"`
	Own         bool   `json:"own"`  // added by the person, who may take it away
	Text        string `json:"text"` // in words
}

func authorityRow(c *pki.Certificate, own bool, tag lang.Tag) AuthorityRow {
	r := AuthorityRow{Name: c.Subject.Get(pki.OIDCommonName), Fingerprint: Fingerprint(c), Root: string(c.RawIssuer) == string(c.RawSubject), Own: own}
	if r.Name == "" {
		r.Name = c.Subject.String()
	}
	groups := make([]string, 0, 16)
	for i := 0; i < len(r.Fingerprint); i += 4 {
		groups = append(groups, r.Fingerprint[i:i+4])
	}
	r.Shown = strings.Join(groups, " ")
	kind := "issuing"
	switch {
	case isNational(c):
		kind = "national"
	case r.Root:
		kind = "root"
	}
	r.Text = tag.Text("home.authority."+kind, "date", tag.Date(c.NotAfter))
	return r
}

// authorityRows lists the authorities known, and whether one of the national CA is missing.
func (a *Agent) authorityRows(tag lang.Tag) (rows []AuthorityRow, missing bool) {
	rows = []AuthorityRow{}
	given, own := a.trust.authorities()
	known := map[string]bool{}
	for i, c := range slices.Concat(own, given) {
		if r := authorityRow(c, i < len(own), tag); !known[r.Fingerprint] {
			known[r.Fingerprint] = true
			rows = append(rows, r)
		}
	}
	for _, n := range national {
		missing = missing || !known[n.sum]
	}
	return rows, missing
}

// offer reads the file of an authority, for the person to look at.
func (h *home) offer(file []byte) (code string) {
	c, err := ReadAuthority(file)
	h.mu.Lock()
	h.offered = c // nil after an error
	h.mu.Unlock()
	if err != nil {
		return "no_authority"
	}
	return ""
}

// authority adds the authority that was looked at, or takes one away.
func (h *home) authority(sum string, remove bool) (code string) {
	data := h.agent.config.Data
	defer h.agent.trust.changed()
	if remove {
		switch err := RemoveAuthority(data, sum); {
		case errors.Is(err, fs.ErrNotExist):
			return "bad_request"
		case err != nil:
			return "not_written"
		}
		return ""
	}
	h.mu.Lock()
	offered := h.offered
	h.mu.Unlock()
	if offered == nil || Fingerprint(offered) != sum {
		return "bad_request"
	}
	if err := AddAuthority(data, offered); err != nil {
		h.agent.log.Error("the agent's page", "err", err)
		return "not_written"
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.offered == offered {
		h.offered = nil
	}
	return ""
}

// national fetches the authorities of the national CA.
func (h *home) national(ctx context.Context) (code string) {
	client := h.agent.downloader
	if client == nil {
		client = ask.Public()
	}
	defer h.agent.trust.changed()
	err := addNational(ctx, h.agent.config.Data, client)
	switch {
	case errors.Is(err, errNotNational), errors.Is(err, errNoAuthority):
		return "not_national"
	case err != nil:
		h.agent.log.Warn("the national authorities were not added", "err", err)
		return "national_away"
	}
	return ""
}
