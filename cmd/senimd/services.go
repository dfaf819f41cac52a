package main

import (
	"flag"
	"os"

	"senim/internal/lang"
	"senim/internal/oidc"
	"senim/internal/relying"
)

// servicesConfig says which services may ask people to sign in through the portal.
type servicesConfig struct{ clients []relying.Client }

func (s *servicesConfig) flags(f *flag.FlagSet) {
	f.Func("oidc.clients", "file of the services that may sign people in through the portal, JSON (default: none, and the example with -cast)", func(v string) error {
		b, err := os.ReadFile(v)
		if err != nil {
			return err
		}
		s.clients, err = relying.ParseClients(b)
		return err
	})
}

// demoServices is the example's program, on the machine of whoever tries it out.
func demoServices() []relying.Client {
	return []relying.Client{{ID: "example", Name: map[lang.Tag]string{lang.KK: "Мысал сервис", lang.RU: "Сервис-пример", lang.EN: "Example service"},
		Redirects: []string{"http://127.0.0.1/callback"}, Logouts: []string{"http://127.0.0.1:8085/"}, Scopes: relying.Scopes(),
		Levels: []relying.Level{relying.Account, relying.Certificate}, Auth: relying.AuthNone}}
}

// services is the portal's part of an OpenID Connect provider; there is none without clients.
func (s *server) services() oidc.Config {
	if len(s.c.services.clients) == 0 {
		return oidc.Config{}
	}
	return oidc.Config{Clients: s.c.services.clients, Store: s.store.Relying()}
}
