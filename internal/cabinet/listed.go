package cabinet

import (
	"senim/internal/cabinet/client"
	"senim/internal/web"
)

// listedKeys is the page of keys for a program: the keys it shows that are not over, latest first.
func (s *cabinet) listedKeys(r *web.Request) (any, error) {
	list, err := s.c.Office.Keys(r.Context(), viewer(r))
	if err != nil {
		return nil, err
	}
	out := client.Listed{Keys: []client.ListedKey{}}
	for _, k := range list {
		switch {
		case over(k, s.c.Now()):
		case len(out.Keys) == client.MaxListed:
			out.More = true
			return out, nil
		default:
			out.Keys = append(out.Keys, client.ListedKey{Certificate: k.Raw, Held: !k.RevokedAt.IsZero()})
		}
	}
	return out, nil
}
