package keystore

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"senim/internal/token"
	"senim/pki"
)

// Storages of files; tokens have the names of their drivers.
const (
	PKCS12 = "PKCS12"
	JKS    = "JKS"
)

// TokenDriver is a PKCS #11 driver, run in a process of its own.
type TokenDriver struct {
	Storage string       // as pages name it, AKKaztokenStore
	Program string       // the path of senim-token
	Module  string       // the path of the driver
	Log     *slog.Logger // what the driver writes to its standard error goes there; nil is nowhere
}

func (d TokenDriver) config() token.Config {
	return token.Config{Program: d.Program, Module: d.Module, Log: d.Log}
}

// lookTime bounds how long a window waits to know what is plugged in.
const lookTime = 5 * time.Second

// PluggedToken is a token that is there now.
type PluggedToken struct {
	ID            string // names it between the calls of a window
	Storage       string
	Label, Serial string
	Locked        bool
	Problem       string // why it cannot be read, or not all of it; it may have no label then

	driver TokenDriver
}

// Place is an open token: keys are made in it, and certificates put beside them. Whoever opened it closes it.
type Place struct {
	Storage, Label, Serial string

	t *token.Token
}

// Close lets the token go.
func (p *Place) Close() error { return p.t.Close() }

// onToken says where a key on a token is.
type onToken struct {
	at   PluggedToken
	id   []byte
	cert *pki.Certificate
}

// Errors of a PIN, beside [ErrPassword]: tokens lock.
var (
	// ErrLastTry: the PIN was wrong, and one more wrong one locks the token.
	ErrLastTry = errors.New("wrong PIN, one try is left")
	// ErrNoPIN: none was typed. The token was not asked: that would be a try.
	ErrNoPIN = errors.New("no PIN was typed")
	// ErrLocked: the token is locked.
	ErrLocked = errors.New("the token is locked")
)

// Seen is what the tokens that are plugged in show without a PIN.
type Seen struct {
	Files  []File // their keys
	Tokens []PluggedToken
	Err    error // of drivers that failed; a broken one hides neither files nor the tokens of others
	Failed []TokenDriver
}

// Unsure tells that the driver of a key failed at this look, so that nobody knows whether its token is there.
func (s Seen) Unsure(f File) bool {
	return f.token != nil && slices.ContainsFunc(s.Failed, f.token.at.Of)
}

// Of tells whether a token was seen by this driver.
func (p PluggedToken) Of(d TokenDriver) bool {
	return p.driver.Storage == d.Storage && p.driver.Module == d.Module
}

// Storages names the storages of the tokens that can be read; both of those that one driver serves.
func (s Seen) Storages() []string {
	list := []string{}
	for _, t := range s.Tokens {
		for _, name := range []string{t.Storage, eToken5110, eToken72K} {
			if t.Label != "" && SameStorage(name, t.Storage) && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	slices.Sort(list)
	return list
}

// ScanTokens lists the tokens that are plugged in and their keys. One that cannot be read is listed with its problem.
func ScanTokens(drivers []TokenDriver) Seen {
	found := make([]struct {
		tokens []token.Plugged
		err    error
	}, len(drivers))
	var all sync.WaitGroup
	for i, d := range drivers {
		all.Go(func() {
			c := d.config()
			c.Timeout = lookTime
			found[i].tokens, found[i].err = token.Look(c)
		})
	}
	all.Wait()
	var seen Seen
	for i, d := range drivers {
		if found[i].err != nil {
			seen.Err, seen.Failed = errors.Join(seen.Err, found[i].err), append(seen.Failed, d)
		}
		for _, t := range found[i].tokens {
			seen.add(d, t)
		}
	}
	return seen
}

func (s *Seen) add(d TokenDriver, t token.Plugged) {
	name := d.Storage + "\x00" + t.Label + "\x00" + t.Serial + "\x00"
	at := PluggedToken{ID: tokenID(name), Storage: d.Storage, Label: t.Label, Serial: t.Serial, Locked: t.Locked, Problem: t.Problem, driver: d}
	s.Tokens = append(s.Tokens, at)
	for _, c := range t.Certificates {
		cert, bad := pki.ParseCertificate(c.DER)
		if bad != nil {
			continue // somebody else's kind
		}
		s.Files = append(s.Files, File{ID: tokenID(name + string(c.DER)), Name: t.Label, Kind: Unknown, Storage: d.Storage,
			Modified: cert.NotBefore, token: &onToken{at: at, id: c.ID, cert: cert}})
	}
}

func tokenID(of string) string {
	sum := sha256.Sum256([]byte(of))
	return "token-" + hex.EncodeToString(sum[:16])
}

// Open opens a token with its PIN, once. A wrong PIN is [ErrPassword], [ErrLastTry] or [ErrLocked], an empty one [ErrNoPIN].
func (p PluggedToken) Open(pin string) (*Place, error) {
	if pin == "" {
		return nil, ErrNoPIN
	}
	c := p.driver.config()
	c.Label, c.Serial, c.PIN = p.Label, p.Serial, []byte(pin)
	t, err := token.Open(c)
	switch {
	case errors.Is(err, token.ErrPIN):
		return nil, p.wrongPIN()
	case err != nil:
		return nil, fmt.Errorf("open token: %w", err)
	}
	return &Place{Storage: p.Storage, Label: p.Label, Serial: p.Serial, t: t}, nil
}

// Token names the token a key is on, as [PluggedToken] does; empty for a file.
func (f File) Token() string {
	if f.token == nil {
		return ""
	}
	return f.token.at.ID
}

// Certificate is what a key shows before it is opened: of a token, its certificate; of a file, nothing.
func (f File) Certificate() *pki.Certificate {
	if f.token == nil {
		return nil
	}
	return f.token.cert
}

// unlockToken opens a key on a token with its PIN, once.
func unlockToken(f File, pin string) (*Key, error) {
	place, err := f.token.at.Open(pin)
	if err != nil {
		return nil, err
	}
	signer, err := place.t.Key(context.Background(), token.NameOf(f.token.id))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open token: %w", err), place.Close())
	}
	if public, ok := signer.Public().(interface{ Equal(x crypto.PublicKey) bool }); !ok || !public.Equal(f.token.cert.PublicKey) {
		return nil, errors.Join(errors.New("open token: the key is not that of the certificate"), place.Close())
	}
	return &Key{Signer: signer, Certificate: f.token.cert, Storage: f.Storage, place: place}, nil
}

// wrongPIN says how near a token is to be locked, as far as it tells.
func (p PluggedToken) wrongPIN() error {
	c := p.driver.config()
	c.Timeout = lookTime
	tokens, err := token.Look(c)
	if err != nil {
		return ErrPassword
	}
	for _, t := range tokens {
		switch {
		case t.Label != p.Label || t.Serial != p.Serial:
		case t.Locked:
			return ErrLocked
		case t.Final:
			return ErrLastTry
		}
	}
	return ErrPassword
}
