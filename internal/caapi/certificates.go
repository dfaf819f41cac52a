package caapi

import (
	"bytes"
	"context"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/caapi/client"
	"senim/pki"
)

// Inputs of the routes, as the framework reads and describes them.
type (
	// Keyed and Named are exported for the framework, which looks into no others.
	Keyed struct {
		Key string `header:"Idempotency-Key" required:"true" pattern:"^[A-Za-z0-9._:-]{1,64}$" example:"A-17-k0" doc:"Names the request; for issuing and renewing it names the order."`
	}
	Named struct {
		Serial string `path:"serial" pattern:"^[0-9a-f]{40}$" example:"59e08b0a21b57a15d8d6a95b6f6d8e2a4d1c3f70" doc:"40 lower hex digits."`
	}
	issueInput struct {
		Keyed
		Body client.IssueRequest
	}
	renewInput struct {
		Named
		Keyed
		Body client.RenewRequest
	}
	revokeInput struct {
		Named
		Keyed
		Body client.RevokeRequest
	}
	holdInput struct {
		Named
		Keyed
		Body client.HoldRequest
	}
	certificateInput struct {
		Named
		Accept string `header:"Accept" example:"application/pkix-cert" doc:"application/json, application/pkix-cert (DER) or application/x-pem-file."`
	}
	out[T any] struct{ Body T }
	raw        struct {
		ContentType string `header:"Content-Type"`
		Body        []byte
	}
)

func (s *Server) certificateRoutes(api huma.API) {
	const tag = "certificates"
	huma.Register(api, operation(api, http.MethodPost, "/certificates", "issue", tag, "Issue a certificate",
		"Who may have which certificate you decide; the authority checks the request, the subject against the profile, and every rule of the profile. "+
			"A public key is certified once, ever."), s.issue)
	huma.Register(api, operation(api, http.MethodPost, "/certificates/{serial}/renew", "renew", tag, "Renew a certificate",
		"The next certificate of the same holder and profile, for a new key, on the strength of the old one's signature over the request: it must be in force, "+
			"neither revoked nor on hold, and not renewed before."), s.renew)
	huma.Register(api, operation(api, http.MethodPost, "/certificates/{serial}/revoke", "revoke", tag, "Revoke a certificate",
		"For good. What was revoked before stays as it was, except that a hold becomes final. Later OCSP answers say so when this returns."), s.revoke)
	huma.Register(api, operation(api, http.MethodPost, "/certificates/{serial}/hold", "hold", tag, "Suspend a certificate", "Until it is released or revoked."), s.hold)
	huma.Register(api, operation(api, http.MethodPost, "/certificates/{serial}/release", "release", tag, "Lift a hold",
		"It takes two clients: the first call waits 24 hours for the second, of another client."), s.release)
	one := operation(api, http.MethodGet, "/certificates/{serial}", "certificate", tag, "Certificate and status", "As JSON, or the certificate alone in DER or PEM.")
	one = binary(one, "The certificate", "application/pkix-cert", "application/x-pem-file")
	one.Responses["200"].Content["application/json"] = &huma.MediaType{Schema: schema[client.Certificate](api)}
	huma.Register(api, one, s.certificate)
	huma.Register(api, operation(api, http.MethodGet, "/certificates", "search", tag, "Search certificates",
		"Newest first. Without iin, bin or ends_from it looks at the last 31 days unless from says otherwise, and at 366 days at most."), s.search)
}

// failed makes the answer of an error and notes its code in the call's record.
func (s *Server) failed(ctx context.Context, err error) error {
	p := s.problemOf(ctx, err)
	if c := callOf(ctx); c != nil {
		c.record.Result = p.Code
	}
	return p
}

// begin takes a request up: from now on its answer, a refusal too, is kept under its key.
func (s *Server) begin(ctx context.Context, reference string) (*call, error) {
	c := callOf(ctx)
	c.begun = true
	if (audit.Event{Action: "api.call", Actor: c.by(reference)}).Check() != nil {
		return c, refuse(http.StatusUnprocessableEntity, "REFERENCE_INVALID", "a reference holds no personal numbers")
	}
	return c, nil
}

