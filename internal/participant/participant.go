// Package participant holds the rules by which a person becomes, and stays, a participant of the
// e-invoice system: accounts, profiles, registration, and the change of a company's head.
//
// The two calls most want are [New], which makes an [Office], and [Office.Complete], the one
// transaction in which a registration becomes a profile and the previous head loses his. Before it
// stand the wizard ([Office.Start], [Office.Certificate], [Office.Data], [Office.Sign]) and beside
// it the sign-in ([Office.SignIn], [Office.Profiles]).
//
// It refuses whatever it could not check: a gate whose revocation or registry answer is missing
// stays closed, and says so with a code of its own, CHECK_UNAVAILABLE, that is not a refusal. It
// holds no SQL and no sockets: what it keeps goes through [Store], what it asks through [Registry]
// and [Judge]. Numbers in the comments (G1…G9, R1…R9, S1…S7, M1…M4) are those of the portal's
// specification, sections 2 to 9.
package participant

import (
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
)

// Category is what a person registers as: the tiles of «Регистрация пользователя» (section 5).
type Category string

// The five categories.
const (
	Individual      Category = "individual"       // физическое лицо
	SoleProprietor  Category = "sole-proprietor"  // индивидуальный предприниматель
	PrivatePractice Category = "private-practice" // лицо, занимающееся частной практикой
	LegalEntity     Category = "legal-entity"     // юридическое лицо
	StructuralUnit  Category = "structural-unit"  // структурное подразделение юридического лица
)

// Categories lists the tiles in the order of the form.
func Categories() []Category {
	return []Category{Individual, SoleProprietor, PrivatePractice, LegalEntity, StructuralUnit}
}

// ParseCategory reads a category from a form; anything else is refused with ok false.
func ParseCategory(s string) (c Category, ok bool) {
	for _, c := range Categories() {
		if string(c) == s {
			return c, true
		}
	}
	return "", false
}

// Enterprise reports whether the profile made is of an organisation (tin = BIN).
func (c Category) Enterprise() bool { return c == LegalEntity || c == StructuralUnit }

// AccountState is the state of an account, section 11.
type AccountState string

// The states. LOCKED and PASSWORD_EXPIRED are not kept in [Account.State]: [Account.Standing] tells them.
const (
	AccountPending         AccountState = "PENDING"
	AccountActive          AccountState = "ACTIVE"
	AccountLocked          AccountState = "LOCKED"
	AccountPasswordExpired AccountState = "PASSWORD_EXPIRED"
	AccountBlocked         AccountState = "BLOCKED"
)

// Account is one person's entry: password, e-mail, language. It belongs to the IIN, never to an
// enterprise (M1): one password opens every profile of the person.
type Account struct {
	IIN             ident.IIN
	Name            string // surname, name, patronymic, as in the certificate
	Password        string // argon2id with its parameters, see [HashPassword]
	Email           string // confirmed when EmailConfirmed is set
	EmailConfirmed  time.Time
	Phone           string // E.164 or empty
	Lang            lang.Tag
	State           AccountState
	BlockedReason   string
	Failed          int       // wrong passwords since the last good one or the last lock
	Locks           int       // locks since the last good password: each is twice as long
	LockedUntil     time.Time // sign-in is refused until then
	DayFailed       int       // wrong passwords since DayStart
	DayStart        time.Time // when the present day of counting began
	PasswordChanged time.Time
	Created         time.Time
}

// Status is the status of a profile, named as in the API (section 11).
type Status string

// The statuses of a profile.
const (
	Active            Status = "ACTIVE"
	Blocked           Status = "BLOCKED"
	HeadChangeBlocked Status = "ENTERPRISE_ADMIN_CHANGE_BLOCKED"
	EnterpriseBlocked Status = "ENTERPRISE_BLOCKED"
)

// Reasons of a status, kept as codes and said in the reader's language as portal.reason.<code>.
const (
	ReasonHeadChange    = "head-change"
	ReasonAdministrator = "administrator"
	ReasonRegistered    = "registered"
	ReasonRevived       = "revived"
	ReasonReconfirm     = "reconfirm"
	ReasonReconfirmed   = "reconfirmed"
	ReasonInvited       = "invited"
	ReasonRemoved       = "head-removed"
	ReasonEnterprise    = "enterprise"
	ReasonLifted        = "lifted"
)

// Profile is account × tin × type × status. Blocking one leaves a person's others alone (M2), and
// no profile is ever deleted (M3).
type Profile struct {
	ID          string // random
	IIN         ident.IIN
	TIN         string // BIN of an enterprise, IIN of a person
	Type        ProfileType
	Name        string // of the enterprise or of the person
	Category    Category
	Status      Status
	Previous    Status // remembered while ENTERPRISE_BLOCKED
	Reason      string // Reason… code of the last change
	Since       time.Time
	Evidence    string    // id of the evidence of the last change
	ReconfirmBy time.Time // an invited user waits for the new head's word until then; zero: no
	Grant       Grant     // of an invited user
	Note        string    // what an administrator gave as his reason, while his block stands
}

// Change is one line of a profile's history: kept for ever.
type Change struct {
	Profile  string
	From, To Status
	Reason   string
	At       time.Time
	Evidence string
}

// Enterprise is what the portal itself knows of an organisation; names and heads are the
// registry's business. The head is derived from profiles.
type Enterprise struct {
	TIN           string
	Name          string
	Category      Category
	HeadOffice    string // BIN, for a structural unit
	RecordID      string // of the registry
	Blocked       bool
	BlockedReason string
	Updated       time.Time
}
