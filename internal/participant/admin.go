package participant

import (
	"encoding/xml"
	"time"

	"senim/internal/ident"
)

// AdminKind is what an administrator blocks.
type AdminKind string

// The kinds. The object is an IIN, a profile's id, or a tin.
const (
	BlockAccount    AdminKind = "account"
	BlockProfile    AdminKind = "profile"
	BlockEnterprise AdminKind = "enterprise"
)

// ParseAdminKind reads a kind from a form.
func ParseAdminKind(s string) (AdminKind, bool) {
	k := AdminKind(s)
	return k, k == BlockAccount || k == BlockProfile || k == BlockEnterprise
}

// AdminState is where an administrator's act stands.
type AdminState string

// The states. A block is done with its maker's signature; lifting one waits for another administrator.
const (
	AdminDraft    AdminState = "DRAFT"
	AdminWaiting  AdminState = "WAITING"
	AdminDone     AdminState = "DONE"
	AdminRejected AdminState = "REJECTED"
)

// Administrator is the operator who acts, with the certificate he signs by.
type Administrator struct {
	IIN    ident.IIN
	Serial string
	Name   string
}

// AdminAct is one block of an account, a profile or an enterprise, or the lifting of it. What it says
// never changes once it is made.
type AdminAct struct {
	ID     string
	Kind   AdminKind
	Object string
	Name   string // of the person or enterprise, as it was then
	Lift   bool
	Reason string
	State  AdminState

	Made, Decided       time.Time
	MadeBy, DecidedBy   Administrator
	MadeXML, DecidedXML []byte // as each of them signed it
}

// adminXML is an act as an administrator signs it. Who made it stands in it, so that the second signs
// exactly what the first asked for.
type adminXML struct {
	XMLName xml.Name `xml:"administration"`
	Step    string   `xml:"step,attr"` // record or confirm
	ID      string   `xml:"id"`
	Act     string   `xml:"act"` // block or unblock
	Kind    string   `xml:"kind"`
	Object  string   `xml:"object"`
	Name    string   `xml:"name"`
	Reason  string   `xml:"reason"`
	By      string   `xml:"madeBy"`
	Time    string   `xml:"time"`
	Origin  string   `xml:"origin"`
}

// Action names what the act does.
func (a AdminAct) Action() string {
	if a.Lift {
		return "unblock"
	}
	return "block"
}

// Step is what a signature means now: record, confirm, or "" when nothing is left to sign.
func (a AdminAct) Step() string {
	switch a.State {
	case AdminDraft:
		return "record"
	case AdminWaiting:
		return "confirm"
	case AdminDone, AdminRejected:
	}
	return ""
}

// document is the act as it is signed now.
func (a AdminAct) document(origin string) ([]byte, error) {
	return writeDocument(adminXML{Step: a.Step(), ID: a.ID, Act: a.Action(), Kind: string(a.Kind), Object: a.Object, Name: a.Name, Reason: a.Reason,
		By: string(a.MadeBy.IIN), Time: moment(a.Made), Origin: origin})
}

// sign takes a verified signature: the maker's over a draft, another's over what waits. Nobody decides
// about himself. NOT_THE_MAKER, SAME_OPERATOR, OPERATOR_SELF, ADMIN_STATE.
func (a AdminAct) sign(by Administrator, at time.Time, signed []byte) (AdminAct, error) {
	if err := a.party(by); err != nil {
		return a, err
	}
	switch a.State {
	case AdminDraft:
		if by.IIN != a.MadeBy.IIN {
			return a, deny("NOT_THE_MAKER")
		}
		a.MadeXML, a.MadeBy, a.State = signed, by, AdminWaiting
		if !a.Lift {
			a.State, a.Decided = AdminDone, at
		}
		return a, nil
	case AdminWaiting:
		if by.IIN == a.MadeBy.IIN || by.Serial == a.MadeBy.Serial {
			return a, deny("SAME_OPERATOR")
		}
		a.DecidedXML, a.DecidedBy, a.Decided, a.State = signed, by, at, AdminDone
		return a, nil
	case AdminDone, AdminRejected:
	}
	return a, deny("ADMIN_STATE")
}

// reject ends what waits. Its maker may reject it too.
func (a AdminAct) reject(by Administrator, at time.Time) (AdminAct, error) {
	if err := a.party(by); err != nil {
		return a, err
	}
	if a.State != AdminWaiting {
		return a, deny("ADMIN_STATE")
	}
	a.DecidedBy, a.Decided, a.State = by, at, AdminRejected
	return a, nil
}

// party refuses an administrator whom the act is about.
func (a AdminAct) party(by Administrator) error {
	if by.IIN == "" || a.Kind == BlockAccount && a.Object == string(by.IIN) {
		return deny("OPERATOR_SELF")
	}
	return nil
}