// by is the actor of what a call does.
func (c *call) by(reference string) string {
	if reference != "" {
		return c.client.Actor() + " " + reference
	}
	return c.client.Actor()
}

func (s *Server) issue(ctx context.Context, in *issueInput) (*out[client.Issued], error) {
	c, err := s.begin(ctx, in.Body.Reference)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	if !c.client.Covers(in.Body.Profile) {
		return nil, s.failed(ctx, refuse(http.StatusForbidden, "PROFILE_NOT_ALLOWED", "this client may not ask for this profile"))
	}
	csr, err := der(in.Body.CSR, "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
	if err != nil {
		return nil, s.failed(ctx, &ca.Refusal{Code: ca.CodeCSRInvalid, Why: err.Error()})
	}
	b := in.Body
	storage, err := storageOf(b.Storage)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	if err := s.follows(ctx, b); err != nil {
		return nil, s.failed(ctx, err)
	}
	return s.order(ctx, ca.Order{Profile: b.Profile, CSR: csr, Storage: storage, Identity: b.Identity, Replaces: b.Replaces, Subject: ca.Subject{
		CommonName: b.Subject.CommonName, Surname: b.Subject.Surname, Patronymic: b.Subject.Patronymic, IIN: b.Subject.IIN,
		Organization: b.Subject.Organization, BIN: b.Subject.BIN, UID: b.Subject.UID, System: b.Subject.System,
		TreasuryRole: b.Subject.TreasuryRole, TreasuryCode: b.Subject.TreasuryCode, Email: b.Subject.Email}}, b.Reference)
}

// follows refuses a request that names as replaced what is not the same holder's, or not the client's to
// touch: it would count as renewed.
func (s *Server) follows(ctx context.Context, r client.IssueRequest) error {
	if r.Replaces == "" {
		return nil
	}
	old, err := s.mine(ctx, r.Replaces)
	if err == nil && (old.IIN != r.Subject.IIN || old.BIN != r.Subject.BIN) {
		err = ca.ErrNotFound
	}
	if errors.Is(err, ca.ErrNotFound) {
		return refuse(http.StatusUnprocessableEntity, "REPLACES_INVALID", "the certificate to be replaced is not this holder's, or not yours to touch")
	}
	return err
}

// order carries an order of this call out. Its ID is the client's name and its idempotency key: one
// client cannot take another's.
func (s *Server) order(ctx context.Context, o ca.Order, reference string) (*out[client.Issued], error) {
	c := callOf(ctx)
	o.ID, o.By = c.order(), c.by(reference)
	made, err := s.c.Authority.Issue(ctx, o)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	c.record.Object = made.Serial
	a := &out[client.Issued]{client.Issued{Serial: made.Serial, Authority: made.CA, NotBefore: made.NotBefore, NotAfter: made.NotAfter,
		Certificate: armor(made.Raw), Chain: s.chain(made.CA)}}
	return a, nil
}

func (c *call) order() string { return c.client.Name + "/" + c.key }

// chain is the authority of a name and those above it.
func (s *Server) chain(name string) []string {
	byName := map[string]ca.Authority{}
	for _, a := range s.c.Authority.Authorities() {
		byName[a.Name] = a
	}
	chain := []string{}
	for a, ok := byName[name]; ok && len(chain) < 10; a, ok = byName[a.Parent] {
		chain = append(chain, armor(a.Certificate.Raw))
	}
	return chain
}

// mine finds a certificate the client may touch; others are answered like unknown ones.
func (s *Server) mine(ctx context.Context, serial string) (*ca.Info, error) {
	info, err := s.c.Authority.Certificate(ctx, serial)
	if err == nil && !callOf(ctx).client.Covers(info.Profile) {
		return nil, ca.ErrNotFound
	}
	return info, err
}

func (s *Server) certificate(ctx context.Context, in *certificateInput) (*raw, error) {
	info, err := s.mine(ctx, in.Serial)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	switch kind, ok := preferred(in.Accept, "application/json", "application/pkix-cert", "application/x-pem-file"); {
	case !ok:
		return nil, s.failed(ctx, refuse(http.StatusNotAcceptable, "NOT_ACCEPTABLE", "application/json, application/pkix-cert or application/x-pem-file can be had"))
	case kind == "application/pkix-cert":
		return &raw{kind, info.Raw}, nil
	case kind == "application/x-pem-file":
		return &raw{kind, []byte(armor(info.Raw))}, nil
	}
	b, err := jsonOf(certificateOf(*info, s.c.Now()))
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	return &raw{"application/json", b}, nil
}

// preferred chooses by an Accept header: of what is offered the one with the highest weight, in the
// order offered. No header means the first.
func preferred(accept string, offered ...string) (string, bool) {
	if accept == "" {
		return offered[0], true
	}
	best, weight := "", 0.0
	for _, kind := range offered {
		group, _, _ := strings.Cut(kind, "/")
		for part := range strings.SplitSeq(accept, ",") {
			name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
			if name = strings.ToLower(strings.TrimSpace(name)); name != kind && name != group+"/*" && name != "*/*" {
				continue
			}
			q := 1.0
			for p := range strings.SplitSeq(params, ";") {
				if v, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
					q, _ = strconv.ParseFloat(v, 64)
				}
			}
			if q > weight {
				best, weight = kind, q
			}
		}
	}
	return best, best != ""
}

