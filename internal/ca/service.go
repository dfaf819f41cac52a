package ca

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"senim/algid"
	"senim/internal/profile"
	"senim/internal/turn"
	"senim/internal/weakkey"
	"senim/pki"
)

// Config opens a [Service].
type Config struct {
	// Store keeps the records. Required.
	Store Store
	// Keys opens the authorities' keys, each when it is first needed. Required.
	Keys Keys
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Rand is the source of randomness; nil is crypto/rand.
	Rand io.Reader
	// Log is for operators; nil discards. Serials and names of authorities go there, nothing
	// of holders.
	Log *slog.Logger
	// AllowDates lets orders choose their dates: for demonstrations and tests only.
	AllowDates bool
	// IssuedJob and RevokedJob name jobs enqueued in the transaction that records a certificate or
	// a revocation, with [Event] as payload. Empty enqueues nothing.
	IssuedJob, RevokedJob string
	// Node tells apart nodes that share a database: it is part of random serials.
	Node byte
	// Answers bounds the certificates whose OCSP answers are kept in memory, 2 to 6 KiB each; zero is 16384.
	Answers int
	// Profiles is the set to issue by; nil is the national one, [profile.NCA]. Another set than the
	// one before is recorded, and audited.
	Profiles profile.Set
	// Published is told of every list that was stored, to lay it where it is read from: name as for
	// [Service.CRL]. What fails is logged, and tried again with the next Tend. The lists that are there
	// are told by the first Tend. Nil: nobody.
	Published func(ctx context.Context, name string, delta bool, l *List) error
	// Check is called before anything is done or recorded here. What it answers, if anything, suspends
	// the service: see [Service.Suspend]. Nil: nothing is checked.
	Check func(ctx context.Context, s *Service) (why string, err error)
	// Compromised reads the list of keys known to be compromised: at Open, which fails when it does,
	// and again with every Tend. Nil: there is none.
	Compromised func(context.Context) (weakkey.List, error)
}

// Event is the payload of Config.IssuedJob and Config.RevokedJob.
type Event struct {
	Serial string `json:"serial"`
	Order  string `json:"order"`
}

// Service is the open authorities. Safe for concurrent use.
type Service struct {
	store      Store
	keys       Keys
	now        func() time.Time
	rand       io.Reader
	log        *slog.Logger
	allowDates bool
	issuedJob  string
	revokedJob string
	node       byte
	profiles   profile.Set
	blocked    blocked

	authorities map[string]*authority // never changes after Open
	order       []string              // their names, sorted
	orders      turn.Turns
	proofs      proofs
	// at is told how far an order has come; tests end the process there.
	at        func(step string)
	practice  practice
	suspended atomic.Pointer[string]

	// What OCSP answers are kept in, and by; see lease.go.
	settles  time.Duration    // settleTime; a test shows what happens without
	tick     func() time.Time // measures how long, unlike now, which tells what time it is
	seed     maphash.Seed
	requests *otter.Cache[uint64, *asked]
	statuses *otter.Cache[serialOf, *known]
	issuers  sync.Map // algid.Hash → map[issuerKey]*authority
	counts   counts

	published listCache
	laying    laying
}

// authority is one open authority.
type authority struct {
	name, parent string
	cert         *pki.Certificate
	settings     Settings
	policy       func() (asn1.ObjectIdentifier, error) // its own, of the settings; read once
	retired      bool                                  // it issues no more
	crosses      []Cross
	key          string
	keys         Keys
	pace         pace
	lease        func() *lease
	responder    atomic.Pointer[responder] // nil: not opened yet; written under mu
	proofs       *proofs

	mu      sync.Mutex // guards what follows
	signer  crypto.Signer
	stamper *responder // for time-stamps
}

// Settings is what an authority writes into the certificates it signs.
type Settings struct {
	Policy string `json:"policy"` // dotted OID
	CPS    string `json:"cps"`    // address of the statement
	// Address is where it is published, without a slash at the end; empty for authorities of before.
	Address string `json:"address,omitempty"`
	// NoTSA says that it has no time-stamping authority.
	NoTSA bool `json:"noTSA,omitempty"`
	// Organization is the one in the responder's certificate.
	Organization string   `json:"organization,omitempty"`
	OCSP         []string `json:"ocsp,omitempty"`
	Issuers      []string `json:"issuers,omitempty"`
	CRL          []string `json:"crl,omitempty"`
	DeltaCRL     []string `json:"deltaCRL,omitempty"`
	// Shards are the numbers of lists the certificates were divided among, see [Divide]; the last one
	// holds for new certificates.
	Shards []int `json:"shards,omitempty"`
}

