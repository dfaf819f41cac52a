package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/registry"
	"senim/internal/state"
	"senim/internal/trustdir"
	"senim/internal/vault"
	"senim/internal/web"
	"senim/pfx"
)

// stateConfig is how the registries are refreshed, and which state services are asked live.
type stateConfig struct {
	live     bool
	maxAge   time.Duration
	calendar registry.Calendar
	undated  bool // gate.allow_no_appointment_date

	url, sender, passwordFile, requestor string
	allowHTTP                            bool
	key, keyPassword, signers            string
	legal, person, mobile                string
	ok, unknown                          list
	status                               map[string]registry.Status
	personStatus                         map[string]state.PersonState
	consent, company                     string
	consentCodes                         list
	skew                                 time.Duration

	taxURL, taxToken              string
	open                          bool
	statURL, dataURL, dataKeyFile string
}

// flags adds the flags of the registries and the state services.
func (c *stateConfig) flags(f *flag.FlagSet) {
	f.BoolVar(&c.live, "registry.ask_live", false, "ask the state services that are set here before the last load")
	f.DurationVar(&c.maxAge, "registry.max_age", 7*24*time.Hour, "age of the last load from which answers are unknown")
	c.calendar = registry.Calendar{Days: []time.Weekday{time.Monday, time.Wednesday, time.Friday}, Hour: 6}
	f.Func("registry.load_days", "days on which loads are expected, as mon,wed,fri (default: these)", func(v string) (err error) {
		c.calendar.Days, err = weekdays(v)
		return err
	})
	f.Func("registry.load_time", "time of day in Astana at which they are (default: 06:00)", func(v string) error {
		at, err := time.Parse("15:04", v)
		if err != nil {
			return errors.New("it is a time of day as 06:00")
		}
		c.calendar.Hour, c.calendar.Minute = at.Hour(), at.Minute()
		return nil
	})
	f.BoolVar(&c.undated, "gate.allow_no_appointment_date", false, "take a head whose day of appointment a state service does not tell")
	f.StringVar(&c.url, "egp.url", "", "SyncChannel of the e-government gateway, https://… (default: not asked)")
	f.BoolVar(&c.allowHTTP, "egp.allow_http", false, "take an address of the gateway over http: when the way to it is sealed by a VPN")
	f.StringVar(&c.sender, "egp.sender", "", "name of this system in the gateway's register")
	f.StringVar(&c.passwordFile, "egp.password_file", "", "file with its password there, mode 0600")
	f.StringVar(&c.requestor, "egp.requestor", "", "BIN on whose behalf the gateway is asked")
	f.StringVar(&c.key, "egp.key", "", "PKCS #12 file with the key that signs questions to the gateway")
	f.StringVar(&c.keyPassword, "egp.key_password_file", "", "file with its password, mode 0600")
	f.StringVar(&c.signers, "egp.trusted_signers", "", "folder of the certificates that answers may be signed with, exactly these")
	f.StringVar(&c.legal, "egp.legal", "", "name of the register of legal entities' service at the gateway (default: not asked)")
	f.StringVar(&c.person, "egp.person", "", "name of the register of persons' service; it wants a consent for each person (default: not asked)")
	f.StringVar(&c.mobile, "egp.mobile", "", "name of the mobile citizens base's service (default: not asked)")
	f.Var(&c.ok, "egp.ok_codes", "status codes of good answers of the gateway")
	f.Var(&c.unknown, "egp.unknown_codes", "codes that say that a BIN is not registered (default: 031,034,035)")
	f.Func("egp.reg_status", "what the register's status codes mean, as 1=ACTIVE,3=LIQUIDATED, beside its Russian names", func(v string) (err error) {
		c.status, err = statuses(v)
		return err
	})
	f.Func("egp.person_status", "what the register of persons' status codes mean, as life:1=DEAD,capable:2=INCAPABLE, beside its Russian names", func(v string) (err error) {
		c.personStatus, err = personStatuses(v)
		return err
	})
	f.StringVar(&c.consent, "egp.consent", "", "name of the service of access to personal data, which asks a person for the consent -egp.person wants (default: not asked)")
	f.StringVar(&c.company, "egp.company", "", "name of -egp.requestor, as a person reads it in the request for his consent")
	f.Var(&c.consentCodes, "egp.consent_codes", "codes by which the register of persons says that a consent does not hold")
	f.DurationVar(&c.skew, "egp.skew", 0, "how far the gateway's clock may be behind this machine's")
	f.StringVar(&c.taxURL, "kgd.url", state.PublicTax, "address of the tax committee's public API")
	f.StringVar(&c.taxToken, "kgd.token_file", "", "file with the token for it, mode 0600 (default: not asked)")
	f.BoolVar(&c.open, "statgov.enabled", false, "show names of open data to clerks, marked as such; no gate asks them")
	f.StringVar(&c.statURL, "statgov.url", state.PublicStat, "address of the statistics bureau's API")
	f.StringVar(&c.dataURL, "statgov.data_url", state.PublicData, "address of the open data portal, asked when that does not answer")
	f.StringVar(&c.dataKeyFile, "statgov.data_key_file", "", "file with the key for the open data portal, mode 0600 (default: it is not asked)")
}

