package caapi

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"senim/internal/ca"
	"senim/internal/caapi/client"
	"senim/internal/profile"
	"senim/pki"
)

type listInput struct {
	Name  string `path:"name" pattern:"^[a-z0-9_]{1,64}$" example:"gost" doc:"Of GET /authorities."`
	Delta bool   `query:"delta" doc:"The delta list instead of the full one."`
}

func (s *Server) authorityRoutes(api huma.API) {
	const tag = "authority"
	huma.Register(api, operation(api, http.MethodGet, "/profiles", "profiles", tag, "Profiles", "Those this client may ask for."), s.profiles)
	huma.Register(api, operation(api, http.MethodGet, "/authorities", "authorities", tag, "Authorities", "Roots among them."), s.authorities)
	huma.Register(api, binary(operation(api, http.MethodGet, "/authorities/{name}/crl", "crl", tag, "Revocation list", "The newest one, in DER."),
		"The list", "application/pkix-crl"), s.crl)
	huma.Register(api, operation(api, http.MethodGet, "/health", "health", tag, "Does the authority answer?", "Needs no key; tells nothing else."), s.health)
}

func (s *Server) profiles(ctx context.Context, _ *struct{}) (*out[client.Profiles], error) {
	all := client.Profiles{Items: []client.Profile{}}
	set := s.c.Authority.Profiles()
	for _, name := range slices.Sorted(maps.Keys(set)) {
		p := set[name]
		if p.Kind != profile.Holder || !callOf(ctx).client.Covers(name) {
			continue
		}
		one := client.Profile{Name: name, Keys: []string{}, Roles: []string{}, FileDays: p.FileDays, CarrierDays: p.CarrierDays}
		for _, k := range p.Keys {
			one.Keys = append(one.Keys, k.Kind.String())
		}
		for _, id := range p.Usage {
			if r, ok := pki.RoleByOID(id); ok {
				one.Roles = append(one.Roles, r.String())
			}
		}
		all.Items = append(all.Items, one)
	}
	return &out[client.Profiles]{all}, nil
}

func (s *Server) authorities(context.Context, *struct{}) (*out[client.Authorities], error) {
	all := client.Authorities{Items: []client.Authority{}}
	for _, a := range s.c.Authority.Authorities() {
		all.Items = append(all.Items, client.Authority{Name: a.Name, Parent: a.Parent, Issuing: a.Issuing, Retired: a.Retired, NotAfter: a.Certificate.NotAfter, Certificate: armor(a.Certificate.Raw)})
	}
	return &out[client.Authorities]{all}, nil
}

func (s *Server) crl(ctx context.Context, in *listInput) (*raw, error) {
	l, err := s.c.Authority.CRL(ctx, in.Name, in.Delta)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	return &raw{"application/pkix-crl", l.Raw}, nil
}

func (s *Server) health(ctx context.Context, _ *struct{}) (*out[client.Health], error) {
	if _, err := s.c.Authority.Search(ctx, ca.Query{Limit: 1, IssuedFrom: s.c.Now()}); err != nil {
		return nil, s.failed(ctx, err)
	}
	return &out[client.Health]{client.Health{Status: "ok"}}, nil
}
