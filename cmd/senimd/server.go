package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"senim/algid"
	"senim/internal/access"
	"senim/internal/auth"
	"senim/internal/ca"
	"senim/internal/cabinet"
	"senim/internal/ceremony"
	"senim/internal/courier"
	"senim/internal/desk"
	"senim/internal/feed"
	"senim/internal/filekeep"
	"senim/internal/job"
	"senim/internal/keyring"
	"senim/internal/mailbox"
	"senim/internal/notice"
	"senim/internal/participant"
	"senim/internal/portal"
	"senim/internal/ra"
	"senim/internal/registry"
	"senim/internal/responder"
	"senim/internal/revocation"
	"senim/internal/shares"
	"senim/internal/state"
	"senim/internal/store"
	"senim/internal/trust"
	"senim/internal/trustdir"
	"senim/internal/tsa"
	"senim/internal/vault"
	"senim/internal/web"
)

// server is an opened installation: every service, joined, before anything is served.
type server struct {
	c   config
	now func() time.Time
	log *slog.Logger

	store        *store.Store
	ca, seeder   *ca.Service // seeder may choose dates, for the demo's people only; nil when the authority is elsewhere
	authority    authority   // ours, or the one elsewhere
	gate         *access.Gate
	trust        *trustdir.Trust
	judge        *trust.Judge
	book         *registry.Book
	imports      *registry.Importer
	pulls        *registry.Puller
	kept         *filekeep.Keep // files of its batches
	loads        *registry.Watch
	state        *state.Services // nil: none is asked
	office       *ra.Office
	participants *participant.Office
	scanner      *notice.Scanner
	stamps       *tsa.Authority
	sessions     *auth.Desk // of the cabinet; it ends those of every site
	mail         *mailbox.Mailbox
	sender       *notice.Sender
	tokens       *courier.Tokens // of messages and of what comes back
	textReceipts http.Handler    // of the gateway for short messages; nil: there is none
	keys         *keyring.Ring   // nil: the authority is elsewhere
	auditor      *auditor
	issueLog     *feed.Log    // nil: this process does not keep the public log
	logFiles     http.Handler // its files, nil likewise

	meters     *meters // nil: nobody counts
	walking    *walker // nil: the clock is the machine's
	warning    string  // of what /health cannot rule out
	first      bool    // this start makes the installation
	tended     atomic.Pointer[error]
	lists      lateLists
	sites      []site
	background []func(context.Context) error
	people     []person
}

