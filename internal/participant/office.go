package participant

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/trust"
	"senim/pki"
)

// Judge says whether a certificate is good for a purpose now; [trust.Judge] is the real one.
type Judge interface {
	Certificate(ctx context.Context, cert *pki.Certificate, p trust.Purpose) trust.Report
}

// Passwords makes and checks password hashes; [Hasher] is the real one. Safe for concurrent use.
type Passwords interface {
	Hash(password string) (string, error)
	// Check reports whether the password has the hash, and whether a new hash should be stored.
	Check(hash, password string) (ok, weak bool)
}

// Fate is what happens to invited users of an enterprise when its head changes
// (rereg.invited_users).
type Fate string

// The fates. The zero Fate is Reconfirm.
const (
	Reconfirm Fate = "reconfirm" // stay active until the new head has had his days to confirm them
	Keep      Fate = "keep"
	Block     Fate = "block"
)

// Moment is when a previous head loses his profile.
type Moment string

// The moments.
const (
	AtCompletion Moment = "completion" // with the new head's first sign-in
	AtAgreement  Moment = "agreement"  // when the new head has signed the agreement
)

// Config makes an [Office].
type Config struct {
	// Store keeps everything. Required.
	Store Store
	// Judge decides about certificates, G1 to G4. Required.
	Judge Judge
	// Registry answers who is who, G6 to G8. Required.
	Registry Registry
	// Again answers when the enterprise has a head here already: the purpose differs. Registry when nil.
	Again Registry
	// By gives a registry for a person who asks, whom its records then name; nil: they name the system.
	By func(Registry, ident.IIN) Registry
	// Facts answers from the last loads, for pages that decide nothing; Registry when nil.
	Facts Registry
	// Rules say which numbers are admitted. The zero Rules admit no test identities.
	Rules ident.Rules
	// Origin is the portal's own origin: it stands in agreements and links. Required.
	Origin string
	// Site is the portal's name among sessions; "portal" by default.
	Site string
	// Invited is the fate of invited users; Reconfirm by default, within ReconfirmDays (14).
	Invited       Fate
	ReconfirmDays int
	// EmailChangeTTL is the life of the link that confirms a new address; 24 hours by default.
	// EmailChangeDelay is how long after that the change takes effect; at once by default.
	EmailChangeTTL, EmailChangeDelay time.Duration
	// ResetLinkTTL is the life of a link that sets a new password; 60 minutes by default.
	// ResetPerHour bounds the links of one person; 3 by default.
	ResetLinkTTL time.Duration
	ResetPerHour int
	// UnitRoles are the roles of which the head of a structural unit must carry one (gate.unit_roles);
	// the first head's by default.
	UnitRoles []pki.Role
	// BlockPreviousAt is when the previous head loses his profile (rereg.block_previous_at): AtCompletion
	// by default.
	BlockPreviousAt Moment
	// Stamps gives time-stamps over signed agreements; nil: there are none, and that is recorded.
	Stamps Stamps
	// Answers gives what authorities sign about the certificates of signatures, to be kept beside them; nil: nothing.
	Answers Answers
	// InviteTTL is the life of an invitation's link; 7 days by default.
	InviteTTL time.Duration
	// Register is how long registrations wait and how many letters they send.
	Register RegisterConfig
	// SignIn is how people sign in.
	SignIn SignInConfig
	// Passwords makes and checks password hashes; [NewHasher] by default.
	Passwords Passwords
	// Now is the clock; time.Now by default.
	Now func() time.Time
	// Random is where ids and tokens come from; crypto/rand by default.
	Random io.Reader
}

// Office is where participants register and are known. It is safe for concurrent use.
type Office struct{ c Config }

