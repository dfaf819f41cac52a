package ra

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/pki"
)

// MaxBatch bounds the keys renewed in one go, and MaxBatchesPerDay how often a person may.
const (
	MaxBatch         = 100
	MaxBatchesPerDay = 20
)

// Batch is a bulk renewal: one person prepares the applications of many keys, and each key signs its
// own. Until then an application is a draft of the batch, unseen by its applicant.
type Batch struct {
	ID string
	// IIN is who makes it: nobody else sees it.
	IIN     string
	Created time.Time
	Items   []BatchItem
}

// BatchItem is one key of a batch.
type BatchItem struct {
	Serial string
	// Number of its application; empty when there is none, and Reason says why.
	Number string
	Reason Reason
}

// hidden reports a draft that is another's to work on: of a batch, before its key has signed.
func (a *Application) hidden(batch string) bool { return a.State == Draft && a.Batch != batch }

// batchTx is what the store keeps of batches and of keys looked after.
type batchTx interface {
	// PutBatch writes a batch, new or changed.
	PutBatch(ctx context.Context, b Batch) error
	// Batch reads by id; [ErrNotFound].
	Batch(ctx context.Context, id string) (Batch, error)
	// Batches lists a person's last hundred batches, latest first.
	Batches(ctx context.Context, iin string) ([]Batch, error)
	// OpenInBatches lists the applications of a person's batches that are not in a final state, oldest first.
	OpenInBatches(ctx context.Context, iin string) ([]Application, error)
	// Watch adds serials to those a person looks after; those there already stay.
	Watch(ctx context.Context, iin string, serials []string, at time.Time) error
	// Unwatch takes them off.
	Unwatch(ctx context.Context, iin string, serials []string) error
	// Watched lists them.
	Watched(ctx context.Context, iin string) ([]string, error)
}

// BatchForm is what is asked once for all keys. An empty address or city leaves each key what its
// old certificate and application have; an empty storage leaves each new key where the old one is.
type BatchForm struct {
	Email, City string
	Storage     Storage
	Lang        lang.Tag
}

// planned is one item before the transaction that saves it.
type planned struct {
	item BatchItem
	a    *Application
}

// NewBatch prepares the applications for a selection of the keys a person looks after. A key that
// may not be renewed becomes an item with its reason and stops no other.
func (o *Office) NewBatch(ctx context.Context, iin string, serials []string, f BatchForm) (Batch, error) {
	slices.Sort(serials)
	serials = slices.Compact(serials)
	switch {
	case len(serials) == 0:
		return Batch{}, refuse("BATCH_EMPTY")
	case len(serials) > MaxBatch:
		return Batch{}, refuse("BATCH_TOO_LARGE", "n", itoa(MaxBatch))
	}
	if _, err := (Form{Email: "x@example.kz", City: f.City, Storage: cmp.Or(f.Storage, PKCS12)}).clean(); err != nil {
		return Batch{}, err
	}
	if _, err := ident.ParseEmail(f.Email); err != nil && f.Email != "" {
		return Batch{}, refuse("EMAIL_INVALID")
	}
	mine, err := o.FolderSerials(ctx, iin)
	if err != nil {
		return Batch{}, err
	}
	now := o.c.Now()
	b := Batch{ID: strings.ToLower(rand.Text()), IIN: iin, Created: now}
	plans := make([]planned, len(serials))
	for i, serial := range serials {
		if !slices.Contains(mine, serial) {
			return Batch{}, refuse("KEY_UNKNOWN")
		}
		if plans[i], err = o.plan(ctx, b, serial, f); err != nil {
			return Batch{}, fmt.Errorf("prepare a batch: %w", err)
		}
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		before, err := tx.Batches(ctx, iin)
		if err != nil {
			return err
		}
		if o.c.PerDay > 0 && len(slices.DeleteFunc(slices.Clone(before), func(b Batch) bool { return now.Sub(b.Created) >= 24*time.Hour })) >= MaxBatchesPerDay {
			return refuse("TOO_MANY_APPLICATIONS")
		}
		open, err := o.goingOn(ctx, tx, iin)
		if err != nil {
			return err
		}
		b.Items = nil
		for _, p := range plans {
			if err := o.saveItem(ctx, tx, &p, open[p.item.Serial], iin, f); err != nil {
				return err
			}
			b.Items = append(b.Items, p.item)
		}
		if err := tx.PutBatch(ctx, b); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "batch.saved", Actor: tx.Hash(iin), Object: "batch " + b.ID, Result: "ok", Detail: map[string]string{"keys": itoa(len(b.Items))}})
	})
	if err != nil {
		return Batch{}, fmt.Errorf("save a batch: %w", err)
	}
	return b, nil
}

