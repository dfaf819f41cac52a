package agent

import (
	"strings"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/trust"
)

// leftovers says of each file, by its id, what a person may want to clean up: the same file or the same
// key twice, and a key still valid though a newer one was issued. Issuing does not revoke old keys.
func (a *Agent) leftovers(files []keystore.File, tag lang.Tag) map[string][]Remark {
	entries, now := a.known.all(files), a.now()
	latest := a.newest(entries)
	names := map[string]string{} // by id
	out := map[string][]Remark{}
	for _, f := range files {
		names[f.ID] = f.Name
		if len(f.Copies) > 0 {
			out[f.ID] = append(out[f.ID], Remark{"copies", "info", tag.Text("home.left.copies", "where", strings.Join(f.Copies, ", "))})
		}
	}
	byKey := map[string][]keyEntry{}
	for _, e := range entries {
		if e.listed {
			byKey[keyID(e.cert)] = append(byKey[keyID(e.cert)], e)
		}
	}
	for _, e := range entries {
		for _, same := range byKey[keyID(e.cert)] {
			if e.listed && same.id != e.id {
				out[e.id] = append(out[e.id], Remark{"twice", "info", tag.Text("home.left.twice", "file", names[same.id])})
			}
		}
		newer := latest[ownerOf(e.cert)]
		if newer == nil || !newer.NotBefore.After(e.cert.NotBefore) || newer.Fingerprint() == e.cert.Fingerprint() || now.After(e.cert.NotAfter) {
			continue
		}
		if s, ok := a.known.checked(e.cert); ok && s.State == trust.StateRevoked {
			continue
		}
		out[e.id] = append(out[e.id], Remark{"replaced", "amber", tag.Text("home.left.replaced", "date", tag.Date(newer.NotBefore), "until", tag.Date(e.cert.NotAfter))})
	}
	return out
}

func joined(words []string) string { return strings.Join(words, ", ") }