// open opens the installation in the data folder, making it when the folder is empty, and binds
// every address.
func open(ctx context.Context, c config, now func() time.Time, log *slog.Logger) (s *server, err error) {
	s = &server{c: c, now: now, log: log}
	if c.walk {
		clock, err := openClock(c.data, now)
		if err != nil {
			return nil, err
		}
		s.now, s.walking = clock.Now, &walker{walkingClock: clock, s: s}
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	for _, step := range []func(context.Context) error{s.listen, s.openStore, s.joinAuthority, s.openStamps, s.openAudit, s.openTrust, s.openWork, s.openLog, s.openMail, s.openSites, s.handleJobs} {
		if err := step(ctx); err != nil {
			return s, err
		}
	}
	if c.cast {
		if err := s.seed(ctx); err != nil {
			return s, err
		}
	}
	return s, s.openLetters(ctx)
}

func (s *server) close() {
	for _, one := range s.sites {
		_ = one.at.Close() // closed already when it was served
	}
	if s.auditor != nil {
		s.auditor.stop()
	}
	if s.store != nil {
		if err := s.store.Close(); err != nil {
			s.log.Error("close the database", "error", err)
		}
	}
	if s.keys != nil {
		if err := s.keys.Close(); err != nil {
			s.log.Error("close the token", "error", err)
		}
	}
}

// listen binds the addresses first: origins are part of what is signed, and port 0 is a choice.
func (s *server) listen(ctx context.Context) error {
	for _, one := range []struct {
		name, flag string
		at         interface {
			open(context.Context) (net.Listener, error)
		}
		wanted bool
	}{{"cabinet", "cabinet", &s.c.cabinet, s.c.only == ""}, {"portal", "portal", &s.c.portal, s.c.only == ""}, {"responder", "responder", &s.c.responder, s.c.remote.url == ""},
		{"mailbox", "mailbox", &s.c.mail, s.c.only == ""}, {"ca", "ca.api", &s.c.api, s.c.api.address != ""}, {"metrics", "metrics", &s.c.metrics, s.c.metrics.address != ""}} {
		if !one.wanted {
			if l, ok := one.at.(*listen); ok && l.origin == "" {
				l.origin = "http://" + l.address // nobody listens; letters and documents still need a name
			}
			continue
		}
		ln, err := one.at.open(ctx)
		if err != nil {
			return fmt.Errorf("%w (-%s takes another address)", err, one.flag)
		}
		s.sites = append(s.sites, site{name: one.name, at: ln})
	}
	return nil
}

func (s *server) serveOn(name string, h http.Handler) {
	for i := range s.sites {
		if s.sites[i].name == name {
			s.sites[i].handler = h
		}
	}
}

func (s *server) openStore(ctx context.Context) (err error) {
	if err := s.fresh(); err != nil {
		return err
	}
	key, err := s.installationKey()
	if err != nil {
		return err
	}
	s.store, err = store.Open(ctx, store.Config{URL: s.c.db, Now: s.now, Log: s.log, Node: s.c.node, Key: key})
	return err
}

// installationKey reads the key that seals addresses in the database and hashes personal numbers in
// the audit log; the first start of an installation that was given none makes it.
func (s *server) installationKey() ([]byte, error) {
	text, _, err := vault.Secret(s.c.key, s.c.key == filepath.Join(s.c.data, keyFile))
	if err != nil {
		return nil, fmt.Errorf("installation key: %w", err)
	}
	key, err := hex.DecodeString(string(text))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("installation key: %s does not hold 64 hex digits", s.c.key)
	}
	return key, nil
}

// installationFile is written when the first start is complete.
const installationFile = "installation.json"

// fresh refuses a folder that is neither an installation nor empty, so that a wrong path starts
// nothing. What an operator may lay there beforehand is named.
func (s *server) fresh() error {
	if err := os.MkdirAll(s.c.data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(s.c.data, installationFile)); err == nil {
		return nil
	}
	entries, err := os.ReadDir(s.c.data)
	if err != nil {
		return fmt.Errorf("read the data folder: %w", err)
	}
	for _, e := range entries {
		switch e.Name() {
		case "trust", passphraseFile, keyFile, demoLog:
		default:
			return fmt.Errorf("%s is not empty and holds no finished installation (found %s): give an empty folder with -data, "+
				"or empty this one if its first start was interrupted", s.c.data, e.Name())
		}
	}
	return nil
}

// plans are the authorities of the first start.
func (s *server) plans() []ca.Plan {
	org := "SENIM"
	begin := s.now()
	if s.c.cast {
		begin = begin.AddDate(-2, 0, 0) // the demo has keys of last year
	}
	return []ca.Plan{
		{Name: "gost", Algorithm: algid.GOST512, RootName: "СЕНІМ НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (GOST)", IssuingName: "СЕНІМ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (GOST)",
			Organization: org, Address: s.c.responder.origin, NotBefore: begin},
		{Name: "rsa", Algorithm: algid.RSA, RSABits: s.c.rsaBits, RootName: "СЕНІМ НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (RSA)",
			IssuingName: "СЕНІМ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (RSA)", Organization: org, Address: s.c.responder.origin, NotBefore: begin, Token: s.c.token != tokenConfig{}},
	}
}