// Open opens the authorities that were created in this store. It makes nothing: a store without
// authorities is an error, so that a wrong path cannot start a second authority.
func Open(ctx context.Context, c Config) (*Service, error) {
	if c.Store == nil || c.Keys == nil {
		return nil, errors.New("open authority: store and keys are wanted")
	}
	s := &Service{
		store: c.Store, keys: c.Keys, now: c.Now, rand: c.Rand, log: c.Log, allowDates: c.AllowDates,
		issuedJob: c.IssuedJob, revokedJob: c.RevokedJob, node: c.Node, authorities: map[string]*authority{},
		profiles: c.Profiles, blocked: blocked{read: c.Compromised}, laying: laying{put: c.Published},
	}
	if s.profiles == nil {
		s.profiles = profile.NCA()
	}
	if s.now == nil {
		s.now = time.Now
	}
	most := cmp.Or(c.Answers, 1<<14)
	s.tick, s.settles, s.seed = time.Now, settleTime, maphash.MakeSeed()
	s.requests, s.statuses = newCache[uint64, *asked](most), newCache[serialOf, *known](most)
	if s.rand == nil {
		s.rand = rand.Reader
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.at = func(string) {}
	var all []AuthorityRecord
	var crosses []CrossRecord
	err := s.store.View(ctx, func(tx Tx) (err error) {
		if all, err = tx.Authorities(ctx); err != nil {
			return err
		}
		crosses, err = tx.Crosses(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("open authority: none has been created here: %w", ErrNotFound)
	}
	for _, r := range all {
		a, err := openAuthority(r, c.Keys)
		if err != nil {
			return nil, fmt.Errorf("open authority %s: %w", r.Name, err)
		}
		a.proofs = &s.proofs
		s.authorities[r.Name] = a
		s.order = append(s.order, r.Name)
	}
	for _, x := range crosses {
		a := s.authorities[x.Subject]
		if a == nil {
			continue
		}
		cert, err := pki.ParseCertificate(x.Raw)
		if err != nil {
			return nil, fmt.Errorf("open authority %s: %w", x.Name, err)
		}
		a.crosses = append(a.crosses, Cross{x.Name, cert})
	}
	if c.Check != nil {
		why, err := c.Check(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("open authority: %w", err)
		}
		if why != "" {
			s.Suspend(why)
			return s, nil
		}
	}
	if err := s.blocked.load(ctx); err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	if err := s.recordProfiles(ctx); err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	return s, nil
}

func openAuthority(r AuthorityRecord, keys Keys) (*authority, error) {
	cert, err := pki.ParseCertificate(r.Raw)
	if err != nil {
		return nil, err
	}
	a := &authority{name: r.Name, parent: r.Parent, cert: cert, key: r.Key, keys: keys, lease: sync.OnceValue(newLease), retired: !r.Retired.IsZero()}
	if err := json.Unmarshal(r.Settings, &a.settings); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	a.policy = sync.OnceValues(func() (asn1.ObjectIdentifier, error) { return pki.ParseOID(a.settings.Policy) })
	return a, nil
}

// works reports that its key is here and it answers for what it issued: an issuing authority, retired or
// not. Authorities above are published here and work elsewhere, by ceremony.
func (a *authority) works() bool { return a.parent != "" && a.cert.MaxPathLen == 0 && a.key != "" }

// open returns the authority's key, opened on first use and held against its certificate.
func (a *authority) open(ctx context.Context) (crypto.Signer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.signer != nil {
		return a.signer, nil
	}
	if a.key == "" {
		return nil, fmt.Errorf("open key of %s: it is kept offline", a.name)
	}
	key, err := openKey(ctx, a.keys, a.key, a.cert)
	if err != nil {
		return nil, err
	}
	a.signer = key
	return key, nil
}

// openKey opens a key and refuses one that is not the certificate's.
func openKey(ctx context.Context, keys Keys, name string, cert *pki.Certificate) (crypto.Signer, error) {
	key, err := keys.Key(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("open key %s: %w", name, err)
	}
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(cert.PublicKey) {
		return nil, fmt.Errorf("open key %s: it is not the key of certificate %s", name, cert.SerialHex())
	}
	return key, nil
}

// Authority is an authority as others may know it.
type Authority struct {
	Name        string // as in addresses: "gost", "root_gost"
	Parent      string // "" for a root
	Certificate *pki.Certificate
	// Issuing says that it signs certificates of people here, or did: its status and lists come from here.
	Issuing bool
	// Retired says that another has taken over: it issues no more.
	Retired bool
	// Cross are certificates of the same key by other roots.
	Cross []Cross
}

// Cross is a root's certificate by another root.
type Cross struct {
	Name        string // as in addresses
	Certificate *pki.Certificate
}

// Authorities lists the open authorities by name, roots among them.
func (s *Service) Authorities() []Authority {
	all := make([]Authority, len(s.order))
	for i, name := range s.order {
		a := s.authorities[name]
		all[i] = Authority{Name: a.name, Parent: a.parent, Certificate: a.cert, Issuing: a.works(), Retired: a.retired, Cross: a.crosses}
	}
	return all
}

// issuer is the authority that issues for keys of a kind now.
func (s *Service) issuer(k algid.Key) (*authority, bool) {
	for _, name := range s.order {
		if a := s.authorities[name]; a.works() && !a.retired && a.cert.Key == k {
			return a, true
		}
	}
	return nil, false
}
