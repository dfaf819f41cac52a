package ca

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"senim/algid"
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

	authorities map[string]*authority // never changes after Open
	order       []string              // their names, sorted
	orders      locks
	proofs      proofs
	// at is told how far an order has come; tests end the process there.
	at       func(step string)
	practice practice
	answers  answers
}

// authority is one open authority.
type authority struct {
	name, parent string
	cert         *pki.Certificate
	settings     Settings
	key          string
	keys         Keys
	proofs       *proofs

	mu        sync.Mutex // guards what follows
	signer    crypto.Signer
	responder *responder
}

// Settings is what an authority writes into the certificates it signs.
type Settings struct {
	Policy string `json:"policy"` // dotted OID
	CPS    string `json:"cps"`    // address of the statement
	// Organization is the one in the responder's certificate.
	Organization string   `json:"organization,omitempty"`
	OCSP         []string `json:"ocsp,omitempty"`
	Issuers      []string `json:"issuers,omitempty"`
	CRL          []string `json:"crl,omitempty"`
	DeltaCRL     []string `json:"deltaCRL,omitempty"`
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
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.at = func(string) {}
	var all []AuthorityRecord
	err := s.store.View(ctx, func(tx Tx) (err error) {
		all, err = tx.Authorities(ctx)
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
	return s, nil
}

func openAuthority(r AuthorityRecord, keys Keys) (*authority, error) {
	cert, err := pki.ParseCertificate(r.Raw)
	if err != nil {
		return nil, err
	}
	a := &authority{name: r.Name, parent: r.Parent, cert: cert, key: r.Key, keys: keys}
	if err := json.Unmarshal(r.Settings, &a.settings); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	return a, nil
}

// open returns the authority's key, opened on first use and held against its certificate.
func (a *authority) open(ctx context.Context) (crypto.Signer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.signer != nil {
		return a.signer, nil
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
}

// Authorities lists the open authorities by name, roots among them.
func (s *Service) Authorities() []Authority {
	all := make([]Authority, len(s.order))
	for i, name := range s.order {
		a := s.authorities[name]
		all[i] = Authority{Name: a.name, Parent: a.parent, Certificate: a.cert}
	}
	return all
}

// issuer is the issuing authority for keys of a kind.
func (s *Service) issuer(k algid.Key) (*authority, bool) {
	for _, name := range s.order {
		if a := s.authorities[name]; a.parent != "" && a.cert.Key == k {
			return a, true
		}
	}
	return nil, false
}
