package store

import (
	"context"
	"strings"
	"time"

	"senim/internal/participant"
)

// permissionsText is how permissions are kept: their names with spaces between. The reverse is
// [permissionsOf].
func permissionsText(all []participant.Permission) string {
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = string(p)
	}
	return strings.Join(names, " ")
}

func permissionsOf(s string) []participant.Permission {
	var all []participant.Permission
	for _, name := range strings.Fields(s) {
		all = append(all, participant.Permission(name))
	}
	return all
}

const invitationColumns = `id, state, inviter, head, tin, org, iin, email, lang, permissions, proxy, valid_from, valid_to,
	link, failed, offer, acceptance, made, sent, expires, ended`

func scanInvitation(r row) (i participant.Invitation, err error) {
	var permissions string
	var from, to, made, sent, expires, ended int64
	err = r.Scan(&i.ID, &i.State, &i.By, &i.Head, &i.TIN, &i.Org, &i.IIN, &i.Email, &i.Lang, &permissions, &i.Grant.Proxy, &from, &to,
		&i.Link, &i.Failed, &i.Offer, &i.Acceptance, &made, &sent, &expires, &ended)
	i.Grant.Permissions, i.Grant.From, i.Grant.To = permissionsOf(permissions), at(from), at(to)
	i.Made, i.Sent, i.Expires, i.Over = at(made), at(sent), at(expires), at(ended)
	return i, err
}

func (t participantTx) Invitation(ctx context.Context, id string) (participant.Invitation, error) {
	return one(ctx, t.tx, participant.ErrNotFound, scanInvitation,
		`select `+invitationColumns+` from participant_invitations where id = $1`, id)
}

func (t participantTx) InvitationByLink(ctx context.Context, hash string) (participant.Invitation, error) {
	return one(ctx, t.tx, participant.ErrNotFound, scanInvitation,
		`select `+invitationColumns+` from participant_invitations where link = $1 and link <> ''`, hash)
}

func (t participantTx) Invitations(ctx context.Context, tin string, since time.Time) ([]participant.Invitation, error) {
	return list(ctx, t.tx, scanInvitation, `select `+invitationColumns+` from participant_invitations
		where tin = $1 and state <> 'DRAFT' and (sent >= $2 or state = 'SENT') order by sent, id`, tin, ms(since))
}

func (t participantTx) PutInvitation(ctx context.Context, i participant.Invitation) error {
	_, err := t.exec(ctx, `insert into participant_invitations (`+invitationColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
		on conflict (id) do update set state = excluded.state, link = excluded.link, failed = excluded.failed, offer = excluded.offer,
			acceptance = excluded.acceptance, sent = excluded.sent, expires = excluded.expires, ended = excluded.ended`,
		i.ID, string(i.State), i.By, string(i.Head), i.TIN, i.Org, string(i.IIN), i.Email, string(i.Lang), permissionsText(i.Grant.Permissions),
		i.Grant.Proxy, ms(i.Grant.From), ms(i.Grant.To), i.Link, int64(i.Failed), i.Offer, i.Acceptance, ms(i.Made), ms(i.Sent), ms(i.Expires), ms(i.Over))
	return err
}

func (t participantTx) SweepInvitations(ctx context.Context, before time.Time) error {
	_, err := t.exec(ctx, `delete from participant_invitations where state = 'DRAFT' and made < $1`, ms(before))
	return err
}