// joinAuthority opens our own authority, or the way to the one elsewhere.
func (s *server) joinAuthority(ctx context.Context) error {
	if s.c.remote.url == "" {
		if err := s.openAuthority(ctx); err != nil {
			return err
		}
		return s.openAPI(ctx)
	}
	r, err := dialRemote(ctx, s.c.remote)
	if err != nil {
		return err
	}
	r.revoked, s.authority = s.revoked, r
	marker := filepath.Join(s.c.data, installationFile)
	if _, err := os.Stat(marker); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := s.writeTrust(); err != nil {
		return err
	}
	return writeJSON(marker, map[string]string{"made": s.now().UTC().Format(time.RFC3339), "authority": s.c.remote.url})
}

// openAuthority opens the authorities, and makes them in a fresh folder: the one place that does.
func (s *server) openAuthority(ctx context.Context) error {
	passphrase, err := s.passphrase()
	if err != nil {
		return err
	}
	files, err := vault.Open(filepath.Join(s.c.data, "vault"), passphrase)
	if err != nil {
		return err
	}
	inside, err := s.c.token.later()
	if err != nil {
		return err
	}
	s.keys = keyring.New(files, inside)
	if inside != nil {
		if err := inside.Try(); err != nil { // it may come back; the authorities with keys in files work
			s.log.Error("the token cannot be used: nothing is signed with the keys in it", "error", err)
		}
	}
	keys := s.keys
	marker := filepath.Join(s.c.data, installationFile)
	if _, err := os.Stat(marker); errors.Is(err, os.ErrNotExist) {
		s.log.Info("first start: making the authorities (the RSA keys take a moment)")
		s.first = true
		if s.c.publish != "" {
			if err := os.MkdirAll(s.c.publish, 0o755); err != nil { //nolint:gosec // lists are public
				return fmt.Errorf("-publish: %w", err)
			}
		}
		transcript, err := ceremony.OpenTranscript(s.c.data, s.now)
		if err != nil {
			return err
		}
		err = ca.Create(ctx, ca.Ceremony{Store: s.store.CA(), Keys: keys, Plans: s.plans(), By: "first start", Now: s.now, Note: transcript.Note})
		if err = errors.Join(err, transcript.Close()); err != nil {
			return err
		}
		if err := s.openAuthorities(ctx, keys); err != nil {
			return err
		}
		if err := s.writeTrust(); err != nil {
			return err
		}
		return writeJSON(marker, map[string]string{"made": s.now().UTC().Format(time.RFC3339)})
	}
	return s.openAuthorities(ctx, keys)
}

func (s *server) openAuthorities(ctx context.Context, keys ca.Keys) (err error) {
	config := ca.Config{Store: s.store.CA(), Keys: keys, Now: s.now, Log: s.log, RevokedJob: revokedKind, Compromised: s.compromised()}
	if config.Profiles, err = s.profiles(); err != nil {
		return err
	}
	if config.Node, err = s.store.Instance(ctx); err != nil {
		return err
	}
	config.Check = s.check
	if s.c.publish != "" {
		config.Published = s.lay
	}
	if s.ca, err = ca.Open(ctx, config); err != nil {
		return err
	}
	s.authority = s.ca
	config.AllowDates, config.Published = true, nil
	config.Check = func(context.Context, *ca.Service) (string, error) { return s.ca.Suspended(), nil }
	if s.seeder, err = ca.Open(ctx, config); err != nil {
		return err
	}
	if s.suspended() {
		return nil
	}
	return s.ca.Recover(ctx)
}

// passphrase reads the passphrase of the authorities' keys; at the first start of an installation
// that was given none it makes one.
func (s *server) passphrase() ([]byte, error) {
	if len(s.c.shares) > 0 {
		return gather(s.c.shares)
	}
	b, _, err := vault.Secret(s.c.passphrase, s.c.passphrase == filepath.Join(s.c.data, passphraseFile))
	if err != nil {
		return nil, fmt.Errorf("passphrase of the authorities' keys: %w", err)
	}
	return b, nil
}