// plan judges one key as a renewal by its owner would be, and makes its draft without a number.
func (o *Office) plan(ctx context.Context, b Batch, serial string, f BatchForm) (planned, error) {
	p := planned{item: BatchItem{Serial: serial}}
	k, err := o.c.Keys.Key(ctx, serial)
	if err != nil {
		return p, err
	}
	c, err := pki.ParseCertificate(k.Raw)
	if err != nil {
		return p, err
	}
	refused := func(no *Refusal) planned {
		p.item.Reason = Reason{Code: no.Code, Evidence: no.Evidence}
		return p
	}
	subject, role, err := o.Gate(ctx, Ask{Kind: Reissue, Signer: c})
	if err == nil {
		err = o.ownFactor(subject, role, b.IIN)
	}
	var no *Refusal
	if errors.As(err, &no) {
		return refused(no), nil
	}
	if err != nil {
		return p, err
	}
	if k.ReplacedBy != "" {
		return refused(refuse("KEY_REPLACED")), nil
	}
	storage := f.Storage
	if storage == "" {
		if storage, no = o.sameStorage(c); no != nil {
			return refused(no), nil
		}
	}
	address := f.Email
	if address == "" {
		address = c.Holder().Email
	}
	email, err := ident.ParseEmail(address)
	if err != nil {
		return refused(refuse("EMAIL_INVALID")), nil
	}
	p.a = &Application{Revision: 1, Kind: Reissue, State: Draft, Subject: subject, Role: role, Email: string(email), City: strings.TrimSpace(f.City),
		Storage: storage, Lang: f.Lang, SignerSerial: serial, Replaces: serial, Batch: b.ID, Created: b.Created, Changed: b.Created}
	return p, nil
}

// sameStorage is where the successor of a key goes: into a file, or onto a carrier of the same kind where those are
// renewed online (R5). A certificate that names no storage is a file's.
func (o *Office) sameStorage(c *pki.Certificate) (Storage, *Refusal) {
	if len(c.Storage) == 0 || c.Storage.Equal(pki.StoragePKCS12) || c.Storage.Equal(pki.StorageJKS) {
		return PKCS12, nil
	}
	if c.Storage.Equal(pki.StorageIDCard) {
		return "", refuse("IDCARD_DESK_ONLY")
	}
	for _, s := range DeskStorages() {
		if o.c.CarriersOnline && c.Storage.Equal(s.oid()) {
			return s, nil
		}
	}
	return "", refuse("CARRIER_DESK_ONLY")
}

// saveItem gives a draft its number. What the person began for the same key before makes room when
// it is a draft of a batch, and goes on when it is more.
func (o *Office) saveItem(ctx context.Context, tx Tx, p *planned, open Watching, maker string, f BatchForm) error {
	if p.a == nil {
		return nil
	}
	if before := open.Open; before != nil && before.State != Draft {
		p.item.Reason = Reason{Code: "APPLICATION_OPEN"}
		return nil
	} else if before != nil && before.Batch != "" {
		if err := tx.Remove(ctx, before.Number); err != nil {
			return err
		}
	}
	a := *p.a
	known, err := knows(ctx, tx, maker, a.Subject)
	if err != nil {
		return err
	}
	if f.City == "" && known {
		old, err := tx.OfPerson(ctx, a.Subject.IIN)
		if err != nil {
			return err
		}
		for _, b := range old {
			if slices.ContainsFunc(b.Certificates, func(c Certificate) bool { return c.Serial == a.SignerSerial }) {
				a.City = b.City
			}
		}
	}
	if err := a.number(ctx, tx); err != nil {
		return err
	}
	p.item.Number = a.Number
	return o.save(ctx, tx, &a, "application.saved")
}

// knows reports a person's own key, or that of a holder who trusted her with it before. Of nobody else is
// told what stands in an application: a certificate alone, which is public, proves nothing.
func knows(ctx context.Context, tx Tx, iin string, s Subject) (bool, error) {
	if iin == s.IIN {
		return true, nil
	}
	all, err := tx.LookedAfter(ctx, iin)
	return slices.Contains(all, Holder{IIN: s.IIN, BIN: s.BIN}), err
}