func weekdays(v string) (all []time.Weekday, err error) {
	for _, one := range strings.Split(v, ",") {
		day := slices.Index([]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, one)
		if day < 0 {
			return nil, errors.New("days are mon, tue, wed, thu, fri, sat, sun")
		}
		all = append(all, time.Weekday(day))
	}
	return all, nil
}

func statuses(v string) (map[string]registry.Status, error) {
	all := state.DefaultStates()
	for _, one := range strings.Split(v, ",") {
		code, status, _ := strings.Cut(one, "=")
		if code == "" || !slices.Contains([]registry.Status{registry.Active, registry.Liquidation, registry.Liquidated, registry.Reorganised}, registry.Status(status)) {
			return nil, errors.New("it is CODE=ACTIVE, LIQUIDATION, LIQUIDATED or REORGANISED, with commas")
		}
		all[code] = registry.Status(status)
	}
	return all, nil
}

func personStatuses(v string) (map[string]state.PersonState, error) {
	all := state.DefaultPersonStates()
	means := map[string][]state.PersonState{"life": {state.Alive, state.Dead}, "capable": {state.Capable, state.Incapable}}
	for _, one := range strings.Split(v, ",") {
		what, status, _ := strings.Cut(one, "=")
		kind, code, _ := strings.Cut(what, ":")
		if code == "" || !slices.Contains(means[kind], state.PersonState(status)) {
			return nil, errors.New("it is life:CODE=ALIVE or DEAD, capable:CODE=CAPABLE or INCAPABLE, with commas")
		}
		all[what] = state.PersonState(status)
	}
	return all, nil
}

// openState makes the state services that are set; nil when there is none.
func (s *server) openState() (*state.Services, error) {
	c := s.c.state
	services := state.Config{Rules: s.c.rules(), Hash: s.store.Hash, Consents: s.store.StateConsents(), Log: s.log, Now: s.now,
		Audit: func(ctx context.Context, e audit.Event) error {
			s.meters.asked(e)
			return s.store.Registry().Update(ctx, func(tx registry.Tx) error { return tx.Audit(ctx, e) })
		}}
	if c.url != "" {
		g, err := c.gateway()
		if err != nil {
			return nil, fmt.Errorf("-egp.*: %w", err)
		}
		services.Gateway = g
	}
	if c.taxToken != "" {
		token, _, err := vault.Secret(c.taxToken, false)
		if err != nil {
			return nil, fmt.Errorf("-kgd.token_file: %w", err)
		}
		services.Tax = &state.Tax{URL: c.taxURL, Token: string(token)}
	}
	if c.open {
		services.Open = &state.OpenData{Stat: c.statURL}
		if c.dataKeyFile != "" {
			key, _, err := vault.Secret(c.dataKeyFile, false)
			if err != nil {
				return nil, fmt.Errorf("-statgov.data_key_file: %w", err)
			}
			services.Open.Data, services.Open.Key = c.dataURL, string(key)
		}
	}
	if services.Gateway == nil && services.Tax == nil {
		if c.live {
			return nil, errors.New("-registry.ask_live: no state service is set: -egp.url or -kgd.token_file")
		}
		if services.Open == nil {
			return nil, nil
		}
	}
	return state.New(services)
}

