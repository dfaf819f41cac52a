package state

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"senim/internal/ident"
	"senim/internal/registry"
)

// SourceOpen is open data: names to prefill forms with. No gate asks it.
const SourceOpen = "open"

// OpenData is where names of organisations are published (registries.md §11.5). Empty addresses are off.
type OpenData struct {
	// Stat is the statistics bureau's "/api/juridical/counter/api/".
	Stat string
	// Data is the open data portal's "/api/v4/gbd_ul/v1", asked with Key when Stat has no answer.
	Data, Key string
}

// Where open data are published.
const (
	PublicStat = "https://stat.gov.kz/api/juridical/counter/api/"
	PublicData = "https://data.egov.kz/api/v4/gbd_ul/v1"
)

// Names is what open data say of an organisation: words for a form, never proof. The head has a name
// and no number, so that it cannot be taken for one.
type Names struct {
	Name, Head string
}

// Names asks open data about an organisation.
func (s *Services) Names(ctx context.Context, p registry.Purpose, bin ident.BIN) (off registry.Answer[Names]) {
	if s.c.Open == nil {
		return off
	}
	return s.names.ask(ctx, s.asker, p, string(bin), func(ctx context.Context) (a registry.Answer[Names], err error) {
		err = fail(Unreachable, "no address of open data")
		for _, one := range []struct {
			address string
			read    func(context.Context, ident.BIN) (Names, bool, error)
		}{{s.c.Open.Stat, s.stat}, {s.c.Open.Data, s.data}} {
			if one.address == "" {
				continue
			}
			var found bool
			if a.Value, found, err = one.read(ctx, bin); err == nil {
				a.AsOf, a.Verdict = s.c.Now(), registry.Good
				if !found {
					a.Verdict, a.Code = registry.Bad, registry.EntityUnknown
				}
				return a, nil
			}
		}
		return registry.Answer[Names]{}, err
	})
}

func (s *Services) stat(ctx context.Context, bin ident.BIN) (n Names, found bool, err error) {
	var said struct {
		Success bool
		Obj     *struct{ BIN, Name, FIO string }
	}
	if err := s.openCall(ctx, s.c.Open.Stat, url.Values{"bin": {string(bin)}, "lang": {"ru"}}, &said); err != nil {
		return n, false, err
	}
	switch {
	case !said.Success:
		return n, false, fail(Failed, "the statistics bureau says that it failed")
	case said.Obj == nil:
		return n, false, nil
	case said.Obj.BIN != string(bin):
		return n, false, alarm(OtherNumber, "the answer is about another organisation than was asked")
	}
	return Names{Name: oneLine(said.Obj.Name), Head: oneLine(said.Obj.FIO)}, true, nil
}

func (s *Services) data(ctx context.Context, bin ident.BIN) (n Names, found bool, err error) {
	query, err := json.Marshal(map[string]any{"size": 2, "query": map[string]any{"bool": map[string]any{"must": []any{map[string]any{"match": map[string]string{"bin": string(bin)}}}}}})
	if err != nil {
		return n, false, fail(Failed, "our question could not be written")
	}
	var rows []struct{ BIN, NameRU, Director string }
	if err := s.openCall(ctx, s.c.Open.Data, url.Values{"apiKey": {s.c.Open.Key}, "source": {string(query)}}, &rows); err != nil {
		return n, false, err
	}
	switch {
	case len(rows) == 0:
		return n, false, nil
	case len(rows) > 1:
		return n, false, fail(Unreadable, "open data name two organisations")
	case rows[0].BIN != string(bin):
		return n, false, alarm(OtherNumber, "the answer is about another organisation than was asked")
	}
	return Names{Name: oneLine(rows[0].NameRU), Head: oneLine(rows[0].Director)}, true, nil
}

func (s *Services) openCall(ctx context.Context, address string, q url.Values, into any) error {
	status, raw, err := s.exchange(ctx, request{method: http.MethodGet, address: address + "?" + q.Encode(), header: http.Header{"Accept": {"application/json"}}})
	if err != nil {
		return err
	}
	if err := refusal(status); err != nil {
		return err
	}
	if readJSON(raw, into) != nil {
		return fail(Unreadable, "the open data are not of their shape")
	}
	return nil
}

// oneLine is a text as rows of a load may have it: one line, at most a thousand characters.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if runes := []rune(s); len(runes) > 1000 {
		s = string(runes[:1000])
	}
	return s
}
