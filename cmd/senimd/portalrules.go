package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"senim/algid"
	"senim/internal/ask"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/pki"
)

// portalRules are the settings of registration and sign-in whose defaults are our decision.
type portalRules struct {
	unitRoles     []pki.Role
	blockPrevious participant.Moment
	agreements    []participant.Agreement
	register      participant.RegisterConfig
	stamps        string // address of the time-stamping authority elsewhere
}

func (p *portalRules) flags(f *flag.FlagSet) {
	f.StringVar(&p.stamps, "tsp.url", "", "with -ca.url: who time-stamps what people sign at the portal (RFC 3161), or none (default: /tsp/ of -responder.origin)")
	f.Func("gate.unit_roles", "roles of which the certificate of a structural unit's head must have one, as first-head,sign-right (default: first-head)", func(v string) error {
		p.unitRoles = nil
		for _, name := range strings.Split(v, ",") {
			role, ok := unitRole(name)
			if !ok {
				return fmt.Errorf("%s: it is first-head, sign-right, finance, hr or employee", name)
			}
			p.unitRoles = append(p.unitRoles, role)
		}
		return nil
	})
	f.DurationVar(&p.register.DraftTTL, "reg.draft_ttl", 72*time.Hour, "life of a registration until the agreement is signed")
	f.DurationVar(&p.register.LinkTTL, "reg.link_ttl", 72*time.Hour, "life of a registration's link after that")
	f.Func("reg.resend", "least time between two letters of a registration, and how many it sends (default: 1m,5)", func(v string) (err error) {
		wait, count, _ := strings.Cut(v, ",")
		if p.register.MaxLetters, err = positive(count); err != nil {
			return err
		}
		if p.register.ResendWait, err = time.ParseDuration(wait); err != nil || p.register.ResendWait < time.Second {
			return errors.New("time,number, as 1m,5; a second at least")
		}
		return nil
	})
	number(f, &p.register.DayLetters, "reg.day_letters", "letters with links of registrations to one person in a day (default: 15)")
	f.Func("rereg.block_previous_at", "when a previous head loses the profile: completion (of the new head's registration) or agreement (signed by the new head) (default: completion)", func(v string) error {
		switch m := participant.Moment(v); m {
		case participant.AtCompletion, participant.AtAgreement:
			p.blockPrevious = m
			return nil
		}
		return errors.New("completion or agreement")
	})
	f.Func("agreement", "file with a further version of the terms participants sign, JSON; may be given several times", func(v string) error {
		b, err := os.ReadFile(v)
		if err != nil {
			return err
		}
		a, err := readAgreement(b)
		p.agreements = append(p.agreements, a)
		return err
	})
}

func unitRole(name string) (pki.Role, bool) {
	for _, r := range []pki.Role{pki.RoleFirstHead, pki.RoleSignRight, pki.RoleFinance, pki.RoleHR, pki.RoleEmployee} {
		if r.String() == name {
			return r, true
		}
	}
	return 0, false
}

// agreementFile is a version of the terms as a file gives it; dates begin at midnight of Astana.
type agreementFile struct {
	Version      string              `json:"version"`
	From         string              `json:"from"`
	MustResignBy string              `json:"must_resign_by"`
	Text         map[lang.Tag]string `json:"text"`
}

func readAgreement(b []byte) (participant.Agreement, error) {
	var f agreementFile
	if err := json.Unmarshal(b, &f); err != nil {
		return participant.Agreement{}, fmt.Errorf("read agreement: %w", err)
	}
	a := participant.Agreement{Version: f.Version, Text: f.Text}
	var err error
	if a.From, err = time.ParseInLocation(time.DateOnly, f.From, lang.Astana); err != nil || f.Version == "" {
		return a, errors.New("read agreement: version and from (as 2026-09-01) are needed")
	}
	if f.MustResignBy != "" {
		if a.MustResignBy, err = time.ParseInLocation(time.DateOnly, f.MustResignBy, lang.Astana); err != nil {
			return a, errors.New("read agreement: must_resign_by is a day, as 2026-12-01")
		}
	}
	return a, nil
}

// publishAgreements puts every version of the terms into the store, the built-in one first.
func (s *server) publishAgreements(ctx context.Context) error {
	for _, a := range append([]participant.Agreement{agreement()}, s.c.portalRules.agreements...) {
		if err := s.participants.Publish(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// portalStamps is who time-stamps what people sign: our own authority, or the one elsewhere; nil when -tsp.url says none.
func (s *server) portalStamps() participant.Stamps {
	if s.stamps != nil {
		return stamper{s.stamps}
	}
	address := s.c.portalRules.stamps
	switch address {
	case "none":
		return nil
	case "":
		address = s.c.responder.origin + "/tsp/"
	}
	return farStamps{address, ask.Client(), s.trust.Pool, s.now}
}

// tryStamps says at the start when what people sign will have no time-stamps.
func (s *server) tryStamps(ctx context.Context) error {
	const loss = "what people sign at the portal is not time-stamped, and will not be later"
	switch stamps := s.portalStamps().(type) {
	case nil:
		s.log.Warn("no time-stamping authority is set (-tsp.url): " + loss)
	case farStamps:
		ctx, stop := context.WithTimeout(ctx, time.Minute)
		defer stop()
		if _, err := stamps.Stamp(ctx, make([]byte, algid.SHA256.Size())); err != nil && !errors.Is(err, context.Canceled) {
			s.log.Warn("the time-stamping authority (-tsp.url) gives nothing; until it does, "+loss, "error", err)
		}
	}
	return nil
}
