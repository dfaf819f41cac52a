// Package tsa is the time-stamping authority: it signs that some bytes existed at a time (RFC 3161).
//
// [New] makes an [Authority]; [Authority.Answer] takes a request in DER and gives the answer in DER,
// a token or a refusal; [Authority.Stamp] makes a token for our own programs. The policy chooses the
// key: one for GOST512, one for RSA, each with a certificate for time-stamping and nothing else.
//
// It stamps only while it knows the time: [Authority.CheckClock] compares the machine's clock with
// others, at start and then hourly, and an authority whose last comparison is old, failed, or found
// more than a second answers timeNotAvailable. Times given by one process never go back. Serial
// numbers grow: blocks of them are taken from the [Store] before they are used, and every block is
// in the audit record, so each token is accounted for without a record of its own.
//
// No files, sockets or SQL: keys come from a [Signers], the comparison of clocks from a [Clock].
package tsa

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"sync"
	"time"

	"senim/algid"
	"senim/internal/audit"
	"senim/pki"
	"senim/tsp"
)

// Signers opens the keys of time-stamping certificates. Safe for concurrent use.
type Signers interface {
	// TimeStamper returns the present key of a kind and its certificate. An error means that there
	// is none to be had now.
	TimeStamper(ctx context.Context, k algid.Key) (crypto.Signer, *pki.Certificate, error)
}

// Clock compares the machine's clock with others.
type Clock interface {
	// Offset is how far this machine's clock is from the right time, either way.
	Offset(ctx context.Context) (time.Duration, error)
}

// Store keeps which serials were taken.
type Store interface {
	Update(ctx context.Context, f func(Tx) error) error
}

// Tx is one transaction.
type Tx interface {
	// TakeSerials takes n numbers that follow each other, never to be given again, and returns the
	// first. It keeps the later of at and the time kept before, and returns that one.
	TakeSerials(ctx context.Context, n int64, at time.Time) (first int64, latest time.Time, err error)
	Audit(ctx context.Context, e audit.Event) error
}

// Config makes an [Authority].
type Config struct {
	Store   Store   // required
	Signers Signers // required
	Clock   Clock   // required
	// Policies says which key signs under which policy, the first of a kind being what is used when
	// nothing was asked for; nil is [National].
	Policies []Policy
	// SHA1 admits imprints made with SHA-1, as old clients send.
	SHA1 bool
	// Now is the clock; nil is time.Now. Rand is nil for crypto/rand.
	Now  func() time.Time
	Rand io.Reader
	// Log is for operators; nil discards.
	Log *slog.Logger
}

// Policy is under what a token is given, and the kind of key that signs there.
type Policy struct {
	OID asn1.ObjectIdentifier
	Key algid.Key
}

// National are the policies of the national authority that we have keys for (crypto.md §13).
func National() []Policy {
	return []Policy{{tsp.PolicyGOST512, algid.GOST512}, {tsp.PolicyRSA, algid.RSA}}
}

// Bounds (security.md §5).
const (
	block      = 4096            // serials taken at once
	maxOffset  = time.Second     // of the clock
	checkLives = 2 * time.Hour   // a comparison of clocks counts this long
	backward   = 2 * time.Second // how far the clock may stand behind a time given before
)

// Authority answers requests. Safe for concurrent use.
type Authority struct {
	c Config

	mu         sync.Mutex // guards what follows
	next, end  int64      // serials taken and not used
	last       time.Time  // the latest time given
	checked    time.Time
	clockError error
}

