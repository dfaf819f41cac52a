package ra

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/internal/audit"
	"senim/pki"
)

// MaxWatched bounds the keys one person looks after.
const MaxWatched = 500

// Watching is one key somebody looks after, as the list of many organisations shows it.
type Watching struct {
	Key         Key
	Certificate *pki.Certificate
	// Open is the person's own application for it, or one of a batch of hers, that goes on; nil for none.
	// What others applied for is not hers to see.
	Open *Application
	// Batch is the batch that application is in; empty for none.
	Batch string
	// Why says why it cannot be renewed: expired, not_yet, revoked, hold, replaced, open, sign_in,
	// no_person. Empty: it can.
	Why string
}

// whyNot says why a key cannot be renewed now by what the authority knows of it.
func whyNot(k Key, c *pki.Certificate, now time.Time) string {
	switch {
	case k.Reason == "certificateHold" && !k.RevokedAt.IsZero():
		return "hold"
	case !k.RevokedAt.IsZero():
		return "revoked"
	case now.After(k.NotAfter):
		return "expired"
	case now.Before(k.NotBefore):
		return "not_yet"
	case k.ReplacedBy != "":
		return "replaced"
	case !c.ForSigning():
		return "sign_in"
	case RoleOf(c.Holder()) == "":
		return "no_person"
	}
	return ""
}

// Watch adds certificates a person showed to the keys she looks after. Only certificates of our
// authority, byte for byte, are kept, and of them the serial number alone: a serial another
// authority gave, too, is not ours. ours and foreign count them.
func (o *Office) Watch(ctx context.Context, iin string, ders [][]byte) (ours, foreign int, err error) {
	var serials []string
	for _, der := range ders {
		serial, err := o.ourSerial(ctx, der)
		if err != nil {
			return 0, 0, fmt.Errorf("look after keys: %w", err)
		}
		if serial == "" {
			foreign++
		} else if !slices.Contains(serials, serial) {
			serials = append(serials, serial)
		}
	}
	if len(serials) == 0 {
		return 0, foreign, nil
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		had, err := tx.Watched(ctx, iin)
		if err != nil {
			return err
		}
		fresh := slices.DeleteFunc(slices.Clone(serials), func(s string) bool { return slices.Contains(had, s) })
		if len(fresh) == 0 {
			return nil // the same folder shown again changes nothing
		}
		if len(had)+len(fresh) > MaxWatched {
			return refuse("FOLDER_FULL", "n", itoa(MaxWatched))
		}
		if err := tx.Watch(ctx, iin, fresh, o.c.Now()); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "folder.added", Actor: tx.Hash(iin), Result: "ok", Detail: map[string]string{"keys": itoa(len(fresh))}})
	})
	if err != nil {
		return 0, 0, fmt.Errorf("look after keys: %w", err)
	}
	return len(serials), foreign, nil
}

// ourSerial is the serial of a certificate our authority issued; empty for anything else.
func (o *Office) ourSerial(ctx context.Context, der []byte) (string, error) {
	c, err := pki.ParseCertificate(der)
	if err != nil {
		return "", nil //nolint:nilerr // what does not parse is not ours
	}
	k, err := o.c.Keys.Key(ctx, c.SerialHex())
	if errors.Is(err, ErrNoKey) || (err == nil && !bytes.Equal(k.Raw, c.Raw)) {
		return "", nil
	}
	return k.Serial, err
}

// Unwatch takes keys off a person's list; those not on it are passed over.
func (o *Office) Unwatch(ctx context.Context, iin string, serials []string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.Unwatch(ctx, iin, serials); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "folder.removed", Actor: tx.Hash(iin), Result: "ok", Detail: map[string]string{"keys": itoa(len(serials))}})
	})
	if err != nil {
		return fmt.Errorf("take keys off a list: %w", err)
	}
	return nil
}

// FolderSerials lists the serials of the keys a person looks after: those she showed from her folder, and
// those that came of her batches in their place.
func (o *Office) FolderSerials(ctx context.Context, iin string) (serials []string, err error) {
	err = o.c.Store.View(ctx, func(tx Tx) error {
		serials, err = tx.Watched(ctx, iin)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list keys looked after: %w", err)
	}
	return serials, nil
}

// FolderKeys describes the keys a person looks after, the one that ends first before the others.
func (o *Office) FolderKeys(ctx context.Context, iin string) ([]Watching, error) {
	var serials []string
	open := map[string]Watching{}
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		if serials, err = tx.Watched(ctx, iin); err != nil {
			return err
		}
		open, err = o.goingOn(ctx, tx, iin)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list keys looked after: %w", err)
	}
	now := o.c.Now()
	list := make([]Watching, 0, len(serials))
	for _, serial := range serials {
		k, err := o.c.Keys.Key(ctx, serial)
		if errors.Is(err, ErrNoKey) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list keys looked after: %w", err)
		}
		c, err := pki.ParseCertificate(k.Raw)
		if err != nil {
			return nil, fmt.Errorf("list keys looked after: %w", err)
		}
		w := open[serial]
		w.Key, w.Certificate, w.Why = k, c, whyNot(k, c, now)
		if w.Why == "" && w.Open != nil && w.Open.State != Draft {
			w.Why = "open"
		}
		list = append(list, w)
	}
	slices.SortStableFunc(list, func(a, b Watching) int { return a.Key.NotAfter.Compare(b.Key.NotAfter) })
	return list, nil
}

// goingOn finds, by the serial of the key to be renewed, what goes on: a person's own applications
// and those of her batches.
func (o *Office) goingOn(ctx context.Context, tx Tx, iin string) (map[string]Watching, error) {
	open := map[string]Watching{}
	mine, err := tx.OfPerson(ctx, iin)
	if err != nil {
		return nil, err
	}
	for _, a := range mine {
		if a.Kind == Reissue && !a.State.Final() && !a.hidden("") {
			open[a.SignerSerial] = Watching{Open: &a}
		}
	}
	others, err := tx.OpenInBatches(ctx, iin)
	if err != nil {
		return nil, err
	}
	for _, a := range others {
		if a.Batch != "" {
			open[a.SignerSerial] = Watching{Open: &a, Batch: a.Batch}
		}
	}
	return open, nil
}
