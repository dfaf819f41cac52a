package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"senim/internal/ca"
	"senim/internal/caapi/client"
	"senim/internal/trust"
	"senim/internal/vault"
	"senim/pki"
)

// authority is what the rest of the server asks of the certification authority: of the one in this
// process, or of one on another machine.
type authority interface {
	Issue(ctx context.Context, o ca.Order) (*ca.Issued, error)
	Revoke(ctx context.Context, serial string, reason ca.Reason, by string, invalidity time.Time) (*ca.Revocation, error)
	Certificate(ctx context.Context, serial string) (*ca.Info, error)
	ByHolder(ctx context.Context, iin, bin string) ([]ca.Info, error)
	Living(ctx context.Context, iins []string, from time.Time) ([]ca.Info, error)
	Companies(ctx context.Context, from, to time.Time, after string, limit int) ([]string, error)
	Expiring(ctx context.Context, from, to time.Time, f func(ca.Info) error) error
	Authorities() []ca.Authority
}

var (
	_ authority = (*ca.Service)(nil)
	_ authority = (*remote)(nil)
)

// remote is the authority on another machine, spoken to by its API. What the API refuses comes back as
// the error the authority itself would have given.
type remote struct {
	api *client.Client
	// authorities are those it had when this process started.
	authorities []ca.Authority
	// profiles are those of holders, as far as this client may ask for them.
	profiles map[string]bool
	// revoked is told of every revocation asked for here: the authority's own jobs run elsewhere.
	revoked func(context.Context, ca.Event) error

	mu     sync.Mutex
	listed companies // under mu: the last list that was asked for
}

// companies are organisations with certificates that end in a time, in order.
type companies struct {
	from, to time.Time
	bins     []string
}

// dialRemote opens the way to the authority and asks which authorities there are: without an answer
// nothing can be judged, so the server does not start.
func dialRemote(ctx context.Context, c remoteConfig) (*remote, error) {
	settings, err := c.settings()
	if err != nil {
		return nil, err
	}
	key := ""
	if c.keyFile != "" {
		b, _, err := vault.Secret(c.keyFile, false)
		if err != nil {
			return nil, fmt.Errorf("key of the authority's API: %w", err)
		}
		key = string(b)
	}
	r := &remote{profiles: map[string]bool{}, revoked: func(context.Context, ca.Event) error { return nil }}
	if r.api, err = client.New(client.Config{URL: c.url, Key: key, TLS: settings}); err != nil {
		return nil, err
	}
	all, err := r.api.Authorities(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the authority at %s: %w", c.url, err)
	}
	profiles, err := r.api.Profiles(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the authority at %s: %w", c.url, err)
	}
	for _, p := range profiles.Items {
		r.profiles[p.Name] = true
	}
	for _, a := range all.Items {
		der, err := client.DER(a.Certificate)
		if err != nil {
			return nil, err
		}
		cert, err := pki.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("authority %s at %s: %w", a.Name, c.url, err)
		}
		r.authorities = append(r.authorities, ca.Authority{Name: a.Name, Parent: a.Parent, Issuing: a.Issuing, Retired: a.Retired, Certificate: cert})
	}
	return r, nil
}

// remoteConfig says where an authority on another machine is and who we are there.
type remoteConfig struct {
	url, keyFile, certificate, certificateKey, roots string
}