// New makes an authority. It stamps nothing before the first [Authority.CheckClock].
func New(c Config) (*Authority, error) {
	if c.Store == nil || c.Signers == nil || c.Clock == nil {
		return nil, errors.New("new time-stamping authority: store, signers and clock are wanted")
	}
	if c.Policies == nil {
		c.Policies = National()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Authority{c: c, clockError: errors.New("the clock has not been checked yet")}, nil
}

// Answer answers a request in DER: with a token, or with the reason why there is none.
func (a *Authority) Answer(ctx context.Context, request []byte) []byte {
	q, err := tsp.ParseRequest(request)
	if err != nil {
		return tsp.Refuse(tsp.BadDataFormat)
	}
	token, err := a.token(ctx, q)
	if err == nil {
		return tsp.Grant(token)
	}
	no, ok := errors.AsType[*refusal](err)
	if !ok {
		no = &refusal{tsp.SystemFailure, err}
	}
	if no.failure == tsp.SystemFailure || no.failure == tsp.TimeNotAvailable {
		a.c.Log.Error("time-stamp refused", "error", err)
	}
	return tsp.Refuse(no.failure)
}

// Stamp makes a token over a digest for our own programs, under the policy of GOST512 unless a policy
// is given, with the certificate in it. It returns the TimeStampToken in DER.
func (a *Authority) Stamp(ctx context.Context, imprint tsp.Imprint, policy asn1.ObjectIdentifier) ([]byte, error) {
	q := &tsp.Request{Imprint: imprint, Policy: policy, Certificate: true}
	if policy == nil {
		q.Policy = tsp.PolicyGOST512
	}
	token, err := a.token(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("stamp: %w", err)
	}
	return token, nil
}

// refusal is an answer without a token.
type refusal struct {
	failure tsp.Failure
	why     error
}

func (r *refusal) Error() string { return r.why.Error() }
func (r *refusal) Unwrap() error { return r.why }

func (a *Authority) token(ctx context.Context, q *tsp.Request) ([]byte, error) {
	p, err := a.policy(q)
	if err != nil {
		return nil, err
	}
	key, cert, err := a.c.Signers.TimeStamper(ctx, p.Key)
	if err != nil {
		return nil, err
	}
	stamp, err := a.stamp(ctx)
	if err != nil {
		return nil, err
	}
	stamp.Policy = p.OID
	if stamp.Time.Before(cert.NotBefore) || stamp.Time.After(cert.NotAfter) {
		return nil, fmt.Errorf("time-stamping certificate %s is out of its dates", cert.SerialHex())
	}
	return tsp.CreateToken(a.c.Rand, key, cert, q, stamp)
}

// policy is what the request asks for; without one, the hash says which kind of key is meant.
func (a *Authority) policy(q *tsp.Request) (Policy, error) {
	if q.Imprint.Hash.Size() == 0 || (q.Imprint.Hash == algid.SHA1 && !a.c.SHA1) {
		return Policy{}, &refusal{tsp.BadAlgorithm, fmt.Errorf("imprint by %s", q.Imprint.HashOID)}
	}
	wanted := algid.GOST512
	switch q.Imprint.Hash {
	case algid.SHA1, algid.SHA256, algid.SHA384, algid.SHA512:
		wanted = algid.RSA
	default:
	}
	for _, p := range a.c.Policies {
		if q.Policy == nil && p.Key == wanted || q.Policy != nil && q.Policy.Equal(p.OID) {
			return p, nil
		}
	}
	if q.Policy == nil && len(a.c.Policies) > 0 {
		return a.c.Policies[0], nil
	}
	return Policy{}, &refusal{tsp.UnacceptedPolicy, fmt.Errorf("policy %s", q.Policy)}
}

// stamp gives the time and a serial, or says that the time is not known.
func (a *Authority) stamp(ctx context.Context) (tsp.Stamp, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.c.Now().UTC()
	if err := a.synchronised(now); err != nil {
		return tsp.Stamp{}, &refusal{tsp.TimeNotAvailable, err}
	}
	if a.next == a.end {
		if err := a.take(ctx, now); err != nil {
			return tsp.Stamp{}, err
		}
	}
	if a.last.Sub(now) > backward {
		return tsp.Stamp{}, &refusal{tsp.TimeNotAvailable, fmt.Errorf("the clock stands %s behind a time given before", a.last.Sub(now).Round(time.Second))}
	}
	if now.After(a.last) {
		a.last = now
	}
	serial, err := a.serial(a.next)
	if err != nil {
		return tsp.Stamp{}, err
	}
	a.next++
	return tsp.Stamp{Serial: serial, Time: a.last.Truncate(time.Second)}, nil
}

// take gets the next block of serials. It is called under mu: whoever comes meanwhile needs it too.
func (a *Authority) take(ctx context.Context, now time.Time) error {
	var first int64
	var latest time.Time
	err := a.c.Store.Update(ctx, func(tx Tx) (err error) {
		if first, latest, err = tx.TakeSerials(ctx, block, now); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "tsa.serials_taken", Actor: "system", Object: fmt.Sprint(first), Result: "ok",
			Detail: map[string]string{"count": fmt.Sprint(block)}})
	})
	if err != nil {
		return fmt.Errorf("take serials: %w", err)
	}
	a.next, a.end = first, first+block
	if latest.After(a.last) {
		a.last = latest
	}
	return nil
}

// serial is 20 octets with 40 hex digits: the number, which makes them grow, and 96 random bits, so
// that not even a database restored from yesterday gives one twice.
func (a *Authority) serial(n int64) (*big.Int, error) {
	b := make([]byte, 20)
	if _, err := io.ReadFull(a.c.Rand, b[8:]); err != nil {
		return nil, fmt.Errorf("serial: %w", err)
	}
	new(big.Int).SetInt64(n).FillBytes(b[:8])
	b[0] |= 0x10
	return new(big.Int).SetBytes(b), nil
}