// gather puts the passphrase together from files of shares.
func gather(files []string) ([]byte, error) {
	var all []shares.Share
	for _, name := range files {
		text, _, err := vault.Secret(name, false)
		if err != nil {
			return nil, fmt.Errorf("share of the passphrase: %w", err)
		}
		some, err := shares.ParseAll(text)
		if err != nil {
			return nil, fmt.Errorf("share of the passphrase: %s: %w", name, err)
		}
		all = append(all, some...)
	}
	return shares.Combine(all)
}

// writeTrust puts our own authorities into the trust folder.
func (s *server) writeTrust() error {
	if err := os.MkdirAll(s.c.trust, 0o755); err != nil { //nolint:gosec // certificates are public
		return fmt.Errorf("make the trust folder: %w", err)
	}
	for _, a := range s.authority.Authorities() {
		name := filepath.Join(s.c.trust, "senim_"+a.Name+".cer")
		if err := os.WriteFile(name, a.Certificate.Raw, 0o644); err != nil { //nolint:gosec // certificates are public
			return fmt.Errorf("write the trust folder: %w", err)
		}
	}
	return nil
}

// openTrust reads the trust folder and joins it with the ways to learn of revocation.
func (s *server) openTrust(context.Context) (err error) {
	if s.trust, err = trustdir.Load(s.c.trust); err != nil {
		return err
	}
	if len(s.c.identities) > 0 || s.c.walk {
		for _, a := range s.trust.Authorities {
			if production(a) {
				return errors.New("-ident.test_identities: test numbers are admitted while a production authority is trusted: empty the list (-cast=false) or take the authority out of the trust folder")
			}
		}
	}
	others := revocation.New(revocation.Config{Lists: s.rootLists(), Dir: s.c.trust, Log: s.log})
	own := status{ca: s.authority, issuing: map[string]bool{}, others: others}
	for _, a := range s.authority.Authorities() {
		own.issuing[hex.EncodeToString(a.Certificate.SubjectKeyID)] = a.Issuing
	}
	s.judge, err = trust.New(trust.Config{Pool: s.trust.Pool, Now: s.now, Revocation: own})
	return err
}

// responders says where others ask for the status of certificates of our issuing authorities.
func (s *server) responders() map[string]string {
	where := map[string]string{}
	for _, a := range s.authority.Authorities() {
		if a.Issuing {
			where[hex.EncodeToString(a.Certificate.SubjectKeyID)] = s.c.responder.origin + "/ocsp/"
		}
	}
	return where
}

// rootLists says where the lists of our roots are published.
func (s *server) rootLists() map[string][]string {
	where := map[string][]string{}
	for _, a := range s.authority.Authorities() {
		if !a.Issuing {
			where[hex.EncodeToString(a.Certificate.SubjectKeyID)] = []string{s.c.responder.origin + "/crl/" + a.Name + ".crl"}
		}
	}
	return where
}