func (c stateConfig) gateway() (*state.Gateway, error) {
	g := &state.Gateway{URL: c.url, AllowHTTP: c.allowHTTP, Sender: c.sender, Requestor: c.requestor, Legal: c.legal, Person: c.person, Mobile: c.mobile,
		OK: c.ok, Unknown: c.unknown, States: c.status, PersonStates: c.personStatus, Skew: c.skew,
		Access: c.consent, Company: c.company, NoConsent: c.consentCodes}
	if c.passwordFile != "" {
		password, _, err := vault.Secret(c.passwordFile, false)
		if err != nil {
			return nil, err
		}
		g.Password = string(password)
	}
	raw, err := os.ReadFile(c.key)
	if err != nil {
		return nil, err
	}
	password, _, err := vault.Secret(c.keyPassword, false)
	if err != nil {
		return nil, err
	}
	f, err := pfx.Decode(raw, string(password))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.key, err)
	}
	g.Key, g.Certificate = f.Key, f.Certificate
	if c.signers == "" {
		return nil, errors.New("nobody may sign answers: -egp.trusted_signers")
	}
	if g.Signers, err = trustdir.Certificates(c.signers); err != nil {
		return nil, err
	}
	return g, nil
}

// openBook makes the registry, over the state services when they are asked live.
func (s *server) openBook() (err error) {
	if s.state, err = s.openState(); err != nil {
		return err
	}
	c := registry.Config{Store: s.store.Registry(), Rules: s.c.rules(), MaxAge: s.c.state.maxAge, Calendar: s.c.state.calendar,
		AllowNoAppointmentDate: s.c.state.undated, Now: s.now}
	if s.meters != nil {
		c.Meter = s.meters
	}
	if s.c.state.live {
		c.Live = s.state
	}
	if s.book, err = registry.New(c); err == nil {
		s.loads = registry.NewWatch(s.book)
	}
	return err
}

// consents asks people for the consent that the register of persons wants; nil when nobody can be asked.
func (s *server) consents() web.Consents {
	if s.state == nil || !s.c.state.live || !s.state.CanAskConsent() {
		return nil
	}
	return s.state
}

// openNames gives names of open data to clerks; nil when they are off.
func (s *server) openNames() func(context.Context, ident.BIN) (name, head string) {
	if s.state == nil || !s.c.state.open {
		return nil
	}
	return func(ctx context.Context, bin ident.BIN) (name, head string) {
		a := s.state.Names(ctx, registry.ForValidate, bin)
		return a.Value.Name, a.Value.Head
	}
}

// watchKind is the job that tells the operator of loads that are missing.
const watchKind = "registry.watch"

func (s *server) handleState() {
	s.store.Handle(watchKind, func(ctx context.Context, _ []byte) error { return s.watchLoads(ctx) })
	s.store.Every(time.Hour, job.Job{Kind: watchKind, Unique: "all"})
}

func (s *server) watchLoads(ctx context.Context) error {
	late, err := s.loads.Late(ctx)
	for _, one := range late {
		s.log.Error("ALERT: loads of a registry are missing", "source", one.Source, "expected", one.Expected, "missed", one.Missed, "last", one.Last.Received)
	}
	return err
}
