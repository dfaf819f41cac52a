package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/store"
)

// ParticipantInvite has the cases of invitations and of what an invited user was given.
func ParticipantInvite(t *testing.T, s *store.Store) {
	ctx := t.Context()
	st := s.Participant()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	do := func(t *testing.T, f func(participant.Tx) error) {
		t.Helper()
		if err := st.Update(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	grant := participant.Grant{Permissions: []participant.Permission{participant.MayView, participant.MayDecide}, Proxy: "7/26 «а»",
		From: now.Add(-time.Hour), To: now.Add(time.Hour)}
	draft := participant.Invitation{ID: "n1", State: participant.InviteDraft, By: "p", Head: "h", TIN: "t", Org: "АО", IIN: "i",
		Email: "u@example.kz", Lang: lang.KK, Grant: grant, Made: now}

	t.Run("draft", func(t *testing.T) {
		old, fresh := draft, draft
		old.ID, old.Made = "n0", now.Add(-time.Hour)
		do(t, func(tx participant.Tx) error {
			return errors.Join(tx.PutInvitation(ctx, old), tx.PutInvitation(ctx, fresh))
		})
		do(t, func(tx participant.Tx) error { return tx.SweepInvitations(ctx, now) })
		do(t, func(tx participant.Tx) error {
			got, err := tx.Invitation(ctx, "n1")
			if d := cmp.Diff(draft, got); d != "" {
				t.Error(d)
			}
			if _, gone := tx.Invitation(ctx, "n0"); !errors.Is(gone, participant.ErrNotFound) {
				t.Errorf("the old draft: %v", gone)
			}
			if _, none := tx.InvitationByLink(ctx, ""); !errors.Is(none, participant.ErrNotFound) {
				t.Errorf("a draft has a link: %v", none)
			}
			if all, err := tx.Invitations(ctx, "t", time.Time{}); err != nil || len(all) != 0 {
				t.Errorf("drafts are listed: %v %v", all, err)
			}
			return err
		})
	})

	t.Run("sent", func(t *testing.T) {
		sent := draft
		sent.State, sent.Link, sent.Failed, sent.Offer, sent.Sent, sent.Expires = participant.InviteSent, "k1", 2, "s1", now, now.Add(time.Hour)
		over := sent
		over.ID, over.Link, over.State, over.Acceptance, over.Sent, over.Over = "n2", "k2", participant.InviteAccepted, "s2", now.Add(time.Minute), now.Add(time.Hour)
		other := sent
		other.ID, other.Link, other.TIN = "n3", "k3", "t3"
		do(t, func(tx participant.Tx) error {
			return errors.Join(tx.PutInvitation(ctx, sent), tx.PutInvitation(ctx, over), tx.PutInvitation(ctx, other), tx.SweepInvitations(ctx, now.Add(time.Hour)))
		})
		list := func(since time.Time, want ...participant.Invitation) {
			t.Helper()
			do(t, func(tx participant.Tx) error {
				got, err := tx.Invitations(ctx, "t", since)
				if d := cmp.Diff(want, got); d != "" {
					t.Error(d)
				}
				return err
			})
		}
		list(now, sent, over)
		list(now.Add(time.Hour), sent) // still open, however old
		do(t, func(tx participant.Tx) error {
			got, err := tx.InvitationByLink(ctx, "k2")
			if d := cmp.Diff(over, got); d != "" {
				t.Error(d)
			}
			return err
		})
	})

	t.Run("user", func(t *testing.T) {
		want := participant.Profile{ID: "pu", IIN: "iu", TIN: "tu", Type: participant.TypeUser, Name: "АО", Category: participant.LegalEntity,
			Status: participant.Active, Reason: participant.ReasonInvited, Since: now, Grant: grant}
		do(t, func(tx participant.Tx) error { return tx.PutProfile(ctx, want) })
		want.Grant = participant.Grant{Permissions: []participant.Permission{participant.MayIssue}, Proxy: "8", From: now, To: now.Add(24 * time.Hour)}
		do(t, func(tx participant.Tx) error { return tx.PutProfile(ctx, want) })
		do(t, func(tx participant.Tx) error {
			got, err := tx.Profile(ctx, "pu")
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			return err
		})
	})
}