// certificateOf is a certificate as the API tells it.
func certificateOf(i ca.Info, now time.Time) client.Certificate {
	c := client.Certificate{Serial: i.Serial, Authority: i.CA, Profile: i.Profile, Order: i.Order, IIN: i.IIN, BIN: i.BIN, Name: i.Name,
		NotBefore: i.NotBefore, NotAfter: i.NotAfter, Issued: i.IssuedAt, Replaces: i.Replaces, ReplacedBy: i.ReplacedBy, Certificate: armor(i.Raw)}
	switch {
	case i.Revoked != nil && i.Revoked.Reason == ca.CertificateHold:
		c.State = client.StateHold
	case i.Revoked != nil:
		c.State = client.StateRevoked
	case now.After(i.NotAfter):
		c.State = client.StateExpired
	case now.Before(i.NotBefore):
		c.State = client.StateFuture
	default:
		c.State = client.StateValid
	}
	if i.Revoked != nil {
		v := revocationOf(i.Revoked)
		c.Revocation = &v
	}
	return c
}

func armor(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// der reads PEM of one of the given types, or base64; nothing may follow.
func der(s string, types ...string) ([]byte, error) {
	text := strings.TrimSpace(s)
	if !strings.HasPrefix(text, "-----") {
		out, err := base64.StdEncoding.Strict().DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(text))
		if err != nil {
			return nil, errors.New("neither PEM nor base64")
		}
		return out, nil
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || len(bytes.TrimSpace(rest)) > 0 || len(block.Headers) > 0 {
		return nil, errors.New("PEM of exactly one object is wanted")
	}
	for _, t := range types {
		if block.Type == t {
			return block.Bytes, nil
		}
	}
	return nil, errors.New("PEM of " + strings.Join(types, " or ") + " is wanted")
}

// storageOf reads the kind of key store: one of those the national PKI has.
func storageOf(s string) (asn1.ObjectIdentifier, error) {
	for _, known := range []asn1.ObjectIdentifier{pki.StoragePKCS12, pki.StorageJKS, pki.StorageIDCard, pki.StorageKaztoken, pki.StorageEToken,
		pki.StorageEToken510, pki.StorageJaCarta, pki.StorageAKey, pki.StorageSIM, pki.StorageCloud} {
		if known.String() == s {
			return known, nil
		}
	}
	if s == "" {
		return nil, nil
	}
	return nil, refuse(http.StatusUnprocessableEntity, "STORAGE_UNKNOWN", "no such kind of key store below 1.2.398.3.3.5")
}
