package participant

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"senim/internal/ident"
	"senim/internal/lang"
)

// Permission is one thing an invited user may do in the name of the enterprise.
type Permission string

// The permissions, in the order of the form.
const (
	MayView   Permission = "VIEW"   // see invoices
	MayIssue  Permission = "ISSUE"  // make and sign invoices
	MayDecide Permission = "DECIDE" // decline and recall invoices
)

// Permissions lists them all.
func Permissions() []Permission { return []Permission{MayView, MayIssue, MayDecide} }

// Grant is what a head gives an invited user: what he may do, by which power of attorney, and when.
type Grant struct {
	Permissions []Permission
	Proxy       string    // number of the power of attorney
	From, To    time.Time // midnights of Astana; To is the first moment after the last day
}

// LastDay is the last day of the term.
func (g Grant) LastDay() time.Time { return g.To.In(lang.Astana).AddDate(0, 0, -1) }

// code says why the grant does not let its user act at the moment: "" or a code of the API.
func (g Grant) code(at time.Time) string {
	switch {
	case at.Before(g.From):
		return "PROXY_NOT_YET"
	case !g.To.IsZero() && !at.Before(g.To):
		return "PERMISSIONS_EXPIRED"
	}
	return ""
}

// InvitationState is where an invitation stands.
type InvitationState string

// The states of an invitation.
const (
	InviteDraft     InvitationState = "DRAFT" // waits for the head's signature
	InviteSent      InvitationState = "SENT"
	InviteAccepted  InvitationState = "ACCEPTED"
	InviteReplaced  InvitationState = "REPLACED" // a newer one was signed for the same person
	InviteWithdrawn InvitationState = "WITHDRAWN"
)

// Invitation is a head's offer to a person to act for the enterprise. What it offers never changes
// once it is made.
type Invitation struct {
	ID     string
	State  InvitationState
	By     string // profile of the head
	Head   ident.IIN
	TIN    string
	Org    string
	IIN    ident.IIN
	Email  string
	Lang   lang.Tag
	Grant  Grant
	Link   string // hash of the letter's token
	Failed int    // people with another IIN who followed the link
	// Offer and Acceptance are ids of the [SignedAct] of the head and of the invited person.
	Offer, Acceptance         string
	Made, Sent, Expires, Over time.Time
}

// Open reports whether the invitation may be accepted at the moment.
func (i Invitation) Open(at time.Time) bool { return i.State == InviteSent && at.Before(i.Expires) }

// offered is the invitation once its head signed it: good for so long, and never beyond its own term.
func (i Invitation) offered(at time.Time, ttl time.Duration, link, signature string) Invitation {
	i.State, i.Sent, i.Link, i.Offer = InviteSent, at, link, signature
	i.Expires = at.Add(ttl)
	if i.Grant.To.Before(i.Expires) {
		i.Expires = i.Grant.To
	}
	return i
}

func (i Invitation) ended(s InvitationState, at time.Time) Invitation {
	i.State, i.Over = s, at
	return i
}

// accept gives the invited person's row: a new one, or his former one with the newer grant.
func (p Profile) accept(i Invitation, t ProfileType, at time.Time, signature string) (Profile, Change, error) {
	p.IIN, p.TIN, p.Type, p.Name = i.IIN, i.TIN, t, i.Org
	p.Grant, p.ReconfirmBy = i.Grant, time.Time{}
	return p.step(ProfileOpened, ReasonInvited, at, signature)
}

// Confirmable reports whether a new head may confirm the user now: he waits for it, or was closed
// because nobody did, and his term is not over.
func (p Profile) Confirmable(at time.Time) bool {
	if !p.Type.Invited() || p.Grant.code(at) == "PERMISSIONS_EXPIRED" {
		return false
	}
	return p.Status == Active && !p.ReconfirmBy.IsZero() || p.Status == HeadChangeBlocked
}

// Removable reports whether the head may take the user's access.
func (p Profile) Removable() bool {
	return p.Type.Invited() && (p.Status == Active || p.Status == HeadChangeBlocked)
}

// unconfirmed closes a user whom the new head did not confirm in time.
func (p Profile) unconfirmed(at time.Time) (next Profile, c Change, due bool) {
	if !p.Type.Invited() || p.Status != Active || p.ReconfirmBy.IsZero() || at.Before(p.ReconfirmBy) {
		return p, Change{}, false
	}
	p.ReconfirmBy = time.Time{}
	p, c, err := p.step(ProfileForgotten, ReasonReconfirm, at, p.Evidence)
	return p, c, err == nil
}

// InviteForm is what a head types.
type InviteForm struct {
	IIN, Email, Proxy, From, To string
	Permissions                 []string
}

const (
	maxProxy = 40
	// maxTermYears is how long a power of attorney may be given for.
	maxTermYears = 3
)

// read checks the form for the head of the IIN: the person, the address and the grant, or what is
// wrong with each field.
func (f InviteForm) read(rules ident.Rules, head ident.IIN, now time.Time) (iin ident.IIN, email string, g Grant, wrong FieldErrors) {
	wrong = FieldErrors{}
	iin, err := rules.AdmitIIN(strings.Join(strings.Fields(f.IIN), ""))
	switch {
	case strings.TrimSpace(f.IIN) == "":
		wrong["iin"] = "FIELD_EMPTY"
	case err != nil:
		wrong["iin"] = "NUMBER_INVALID"
	case iin == head:
		wrong["iin"] = "INVITE_SELF"
	}
	mail, err := ident.ParseEmail(f.Email)
	switch {
	case strings.TrimSpace(f.Email) == "":
		wrong["email"] = "FIELD_EMPTY"
	case err != nil:
		wrong["email"] = "EMAIL_INVALID"
	}
	for _, p := range Permissions() {
		if slices.Contains(f.Permissions, string(p)) {
			g.Permissions = append(g.Permissions, p)
		}
	}
	if len(g.Permissions) == 0 {
		wrong["permissions"] = "PERMISSIONS_NONE"
	}
	g.Proxy = strings.TrimSpace(f.Proxy)
	switch n := utf8.RuneCountInString(g.Proxy); {
	case n == 0:
		wrong["proxy"] = "FIELD_EMPTY"
	case n > maxProxy:
		wrong["proxy"] = "TEXT_LONG"
	}
	f.term(&g, now, wrong)
	return iin, string(mail), g, wrong
}

// term reads the days of the power of attorney.
func (f InviteForm) term(g *Grant, now time.Time, wrong FieldErrors) {
	day := func(field, typed string) (time.Time, bool) {
		if strings.TrimSpace(typed) == "" {
			wrong[field] = "FIELD_EMPTY"
			return time.Time{}, false
		}
		d, err := parseDate(strings.TrimSpace(typed))
		if err != nil || d.Year() < 2000 || d.Year() > 9000 {
			wrong[field] = "TERM_INVALID"
			return time.Time{}, false
		}
		return time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, lang.Astana), true
	}
	from, okFrom := day("from", f.From)
	to, okTo := day("to", f.To)
	if !okFrom || !okTo {
		return
	}
	g.From, g.To = from.UTC(), to.AddDate(0, 0, 1).UTC()
	switch {
	case !now.Before(g.To):
		wrong["to"] = "TERM_PAST"
	case to.Before(from):
		wrong["to"] = "TERM_REVERSED"
	case to.After(from.AddDate(maxTermYears, 0, 0)):
		wrong["to"] = "TERM_LONG"
	}
}
