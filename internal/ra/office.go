package ra

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/pki"
)

// The jobs the office asks for; their payload is [Task].
const (
	// JobRoute asks the registry again: the handler calls [Office.Reroute].
	JobRoute = "ra.route"
	// JobIssue makes the certificates: the handler calls [Office.Issue].
	JobIssue = "ra.issue"
)

// Task names a revision of an application.
type Task struct {
	Number   string `json:"number"`
	Revision int    `json:"revision"`
}

// Config says what an Office works with.
type Config struct {
	Store    Store
	Judge    Judge
	Registry Registry
	People   People
	// Counted answers where figures about a great many keys are made: by loads alone, of which no record is kept one by
	// one. Nil: Registry and People.
	Counted Counted
	Keys    Keys
	Issuer  Issuer
	Revoker Revoker
	// Proofs gathers what proves the first signatures of new keys; nil: they are kept alone.
	Proofs Prover
	// Ends walks what ends, for the operators' reports; nil: they cannot be made.
	Ends Ends
	// Origin of the cabinet, as "https://cabinet.example.kz": written into documents and letters.
	Origin string
	// Brand is the name letters use, by language; optional.
	Now func() time.Time
	// Identities admits test numbers; zero admits only right check digits.
	Identities ident.Rules
	// Classic issues pairs of keys instead of one combined key.
	Classic bool
	// CarriersOnline lets a key on a carrier be renewed onto the same kind of carrier without a desk
	// (renew.carriers_online); the ID card never.
	CarriersOnline bool
	// PerDay and OpenAtOnce bound a person's applications: 5 and 3 by default; negative: no bound.
	PerDay, OpenAtOnce int
	// RenewWindow is how long before its end a key may be renewed (renew.window_days); zero: any time while it is valid.
	RenewWindow time.Duration
	// AutoRevoke is head_change.auto_revoke; zero only offers the keys of a former head.
	AutoRevoke AutoRevoke
	// Holds lifts holds for two operators; nil where the authority does not do it from here.
	Holds Releaser
	// HeadAtDesk sends the first keys of every head to a desk (le.head_first_issue=desk).
	HeadAtDesk bool
	// IdentityOID writes into certificates issued at a desk that the person was identified there.
	IdentityOID bool
	// RetryRegistry is how long to wait before asking a silent registry again; 1 minute by default.
	RetryRegistry time.Duration
	// Terms are how long things wait.
	Terms Terms
	// Factor is the second factor; none by default.
	Factor FactorConfig
	// Companies lists organisations with keys that end in [from, to), in order, after one, at most limit;
	// nil: heads get no weekly list.
	Companies func(ctx context.Context, from, to time.Time, after string, limit int) ([]string, error)
	// Plan says when reminders go; the usual one by default.
	Plan notice.Plan
	Log  *slog.Logger
}

// Office takes applications. It is safe for concurrent use.
type Office struct{ c Config }

