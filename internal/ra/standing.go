package ra

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"senim/internal/ident"
	"senim/internal/trust"
	"senim/pki"
)

// Standing is by what right somebody acts on a key or for an organisation.
type Standing string

// The standings.
const (
	AsOwner    Standing = "owner"
	AsHead     Standing = "head"
	AsDelegate Standing = "delegate"
)

// Role is the role of a key, by its profile, or by its certificate when no profile is told.
func (k Key) Role() string {
	if k.Profile != "" {
		return strings.TrimSuffix(strings.TrimSuffix(k.Profile, "-auth"), "-sign")
	}
	c, err := pki.ParseCertificate(k.Raw)
	if err != nil {
		return ""
	}
	return RoleOf(c.Holder())
}

// signs reports a key that signs documents, not one for sign-in alone.
func (k Key) signs() bool {
	if k.Profile != "" {
		return !strings.HasSuffix(k.Profile, "-auth")
	}
	c, err := pki.ParseCertificate(k.Raw)
	return err == nil && c.ForSigning()
}

// StandingOf says by what right a holder acts for the organisation of his certificate: as its head by
// certificate and registry, or as a delegate with a power ("" for any). HR may do neither (V6).
// Everybody else is refused. The certificate itself is judged where it signs.
func (o *Office) StandingOf(ctx context.Context, by pki.Holder, power string) (Standing, Delegation, error) {
	role := RoleOf(by)
	if by.IIN == "" || by.BIN == "" || (role != RoleHead && role != RoleSignRight) {
		return "", Delegation{}, refuse("ROLE_CANNOT_CONFIRM")
	}
	head, err := o.headOf(ctx, by.IIN, ident.BIN(by.BIN))
	if err != nil {
		return "", Delegation{}, err
	}
	if role == RoleHead {
		if head.IIN != by.IIN {
			return "", Delegation{}, &Refusal{Code: "HEAD_NOT_IN_REGISTRY", Evidence: head.evidence()}
		}
		return AsHead, Delegation{}, nil
	}
	d, err := o.delegated(ctx, by, power, head)
	if err != nil {
		return "", Delegation{}, err
	}
	if d.ID == "" {
		return "", Delegation{}, refuse("ROLE_CANNOT_CONFIRM")
	}
	return AsDelegate, d, nil
}

// grounds are what a delegation stands on beside itself: who heads the organisation now, and what keys
// its holder has. They are asked for before a transaction.
type grounds struct {
	head string
	keys []Key
}

// delegated finds a delegation that counts now: living, given by the present head, to a person who is
// not dismissed and holds a valid key with the right to sign. With power "" it has every power that
// living delegations give him.
func (o *Office) delegated(ctx context.Context, by pki.Holder, power string, head HeadAnswer) (Delegation, error) {
	keys, err := o.c.Keys.Of(ctx, by.IIN)
	if err != nil {
		return Delegation{}, fmt.Errorf("find a delegate's key: %w", err)
	}
	powers := []string{power}
	if power == "" {
		powers = []string{PowerConfirm, PowerRevoke}
	}
	var found Delegation
	err = o.c.Store.View(ctx, func(tx Tx) error {
		var given []string
		for _, p := range powers {
			d, err := o.given(ctx, tx, Post{by.BIN, by.IIN}, p, grounds{head.IIN, keys})
			if err != nil {
				return err
			}
			if d.ID != "" {
				given, found = append(given, p), d
			}
		}
		if power == "" {
			found.Powers = given
		}
		return nil
	})
	if err != nil {
		return Delegation{}, fmt.Errorf("find a delegation: %w", err)
	}
	return found, nil
}

// given finds the delegation by which a person has a power now; its ID is empty when there is none.
func (o *Office) given(ctx context.Context, tx Tx, to Post, power string, g grounds) (Delegation, error) {
	if gone, err := dismissed(ctx, tx, to.BIN, to.IIN); err != nil || gone {
		return Delegation{}, err
	}
	open, err := tx.OpenDelegationsTo(ctx, to.IIN)
	if err != nil {
		return Delegation{}, err
	}
	now := o.c.Now()
	for _, d := range open {
		if d.gives(to.BIN, power, now) && d.Head == g.head && d.held(g.keys, now) {
			return d, nil
		}
	}
	return Delegation{}, nil
}

// asHead refuses everybody but the head of the organisation of the certificate.
func (o *Office) asHead(ctx context.Context, by pki.Holder) (HeadAnswer, error) {
	if by.BIN == "" || RoleOf(by) != RoleHead {
		return HeadAnswer{}, refuse("HEAD_ONLY")
	}
	head, err := o.headOf(ctx, by.IIN, ident.BIN(by.BIN))
	if err != nil {
		return HeadAnswer{}, err
	}
	if by.IIN == "" || head.IIN != by.IIN {
		return HeadAnswer{}, &Refusal{Code: "HEAD_NOT_IN_REGISTRY", Evidence: head.evidence()}
	}
	return head, nil
}

func dismissed(ctx context.Context, tx Tx, bin, iin string) (bool, error) {
	d, err := tx.Dismissal(ctx, bin, iin)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && d.LiftedAt.IsZero(), err
}

// Dismissed reports whether the head of an organisation has marked a person as dismissed.
func (o *Office) Dismissed(ctx context.Context, bin, iin string) (gone bool, err error) {
	err = o.c.Store.View(ctx, func(tx Tx) error {
		gone, err = dismissed(ctx, tx, bin, iin)
		return err
	})
	return gone, err
}

// Post is a person in an organisation.
type Post struct{ BIN, IIN string }

// DismissedAmong tells which of some persons are dismissed, and where.
func (o *Office) DismissedAmong(ctx context.Context, iins []string) (map[Post]bool, error) {
	var posts []Post
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		posts, err = tx.DismissedAmong(ctx, iins)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ask for dismissals: %w", err)
	}
	all := make(map[Post]bool, len(posts))
	for _, p := range posts {
		all[p] = true
	}
	return all, nil
}

// notDismissed refuses keys of an organisation for somebody its head has dismissed (L3). A head
// whom the registry names needs nobody's leave.
func (o *Office) notDismissed(ctx context.Context, s Subject, role string) error {
	if s.BIN == "" || role == RoleHead {
		return nil
	}
	gone, err := o.Dismissed(ctx, s.BIN, s.IIN)
	if err != nil {
		return fmt.Errorf("ask for a dismissal: %w", err)
	}
	if gone {
		return refuse("NOT_EMPLOYED")
	}
	return nil
}

// Revocable reports a key whose life a revocation could still shorten.
func (k Key) Revocable(now time.Time) bool {
	return (k.RevokedAt.IsZero() || k.Reason == "certificateHold") && !now.After(k.NotAfter)
}

// Ended says why a key of an organisation leads nowhere any more, for reminders: "liquidated", "head-changed",
// "dismissed", or nothing. A registry that cannot answer ends nothing.
func (k Key) Ended(head HeadAnswer, dismissed bool) string {
	ofHead := k.Role() == RoleHead
	switch {
	case k.BIN == "":
	case head.bad() && head.Code == "ENTERPRISE_LIQUIDATED":
		return "liquidated"
	case ofHead && (head.Verdict == trust.Good && head.IIN != k.IIN || head.bad() && head.Code == "REGISTRY_NO_HEAD"):
		return "head-changed"
	case !ofHead && dismissed:
		return "dismissed"
	}
	return ""
}
