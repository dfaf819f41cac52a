// Program stepca is the peer of the rows of issuing: step-ca's authority (github.com/smallstep/certificates)
// with its database on bbolt, signing P-256 certificates for one-time tokens, in process, as the project's
// benchmark does. It is a module of its own, so that what it needs moves nothing of the project's.
//
//	stepca version
//	stepca SECONDS OPERATION    # operation: issue (token and signature) or sign (signature alone)
//
// It prints the operation, a tab, and operations for each second of processor time this process used, whatever
// core. Keys, requests and tokens are the client's and are made outside of what is measured.
package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/smallstep/certificates/authority"
	"github.com/smallstep/certificates/authority/config"
	"github.com/smallstep/certificates/authority/provisioner"
	"github.com/smallstep/certificates/db"
	"go.step.sm/crypto/jose"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "version" {
		fmt.Println(version())
		return
	}
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// version is that of the module that is measured, and of its database.
func version() string {
	text := "step-ca"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return text
	}
	for _, d := range info.Deps {
		if d.Path == "github.com/smallstep/certificates" || d.Path == "go.etcd.io/bbolt" {
			text += " " + filepath.Base(d.Path) + " " + d.Version
		}
	}
	return text
}

// callers ask at the same moment, as many as the project's benchmark has.
const callers = 64

// piece is how many requests are made at a time, outside of what is measured.
const piece = 512

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("seconds and an operation are wanted")
	}
	seconds, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return err
	}
	if args[1] != "issue" && args[1] != "sign" {
		return fmt.Errorf("no operation %q", args[1])
	}
	dir, err := os.MkdirTemp("", "senim-stepca-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	w, err := newWork(dir)
	if err != nil {
		return err
	}
	var used time.Duration
	n := -piece // the first piece warms up
	for n <= 0 || used.Seconds() < seconds {
		if n == 0 {
			used = 0
		}
		took, err := w.measure(ctx, args[1] == "sign")
		if err != nil {
			return err
		}
		used += took
		n += piece
	}
	fmt.Printf("%s\t%.3f\n", args[1], float64(n)/used.Seconds())
	return nil
}

// work is an open authority and a client of it.
type work struct {
	authority *authority.Authority
	signer    jose.Signer
	count     int
}

func newWork(dir string) (*work, error) {
	database, err := db.New(&db.Config{Type: "bbolt", DataSource: filepath.Join(dir, "step.db")})
	if err != nil {
		return nil, err
	}
	root, rootKey, err := issuer("root", nil, nil)
	if err != nil {
		return nil, err
	}
	issuing, issuingKey, err := issuer("issuing", root, rootKey)
	if err != nil {
		return nil, err
	}
	client, err := jose.GenerateJWK("EC", "P-256", "ES256", "sig", "client", 0)
	if err != nil {
		return nil, err
	}
	public := client.Public()
	a, err := authority.NewEmbedded(
		authority.WithConfig(&config.Config{
			DNSNames: []string{audience},
			AuthorityConfig: &config.AuthConfig{Provisioners: provisioner.List{
				&provisioner.JWK{Type: "JWK", Name: "bench", Key: &public},
			}},
		}),
		authority.WithX509RootCerts(root), authority.WithX509Signer(issuing, issuingKey), authority.WithDatabase(database))
	if err != nil {
		return nil, err
	}
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", client.KeyID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: client.Key}, options)
	return &work{authority: a, signer: signer}, err
}

const audience = "ca.example.kz"

// issuer makes an authority's certificate, self-signed when there is none above.
func issuer(name string, above *x509.Certificate, aboveKey crypto.Signer) (*x509.Certificate, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
	}
	if above == nil {
		above, aboveKey = t, key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, above, key.Public(), aboveKey)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return cert, key, err
}

// request is what a client sends: a request and a one-time token for it.
type request struct {
	csr   []byte
	token string
	// opts, when only the signature is measured, is what the token gave.
	opts []provisioner.SignOption
}

func (w *work) request() (r request, err error) {
	w.count++
	name := fmt.Sprintf("host-%d.example.kz", w.count)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return r, err
	}
	t := &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}}
	if r.csr, err = x509.CreateCertificateRequest(rand.Reader, t, key); err != nil {
		return r, err
	}
	now := time.Now()
	r.token, err = jose.Signed(w.signer).Claims(jose.Claims{
		ID: strconv.Itoa(w.count), Subject: name, Issuer: "bench", Audience: jose.Audience{"https://" + audience + "/1.0/sign"},
		NotBefore: jose.NewNumericDate(now), Expiry: jose.NewNumericDate(now.Add(5 * time.Minute)),
	}).Claims(map[string]any{"sans": []string{name}}).CompactSerialize()
	return r, err
}

// measure makes a piece of requests, then has many callers get them signed, and returns the time of the
// processor for that.
func (w *work) measure(ctx context.Context, signatureAlone bool) (time.Duration, error) {
	ctx = provisioner.NewContextWithMethod(ctx, provisioner.SignMethod)
	all := make([]request, piece)
	var err error
	for i := range all {
		if all[i], err = w.request(); err != nil {
			return 0, err
		}
		if signatureAlone {
			if all[i].opts, err = w.authority.Authorize(ctx, all[i].token); err != nil {
				return 0, err
			}
		}
	}
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make(chan error, callers)
	begin := processorTime()
	for range callers {
		group.Go(func() {
			for i := next.Add(1) - 1; i < piece; i = next.Add(1) - 1 {
				if err := w.sign(ctx, all[i]); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	group.Wait()
	took := processorTime() - begin
	close(errs)
	return took, <-errs
}

// sign is what the handler of /1.0/sign does between its JSON.
func (w *work) sign(ctx context.Context, r request) (err error) {
	if r.opts == nil {
		if r.opts, err = w.authority.Authorize(ctx, r.token); err != nil {
			return err
		}
	}
	csr, err := x509.ParseCertificateRequest(r.csr)
	if err != nil {
		return err
	}
	_, err = w.authority.SignWithContext(ctx, csr, provisioner.SignOptions{}, r.opts...)
	return err
}

func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