// openWork makes the services of the work layer.
func (s *server) openWork(ctx context.Context) (err error) {
	s.openMeters()
	if err = s.openBook(); err != nil {
		return err
	}
	if err = s.openRegistry(); err != nil {
		return err
	}
	adapter := issued{s.authority}
	if s.office, err = ra.New(ra.Config{Store: s.store.RA(), Judge: s.judge, Registry: heads{s.book.For(registry.ForKey), s.now}, People: people{s.book.For(registry.ForKey)}, Counted: counted{heads{s.book, s.now}, people{s.book}}, Keys: adapter, Issuer: adapter,
		Revoker: adapter, Ends: adapter, Proofs: firstProofs{s.portalStamps(), s.proofs()}, Origin: s.c.cabinet.origin, Now: s.now, Identities: s.c.rules(), AutoRevoke: s.c.autoRevoke,
		Factor: ra.FactorConfig{Kinds: s.c.factor, For: s.c.factorFor}, Log: s.log, Companies: s.authority.Companies, Plan: s.c.plan,
		Holds: s.holds(), HeadAtDesk: s.c.desk.headFirst == "desk", IdentityOID: s.c.desk.identityOID, Classic: s.c.desk.classic,
		RenewWindow: time.Duration(s.c.desk.renewDays) * 24 * time.Hour, PerDay: limit(s.c.desk.perDay), OpenAtOnce: limit(s.c.desk.open), CarriersOnline: s.c.desk.carriers, Terms: s.c.desk.terms}); err != nil {
		return err
	}
	if s.participants, err = participant.New(participant.Config{Store: s.store.Participant(), Judge: s.judge, Registry: s.book.For(registry.ForRegister),
		Again: s.book.For(registry.ForReregister), By: askedBy, Facts: s.book,
		Rules: s.c.rules(), Origin: s.c.portal.origin, EmailChangeTTL: s.c.changeTTL, EmailChangeDelay: s.c.changeDelay,
		ResetLinkTTL: s.c.resetTTL, InviteTTL: s.c.inviteTTL, Invited: participant.Fate(s.c.invitedUsers), ReconfirmDays: s.c.reconfirmDays, Now: s.now,
		UnitRoles: s.c.portalRules.unitRoles, BlockPreviousAt: s.c.portalRules.blockPrevious, Stamps: s.portalStamps(), Answers: s.proofs(),
		Register: s.c.portalRules.register, SignIn: s.c.signin.SignInConfig, Passwords: participant.NewHasherOf(nil, s.c.signin.hash)}); err != nil {
		return err
	}
	s.openReminders()
	return s.publishAgreements(ctx)
}

// holds lifts holds where the authority is in this process.
func (s *server) holds() ra.Releaser {
	if s.ca == nil {
		return nil
	}
	return issued{s.authority}
}

// openSites makes the pages.
func (s *server) openSites(context.Context) error {
	test := len(s.c.identities) > 0
	sessions := auth.Config{Store: s.store.Auth(), Judge: s.judge, Now: s.now, Log: s.log,
		ChallengeTTL: s.c.signin.challengeTTL, Idle: s.c.signin.idle, Absolute: s.c.signin.most}
	own := sessions
	own.Site, own.Origin = "cabinet", s.c.cabinet.origin
	cabinetDesk, err := auth.New(own)
	if err != nil {
		return err
	}
	cabinetPhones, err := s.phones("cabinet", s.c.cabinet.origin)
	if err != nil {
		return err
	}
	portalPhones, err := s.phones("portal", s.c.portal.origin)
	if err != nil {
		return err
	}
	pages, err := cabinet.New(cabinet.Config{Origin: s.c.cabinet.origin, AgentURLs: s.c.agents, TestMode: test, Rules: s.c.rules(), Registries: s.loads, Proxies: s.c.proxies, Limits: s.c.signin.limits, Auth: cabinetDesk,
		Office: s.office, Judge: s.judge, Keys: issued{s.authority}, Receipts: s.receipts(), KeyIDs: s.keyIDs(), Letters: s.linksOfLetters(), Places: s.c.desk.places, OperatorBIN: s.c.clerks, DeskNetworks: s.c.desk.networks, Phone: cabinetPhones, Consents: s.consents(), Now: s.now, Log: s.log})
	if err != nil {
		return err
	}
	participants, err := portal.New(portal.Config{Site: web.Site{Origin: s.c.portal.origin, AgentURLs: s.c.agents, TestMode: test, Rules: s.c.rules(), Proxies: s.c.proxies, Limits: s.c.signin.limits}, Auth: sessions,
		Office: s.participants, Cabinet: s.c.cabinet.origin, Phone: portalPhones, Services: s.services(), Registries: s.loads, Consents: s.consents(), Now: s.now, Log: s.log})
	if err != nil {
		return err
	}
	s.sweepPhones(portalPhones)
	s.serveOn("portal", participants)
	if s.c.clerks != "" {
		clerks, err := desk.New(desk.Config{Site: web.Site{Name: "cabinet", Origin: s.c.cabinet.origin, AgentURLs: s.c.agents, TestMode: test, Rules: s.c.rules(), Proxies: s.c.proxies, Limits: s.c.signin.limits},
			Registries: s.loads, OpenNames: s.openNames(),
			Auth: cabinetDesk, Judge: s.judge, Book: s.book, BIN: s.c.clerks, Now: s.now, Log: s.log,
			Office: s.office, Places: s.c.desk.places, Networks: s.c.desk.networks, Elsewhere: pages, Figures: issued{s.authority}, Messages: s.sender, Imports: s.imports, Participants: s.participants})
		if err != nil {
			return err
		}
		mux := http.NewServeMux()
		mux.Handle("/", pages)
		mux.Handle("/desk/", clerks)
		pages = mux
	}
	s.serveOn("cabinet", s.withReceipts(pages))
	s.sessions = cabinetDesk
	if s.ca == nil {
		return nil
	}
	answers, err := responder.New(responder.Config{Authority: s.ca, Stamps: s.stamps, Now: s.now, Log: s.log, Proxies: s.c.proxies, TestMode: test, Health: s.health, Warning: s.warning})
	if err != nil {
		return err
	}
	s.serveOn("responder", s.withLog(answers))
	return nil
}

