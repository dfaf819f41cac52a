package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"senim/internal/ca"
	"senim/internal/ra"
)

// deskConfig is how the operator's desk works.
type deskConfig struct {
	// networks are those of the desks; none: every network.
	networks []netip.Prefix
	// places are the desks people go to.
	places []ra.Place
	// headFirst says where the head of a company gets his first keys: online or desk.
	headFirst string
	// identityOID writes how a person was identified into certificates.
	identityOID, classic, carriers bool
	// renewDays, perDay and open are renew.window_days and the limits of applications; 0 is none.
	renewDays, perDay, open int
	// terms are how long applications wait.
	terms ra.Terms
}

// limit is a bound as the office takes it, where 0 would be its usual one.
func limit(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// count takes a flag that counts from 0.
func count(to *int) func(string) error {
	return func(v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > 100000 {
			return errors.New("it is a number from 0")
		}
		*to = n
		return nil
	}
}

// term takes a flag that says how long something waits: from least, to a year.
func term(to *time.Duration, least time.Duration) func(string) error {
	const most = 366 * 24 * time.Hour
	return func(v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d < least || d > most {
			return fmt.Errorf("it is a time from %v to %v", least, most)
		}
		*to = d
		return nil
	}
}

func (d *deskConfig) flags(f *flag.FlagSet) {
	f.Func("desk.networks", "networks of the operators' desks, as 10.1.0.0/16; elsewhere /desk does not exist (default: every network)", func(v string) error {
		for _, one := range strings.Split(v, ",") {
			p, err := netip.ParsePrefix(strings.TrimSpace(one))
			if err != nil {
				return err
			}
			d.networks = append(d.networks, p)
		}
		return nil
	})
	f.Func("desks", "file with the list of desks people go to, YAML or JSON (default: two invented ones with -cast)", func(v string) error {
		b, err := os.ReadFile(v)
		if err != nil {
			return err
		}
		d.places, err = readPlaces(b)
		return err
	})
	d.headFirst = "online"
	f.Func("le.head_first_issue", "where the head of a company gets his first keys: online or desk (default: online)", func(v string) error {
		if v != "online" && v != "desk" {
			return errors.New("it is online or desk")
		}
		d.headFirst = v
		return nil
	})
	f.Func("issue.key_set", "what keys are issued: modern, one GOST512 key for everything, or classic, a pair for sign-in and signing (default: modern)", func(v string) error {
		if v != "modern" && v != "classic" {
			return errors.New("it is modern or classic")
		}
		d.classic = v == "classic"
		return nil
	})
	f.BoolVar(&d.carriers, "renew.carriers_online", false, "let keys on tokens be renewed onto the same kind of token without a desk; never onto ID cards")
	d.terms = ra.Terms{}.OrUsual()
	f.Func("application.confirm_ttl", "how long a signed application waits for its confirmation (default: 720h)", term(&d.terms.Confirm, time.Hour))
	f.Func("draft.ttl", "how long an unsigned application is kept (default: 168h)", term(&d.terms.Draft, time.Hour))
	f.Func("install.ttl", "after how long keys that were issued and not installed are offered for revocation (default: 720h)", term(&d.terms.Install, 24*time.Hour))
	d.perDay, d.open = 5, 3
	f.Func("renew.window_days", "how many days before its end a key may be renewed; 0: any time while it is valid (default: 0)", count(&d.renewDays))
	f.Func("applications.per_day", "applications a person may make in a day; 0: no bound (default: 5)", count(&d.perDay))
	f.Func("applications.open", "applications of a person that may wait at once; 0: no bound (default: 3)", count(&d.open))
	f.BoolVar(&d.identityOID, "issue.identity_oid", false, "write into certificates issued at a desk that the person was identified there")
}

// readPlaces reads the list of desks. A place needs an id of its own, and in Russian at least its city,
// name, address and hours.
func readPlaces(b []byte) ([]ra.Place, error) {
	var all []ra.Place
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&all); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the list of desks: %w", err)
	}
	seen := map[string]bool{}
	for _, p := range all {
		switch {
		case p.ID == "" || seen[p.ID]:
			return nil, fmt.Errorf("read the list of desks: the id %q is empty or there twice", p.ID)
		case p.City["ru"] == "" || p.Name["ru"] == "" || p.Address["ru"] == "" || p.Hours["ru"] == "":
			return nil, fmt.Errorf("read the list of desks: %s: city, name, address and hours are needed, in Russian at least", p.ID)
		}
		seen[p.ID] = true
	}
	return all, nil
}

// demoPlaces are two desks that nobody finds.
func demoPlaces() []ra.Place {
	return []ra.Place{
		{ID: "astana", City: ra.Words{"ru": "Астана", "kk": "Астана", "en": "Astana"}, Phone: "+77170000001",
			Name:    ra.Words{"ru": "ЦОН № 1 (тест)", "kk": "№ 1 ХҚКО (тест)", "en": "Service centre 1 (test)"},
			Address: ra.Words{"ru": "ул. Достык, 1", "kk": "Достық к-сі, 1", "en": "1 Dostyk street"},
			Hours:   ra.Words{"ru": "пн–пт 9:00–18:00, сб 9:00–13:00", "kk": "дс–жм 9:00–18:00, сб 9:00–13:00", "en": "Mon–Fri 9:00–18:00, Sat 9:00–13:00"}},
		{ID: "almaty", City: ra.Words{"ru": "Алматы", "kk": "Алматы", "en": "Almaty"}, Phone: "+77270000002",
			Name:    ra.Words{"ru": "ЦОН № 2 (тест)", "kk": "№ 2 ХҚКО (тест)", "en": "Service centre 2 (test)"},
			Address: ra.Words{"ru": "пр. Абая, 10", "kk": "Абай даңғ., 10", "en": "10 Abay avenue"},
			Hours:   ra.Words{"ru": "пн–пт 9:00–20:00", "kk": "дс–жм 9:00–20:00", "en": "Mon–Fri 9:00–20:00"},
			Bring:   ra.Words{"ru": "Талон берут у входа.", "kk": "Талонды кіреберісте алады.", "en": "Take a ticket at the entrance."}},
	}
}

// Release lifts a hold for two operators. An authority on another machine takes the voices of two
// programs instead: from here it is refused.
func (i issued) Release(ctx context.Context, serial, by, second string) error {
	own, ok := i.ca.(interface {
		Release(ctx context.Context, serial, by, second string) error
	})
	if !ok {
		return &ra.Refusal{Code: "HOLDS_ELSEWHERE"}
	}
	return own.Release(ctx, serial, by, second)
}

// Expiring walks the keys of people that end in a span of time.
func (i issued) Expiring(ctx context.Context, from, to time.Time, f func(ra.Key) error) error {
	return i.ca.Expiring(ctx, from, to, func(info ca.Info) error { return f(key(info)) })
}