func (c remoteConfig) settings() (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.roots != "" {
		pool, err := readPool(c.roots)
		if err != nil {
			return nil, fmt.Errorf("-ca.cacert: %w", err)
		}
		out.RootCAs = pool
	}
	if c.certificate != "" || c.certificateKey != "" {
		pair, err := readPair(c.certificate, c.certificateKey)
		if err != nil {
			return nil, fmt.Errorf("-ca.certificate: %w", err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}

// readPair reads a certificate and its key, which nobody else of the machine may read.
func readPair(certificate, key string) (tls.Certificate, error) {
	secret, _, err := vault.Secret(key, false)
	if err != nil {
		return tls.Certificate{}, err
	}
	public, err := os.ReadFile(certificate)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(public, secret)
}

func readPool(name string) (*x509.CertPool, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("%s holds no certificates in PEM", name)
	}
	return pool, nil
}

func (r *remote) Authorities() []ca.Authority { return r.authorities }

func (r *remote) Issue(ctx context.Context, o ca.Order) (*ca.Issued, error) {
	made, err := r.api.Issue(ctx, o.ID, client.IssueRequest{Profile: o.Profile, CSR: base64.StdEncoding.EncodeToString(o.CSR), Storage: o.Storage.String(),
		Identity: o.Identity, Replaces: o.Replaces, Reference: o.By, Subject: client.Subject{CommonName: o.Subject.CommonName, Surname: o.Subject.Surname,
			Patronymic: o.Subject.Patronymic, IIN: o.Subject.IIN, Organization: o.Subject.Organization, BIN: o.Subject.BIN, UID: o.Subject.UID, System: o.Subject.System,
			TreasuryRole: o.Subject.TreasuryRole, TreasuryCode: o.Subject.TreasuryCode, Email: o.Subject.Email}})
	if err != nil {
		return nil, asHere(err)
	}
	der, err := client.DER(made.Certificate)
	if err != nil {
		return nil, err
	}
	return &ca.Issued{Serial: made.Serial, CA: made.Authority, Raw: der, NotBefore: made.NotBefore, NotAfter: made.NotAfter}, nil
}

// Revoke asks under a key of its own each time: revoking again is harmless, and a hold after a release
// is a new one. Tries inside one call share the key.
func (r *remote) Revoke(ctx context.Context, serial string, reason ca.Reason, by string, invalidity time.Time) (*ca.Revocation, error) {
	var v client.Revocation
	var err error
	if reason == ca.CertificateHold {
		v, err = r.api.Hold(ctx, serial, rand.Text(), client.HoldRequest{Reference: by})
	} else {
		ask := client.RevokeRequest{Reason: trust.ReasonName(int(reason)), Reference: by}
		if !invalidity.IsZero() {
			ask.Invalidity = &invalidity
		}
		v, err = r.api.Revoke(ctx, serial, rand.Text(), ask)
	}
	if err != nil {
		return nil, asHere(err)
	}
	if err := r.revoked(ctx, ca.Event{Serial: serial}); err != nil {
		return nil, err
	}
	return revocationHere(v)
}

func revocationHere(v client.Revocation) (*ca.Revocation, error) {
	out := &ca.Revocation{At: v.At}
	if v.Invalidity != nil {
		out.Invalidity = *v.Invalidity
	}
	for _, reason := range []ca.Reason{ca.Unspecified, ca.KeyCompromise, ca.AffiliationChanged, ca.Superseded, ca.CessationOfOperation, ca.CertificateHold} {
		if trust.ReasonName(int(reason)) == v.Reason {
			out.Reason = reason
			return out, nil
		}
	}
	return nil, fmt.Errorf("the authority names the reason %q", v.Reason)
}

func (r *remote) Certificate(ctx context.Context, serial string) (*ca.Info, error) {
	c, err := r.api.Certificate(ctx, serial)
	if err != nil {
		return nil, asHere(err)
	}
	return infoHere(c)
}

// most bounds the certificates of one holder.
const most = 100_000

func (r *remote) ByHolder(ctx context.Context, iin, bin string) ([]ca.Info, error) {
	if iin == "" && bin == "" {
		return nil, errors.New("certificates of a holder: neither IIN nor BIN")
	}
	return r.search(ctx, client.Query{IIN: iin, BIN: bin, Limit: 100}, most)
}

// Living asks for one person after the other: the API has no question about many.
func (r *remote) Living(ctx context.Context, iins []string, from time.Time) (all []ca.Info, err error) {
	for _, iin := range iins {
		infos, err := r.ByHolder(ctx, iin, "")
		if err != nil {
			return nil, err
		}
		for _, i := range infos {
			if !i.NotAfter.Before(from) {
				all = append(all, i)
			}
		}
	}
	return all, nil
}

// Companies collects them from everything that ends, once for all pages of one list.
func (r *remote) Companies(ctx context.Context, from, to time.Time, after string, limit int) ([]string, error) {
	r.mu.Lock()
	list := r.listed
	r.mu.Unlock()
	if after == "" || !list.from.Equal(from) || !list.to.Equal(to) {
		bins := map[string]bool{}
		if err := r.Expiring(ctx, from, to, func(i ca.Info) error {
			if i.BIN != "" {
				bins[i.BIN] = true
			}
			return nil
		}); err != nil {
			return nil, err
		}
		list = companies{from, to, keys(bins)}
		r.mu.Lock()
		r.listed = list
		r.mu.Unlock()
	}
	first, _ := slices.BinarySearch(list.bins, after+"\x00")
	page := list.bins[first:]
	return slices.Clone(page[:min(len(page), limit)]), nil
}

const (
	// inPart is how many certificates that end are taken over at once, and widest the longest time that is asked about.
	inPart = 10_000
	widest = 7 * 24 * time.Hour
	// shortest is the least time that is asked about: more than that in it are too many.
	shortest = time.Minute
)

func (r *remote) Expiring(ctx context.Context, from, to time.Time, f func(ca.Info) error) error {
	return r.expiring(ctx, from, to, inPart, f)
}

// expiring goes through the time in parts, as the API gives what it finds in the order of issue: a part is so short that
// what ends in it can be held and ordered here.
func (r *remote) expiring(ctx context.Context, from, to time.Time, inPart int, f func(ca.Info) error) error {
	for part := widest; from.Before(to); {
		next := from.Add(part)
		if next.After(to) {
			next = to
		}
		all, err := r.search(ctx, client.Query{EndsFrom: from, EndsTo: next, Limit: 100}, inPart)
		if errors.Is(err, client.ErrMany) && part/2 >= shortest {
			part /= 2
			continue
		}
		if err != nil {
			return err
		}
		slices.SortStableFunc(all, func(a, b ca.Info) int { return a.NotAfter.Compare(b.NotAfter) })
		for _, i := range all {
			if !r.profiles[i.Profile] || i.Revoked != nil {
				continue
			}
			if err := f(i); err != nil {
				return err
			}
		}
		if from = next; len(all) < inPart/4 {
			part = min(2*part, widest)
		}
	}
	return nil
}

func (r *remote) search(ctx context.Context, q client.Query, most int) ([]ca.Info, error) {
	found, err := r.api.SearchAll(ctx, q, most)
	if err != nil {
		return nil, asHere(err)
	}
	all := make([]ca.Info, len(found))
	for i, c := range found {
		info, err := infoHere(c)
		if err != nil {
			return nil, err
		}
		all[i] = *info
	}
	return all, nil
}

func infoHere(c client.Certificate) (*ca.Info, error) {
	der, err := client.DER(c.Certificate)
	if err != nil {
		return nil, err
	}
	i := &ca.Info{Serial: c.Serial, CA: c.Authority, Order: c.Order, Profile: c.Profile, IIN: c.IIN, BIN: c.BIN, Name: c.Name,
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, IssuedAt: c.Issued, Replaces: c.Replaces, ReplacedBy: c.ReplacedBy, Raw: der}
	if c.Revocation != nil {
		if i.Revoked, err = revocationHere(*c.Revocation); err != nil {
			return nil, err
		}
	}
	if revoked := c.State == client.StateRevoked || c.State == client.StateHold; revoked != (i.Revoked != nil) {
		return nil, fmt.Errorf("the authority says %q of %s and contradicts itself", c.State, c.Serial)
	}
	return i, nil
}

// asHere turns a refusal of the API into the error of the authority behind it. What is left as it is,
// no answer and missing rights among it, is worth trying again.
func asHere(err error) error {
	p, ok := errors.AsType[*client.Problem](err)
	if !ok {
		return err
	}
	switch {
	case p.Code == "NOT_FOUND":
		return fmt.Errorf("%w: %w", ca.ErrNotFound, err)
	case p.Code == "ORDER_CLOSED":
		return fmt.Errorf("%w: %w", ca.ErrClosed, err)
	case p.Code == "OTHER_ORDER", p.Code == "OTHER_REQUEST":
		return fmt.Errorf("%w: %w", ca.ErrOtherOrder, err)
	case p.Code == "REQUEST_INVALID":
		return &ca.Refusal{Code: ca.CodeSubjectInvalid, Why: p.Detail}
	case p.Status == http.StatusUnprocessableEntity, p.Code == ca.CodeKeyReused:
		return &ca.Refusal{Code: p.Code, Why: cmp.Or(p.Detail, p.Title)}
	}
	return err
}