// handleJobs joins the jobs with who does them.
func (s *server) handleJobs(context.Context) error {
	if s.ca != nil {
		s.handleAuthority()
	}
	if s.c.only == "ca" {
		return nil
	}
	s.handleMail()
	s.handleReminders()
	s.handleState()
	s.handlePulls()
	s.store.Handle(ra.JobIssue, task(s.office.Issue))
	s.store.Handle(ra.JobRoute, task(s.office.Reroute))
	s.store.Handle(ra.JobAct, task(s.office.CarryOut))
	s.store.Handle(ra.JobTell, task(s.office.TellAgain))
	s.store.Handle(ra.JobFirstProof, task(s.office.ProveFirst))
	s.store.Handle(ra.JobReport, task(s.office.MakeReport))
	s.store.Handle(ra.JobReportWipe, task(s.office.WipeReport))
	s.store.Handle(sweepKind, func(ctx context.Context, _ []byte) error { return s.office.Sweep(ctx) })
	s.store.Handle(participant.ExpireKind, task(func(ctx context.Context, j participant.ExpireJob) error { return s.participants.Expire(ctx, j.ID) }))
	s.store.Handle(participant.EmailKind, task(func(ctx context.Context, j participant.EmailJob) error { return s.participants.ApplyEmail(ctx, j.ID) }))
	s.store.Handle(participant.ResetKind, task(func(ctx context.Context, j participant.ResetJob) error { return s.participants.SendReset(ctx, j.ID) }))
	s.store.Handle(participant.ReconfirmKind, task(func(ctx context.Context, j participant.ReconfirmJob) error {
		return s.participants.CloseUnconfirmed(ctx, j.Profile)
	}))
	s.store.HandleLong(registry.KindCompare, 9*time.Minute, task(s.imports.Compare))
	s.store.Handle(registry.KindPhoneChanged, task(func(context.Context, registry.PhoneChanged) error { return nil })) // the number is asked for each time
	s.store.Handle(registry.KindHeadChanged, task(s.headChanged))
	s.store.Handle(registry.KindEntityEnded, task(s.entityEnded))
	s.store.Handle(ra.JobRevoke, task(s.office.RevokeAll))
	s.store.Handle(ra.JobPreviousHead, task(s.office.RevokePrevious))
	s.store.Handle(participant.HeadChangedKind, task(s.headRegistered))
	s.store.Every(time.Hour, job.Job{Kind: sweepKind, Unique: "all"})
	s.handleProofs()
	return nil
}