// New checks the configuration and opens an office.
func New(c Config) (*Office, error) {
	if c.Store == nil || c.Judge == nil || c.Registry == nil || c.People == nil || c.Keys == nil || c.Issuer == nil || c.Revoker == nil {
		return nil, errors.New("open an office: store, judge, registry, people, keys, issuer and revoker are required")
	}
	if c.Origin == "" {
		return nil, errors.New("open an office: no origin")
	}
	if err := c.Factor.check(); err != nil {
		return nil, fmt.Errorf("open an office: %w", err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Terms = c.Terms.OrUsual()
	if c.PerDay == 0 {
		c.PerDay = 5
	}
	if c.OpenAtOnce == 0 {
		c.OpenAtOnce = 3
	}
	if c.RetryRegistry <= 0 {
		c.RetryRegistry = time.Minute
	}
	c.Plan = c.Plan.Usual()
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Office{c: c}, nil
}

// Form is what an applicant types.
type Form struct {
	Email, City string
	Storage     Storage
	Lang        lang.Tag
	// BIN is set when keys of an organisation are asked for the first time.
	BIN string
	// Role asked for by an employee.
	Role string
}

// clean checks what can be checked without asking anybody: the address, the length of the city, and
// that the storage can be written online (R5).
func (f Form) clean() (Form, error) {
	email, err := ident.ParseEmail(f.Email)
	if err != nil {
		return Form{}, refuse("EMAIL_INVALID")
	}
	f.Email, f.City = string(email), strings.TrimSpace(f.City)
	if len([]rune(f.City)) > 100 {
		return Form{}, refuse("CITY_INVALID")
	}
	switch f.Storage {
	case PKCS12:
		return f, nil
	case IDCard:
		return Form{}, refuse("IDCARD_DESK_ONLY")
	case Kaztoken, EToken72K, EToken5110, JaCarta, AKey:
	}
	return Form{}, refuse("CARRIER_DESK_ONLY")
}

// Ask says what is applied for: by whom (his certificate, proved at sign-in) and of which kind.
type Ask struct {
	Kind   Kind
	Signer *pki.Certificate
	Form   Form
}

// Draft saves the form as a draft and gives it its number. A living draft of the same kind, key
// and organisation is edited instead, so that pressing twice does not make two applications.
func (o *Office) Draft(ctx context.Context, ask Ask) (Application, error) {
	f, err := ask.Form.clean()
	if err != nil {
		return Application{}, err
	}
	subject, role, err := o.Gate(ctx, ask)
	if err != nil {
		return Application{}, err
	}
	now := o.c.Now()
	var a Application
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		a = Application{Revision: 1, Kind: ask.Kind, State: Draft, Subject: subject, Role: role, Email: f.Email, City: f.City,
			Storage: f.Storage, Lang: f.Lang, SignerSerial: ask.Signer.SerialHex(), Created: now, Changed: now}
		if ask.Kind == Reissue {
			a.Replaces = a.SignerSerial
		}
		mine, err := tx.OfPerson(ctx, subject.IIN)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(mine, a.sameDraft); i >= 0 {
			a = mine[i]
			a.Lang = f.Lang
			if a.Email == f.Email && a.City == f.City && a.Storage == f.Storage {
				return nil // nothing typed anew: the requests already made stay good
			}
			if err := a.Edit(f.Email, f.City, f.Storage, now); err != nil {
				return err
			}
			return o.save(ctx, tx, &a, "application.edited")
		}
		if err := o.bounds(mine, now); err != nil {
			return err
		}
		if err := a.number(ctx, tx); err != nil {
			return err
		}
		return o.save(ctx, tx, &a, "application.saved")
	})
	if err != nil {
		return Application{}, fmt.Errorf("save an application: %w", err)
	}
	return a, nil
}

// number gives the application the next number of the day it was made on.
func (a *Application) number(ctx context.Context, tx Tx) error {
	day := a.Created.In(lang.Astana)
	n, err := tx.Counter(ctx, day.Format("060102"))
	if err != nil {
		return err
	}
	a.Number, err = NewNumber(day, n)
	return err
}

func (a *Application) sameDraft(b Application) bool {
	return b.State == Draft && b.Batch == "" && b.Kind == a.Kind && b.SignerSerial == a.SignerSerial && b.Subject.BIN == a.Subject.BIN && b.Role == a.Role
}

// bounds keeps one person from filling the office.
func (o *Office) bounds(mine []Application, now time.Time) error {
	today, open := 0, 0
	for _, a := range mine {
		if a.Batch != "" {
			continue // bounded by its batch: others cannot fill a person's day
		}
		if now.Sub(a.Created) < 24*time.Hour {
			today++
		}
		if a.State.waits() || a.State == Draft {
			open++
		}
	}
	if (o.c.PerDay > 0 && today >= o.c.PerDay) || (o.c.OpenAtOnce > 0 && open >= o.c.OpenAtOnce) {
		return refuse("TOO_MANY_APPLICATIONS")
	}
	return nil
}

// save writes the application with its audit event.
func (o *Office) save(ctx context.Context, tx Tx, a *Application, action string) error {
	if err := tx.Put(ctx, *a); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Event{Action: action, Actor: tx.Hash(a.Subject.IIN), Object: "application " + FormatNumber(a.Number), Result: "ok",
		Detail: map[string]string{"revision": itoa(a.Revision), "state": string(a.State), "signer": a.SignerSerial, "hash": a.SignedHash, "code": a.Reason.Code, "batch": a.Batch}})
}

// enqueue asks for a job about this revision.
func (a *Application) enqueue(ctx context.Context, tx Tx, kind string, at time.Time) error {
	return tx.Enqueue(ctx, job.Job{Kind: kind, Payload: Task{a.Number, a.Revision}, At: at, Unique: a.ID()})
}