// New checks the configuration and opens an office.
func New(c Config) (*Office, error) {
	switch {
	case c.Store == nil:
		return nil, errors.New("open participants: no store")
	case c.Judge == nil:
		return nil, errors.New("open participants: no judge of certificates")
	case c.Registry == nil:
		return nil, errors.New("open participants: no registry")
	case c.Origin == "":
		return nil, errors.New("open participants: no origin")
	}
	if c.Again == nil {
		c.Again = c.Registry
	}
	if c.By == nil {
		c.By = func(r Registry, _ ident.IIN) Registry { return r }
	}
	if c.Facts == nil {
		c.Facts = c.Registry
	}
	if c.Site == "" {
		c.Site = "portal"
	}
	if c.Invited == "" {
		c.Invited = Reconfirm
	}
	if len(c.UnitRoles) == 0 {
		c.UnitRoles = []pki.Role{pki.RoleFirstHead}
	}
	if c.BlockPreviousAt == "" {
		c.BlockPreviousAt = AtCompletion
	}
	if c.ReconfirmDays <= 0 {
		c.ReconfirmDays = 14
	}
	if c.EmailChangeTTL <= 0 {
		c.EmailChangeTTL = 24 * time.Hour
	}
	if c.ResetLinkTTL <= 0 {
		c.ResetLinkTTL = time.Hour
	}
	if c.InviteTTL <= 0 {
		c.InviteTTL = 7 * 24 * time.Hour
	}
	if c.ResetPerHour <= 0 {
		c.ResetPerHour = 3
	}
	c.Register, c.SignIn = c.Register.complete(), c.SignIn.complete()
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Passwords == nil {
		c.Passwords = NewHasher(c.Random)
	}
	c.Origin = strings.TrimSuffix(c.Origin, "/")
	return &Office{c: c}, nil
}

// now is the office's time in whole milliseconds, as the store keeps it.
func (o *Office) now() time.Time { return o.c.Now().UTC().Truncate(time.Millisecond) }

// Denied is a refusal with its code and what it rests on; pages show both in the reader's
// language. Times in Evidence are in RFC 3339.
type Denied struct {
	Code     string
	Evidence map[string]string
}

func (d *Denied) Error() string { return "denied: " + d.Code }

// GateClosed is a refusal by the gate: every check is in the evidence.
type GateClosed struct{ Evidence Evidence }

func (g *GateClosed) Error() string {
	return "gate closed: " + strings.Join(g.Evidence.Codes(), ", ")
}

// FieldErrors are codes by field name, all at once.
type FieldErrors map[string]string

func (f FieldErrors) Error() string { return fmt.Sprintf("%d fields to correct", len(f)) }

func deny(code string, evidence ...string) *Denied {
	d := &Denied{Code: code, Evidence: map[string]string{}}
	for i := 0; i+1 < len(evidence); i += 2 {
		d.Evidence[evidence[i]] = evidence[i+1]
	}
	return d
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// event makes an audit event about a registration: the person as a keyed hash, the rest by ids.
func event(tx Tx, action string, r Registration, result string, detail map[string]string) audit.Event {
	d := map[string]string{"category": string(r.Category)}
	if r.TIN != "" {
		d["tin"] = tx.Hash(r.TIN)
	}
	if r.Person.Serial != "" {
		d["certificate"] = r.Person.Serial
	}
	if r.Evidence != "" {
		d["evidence"] = r.Evidence
	}
	maps.Copy(d, detail)
	actor := "browser"
	if r.IIN != "" {
		actor = tx.Hash(string(r.IIN))
	}
	return audit.Event{Action: action, Actor: actor, Object: r.ID, Result: result, Detail: d}
}

// Allowed says whether the profile may be used now with a certificate of the given BIN ("" for a
// personal one): "" or a code. Enterprise profiles need a certificate with their BIN, personal ones
// any certificate of the person (S4). An invited user's own term comes last: PROXY_NOT_YET before it,
// PERMISSIONS_EXPIRED after it.
func (p Profile) Allowed(certificateBIN string, at time.Time) string {
	switch {
	case p.Status == EnterpriseBlocked:
		return "ENTERPRISE_BLOCKED"
	case p.Status != Active:
		return "PROFILE_BLOCKED"
	case p.Type.Enterprise() && p.TIN != certificateBIN:
		return "CERT_NOT_OF_ENTERPRISE"
	case !p.ReconfirmBy.IsZero() && !at.Before(p.ReconfirmBy):
		return "PROFILE_BLOCKED"
	case p.Type.Invited():
		return p.Grant.code(at)
	}
	return ""
}