// handleAuthority joins the jobs of an authority in this process.
func (s *server) handleAuthority() {
	s.store.Handle(ca.JobPublish, s.ca.PublishJob)
	s.store.Handle(ca.JobTend, func(ctx context.Context, _ []byte) error { return s.tend(ctx) })
	s.store.Handle(revokedKind, task(s.revoked))
	s.store.Handle(access.SweepKind, s.gate.SweepJob)
	s.store.Handle(keyIDsKind, func(ctx context.Context, _ []byte) error { return s.store.FillKeyIDs(ctx) })
	s.store.Every(24*time.Hour, job.Job{Kind: keyIDsKind, Unique: "all"})
	s.store.Every(tendEvery, job.Job{Kind: ca.JobTend, Unique: "all"})
	s.store.Every(24*time.Hour, access.Sweep())
}

const (
	// sweepKind is the job that ends applications nobody confirmed.
	sweepKind = "ra.sweep"
	// keyIDsKind is the job that notes the key identifiers of certificates of before they were noted.
	keyIDsKind = "ca.key_ids"
	// tendEvery finds a list that is late while there is time to make it: a quarter of an hour is the bound
	// (security.md §6).
	tendEvery = time.Minute
	// revokedKind follows every revocation, whoever asked for it.
	revokedKind = "ca.revoked"
)

// keyIDs finds certificates by key identifier, where the authority keeps its records in our database.
func (s *server) keyIDs() cabinet.KeyIDs {
	if s.ca == nil {
		return nil
	}
	return s.store
}

// revoked ends the sessions, on every site, that were opened with a certificate now revoked, and tells
// whom it concerns.
func (s *server) revoked(ctx context.Context, e ca.Event) error {
	if _, err := s.sessions.EndWhere(ctx, auth.Filter{Serial: e.Serial}, auth.ByCertificate); err != nil {
		return err
	}
	return s.office.KeyRevoked(ctx, e.Serial)
}

// task reads a job's payload.
func task[T any](do func(context.Context, T) error) func(context.Context, []byte) error {
	return func(ctx context.Context, payload []byte) error {
		var t T
		if err := json.Unmarshal(payload, &t); err != nil {
			return fmt.Errorf("read a job: %w", err)
		}
		return do(ctx, t)
	}
}

// start runs the jobs and tells programs where everything is.
func (s *server) start(ctx context.Context) error {
	if err := s.auditor.start(ctx); err != nil {
		return err
	}
	if !s.suspended() { // no letter and no order of an older copy goes out again
		if err := s.store.Start(ctx); err != nil {
			return err
		}
		if s.ca != nil {
			if err := s.tend(ctx); err != nil { // pages and answers are wanted all the more
				s.log.Error("lists or services of the authority could not be renewed; `senim ca rescue` says what to do", "error", err)
			}
		}
	}
	return writeJSON(filepath.Join(s.c.data, runningFile), running{Cabinet: s.c.cabinet.origin, Portal: s.c.portal.origin,
		Responder: s.c.responder.origin, Mailbox: s.c.mail.origin, OCSP: s.responders(), People: s.people})
}

// announce says where everything is; its last line begins with "ready", for programs that wait.
func (s *server) announce(w interface{ Write([]byte) (int, error) }) {
	var b strings.Builder
	if s.c.only == "" {
		fmt.Fprintf(&b, "cabinet    %s\nportal     %s\n", s.c.cabinet.origin, s.c.portal.origin)
	}
	fmt.Fprintf(&b, "responder  %s\n", s.c.responder.origin)
	if s.c.api.address != "" {
		fmt.Fprintf(&b, "API        %s\n", s.c.api.address)
	}
	if s.c.metrics.address != "" {
		fmt.Fprintf(&b, "metrics    %s/metrics\n", s.c.metrics.origin)
	}
	if s.mail != nil {
		fmt.Fprintf(&b, "mail box   %s\n", s.c.mail.origin)
		if s.walking != nil {
			fmt.Fprintf(&b, "clock      %s/clock\n", s.c.mail.origin)
		}
	}
	b.WriteString("ready\n")
	_, _ = w.Write([]byte(b.String()))
}
