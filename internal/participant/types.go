package participant

import "senim/internal/registry"

// ProfileType is businessProfileType of the API, section 12.
type ProfileType string

// The types made here. PROJECT_ADMIN and PROJECT_USER come with projects, which are no registration.
const (
	TypeIndividual       ProfileType = "INDIVIDUAL"
	TypeEntrepreneur     ProfileType = "ENTREPRENEUR"
	TypeEntrepreneurUser ProfileType = "ENTREPRENEUR_USER"
	TypeLawyer           ProfileType = "LAWYER"
	TypeLawyerUser       ProfileType = "LAWYER_USER"
	TypeBailiff          ProfileType = "BAILIFF"
	TypeBailiffUser      ProfileType = "BAILIFF_USER"
	TypeMediator         ProfileType = "MEDIATOR"
	TypeMediatorUser     ProfileType = "MEDIATOR_USER"
	TypeNotary           ProfileType = "NOTARY"
	TypeNotaryUser       ProfileType = "NOTARY_USER"
	TypeHead             ProfileType = "ADMIN_ENTERPRISE"
	TypeUser             ProfileType = "USER"
)

// headed pairs the types of those who head something with the type of whom they invite.
func headed() map[ProfileType]ProfileType {
	return map[ProfileType]ProfileType{TypeHead: TypeUser, TypeEntrepreneur: TypeEntrepreneurUser, TypeLawyer: TypeLawyerUser,
		TypeBailiff: TypeBailiffUser, TypeMediator: TypeMediatorUser, TypeNotary: TypeNotaryUser}
}

// Heads reports whether a profile of the type invites others and sets what they may do.
func (t ProfileType) Heads() bool { return headed()[t] != "" }

// UserType is the type of those whom a profile of this type invites; "" when it invites nobody.
func (t ProfileType) UserType() ProfileType { return headed()[t] }

// Invited reports whether a profile of the type acts by a power of attorney.
func (t ProfileType) Invited() bool {
	for _, user := range headed() {
		if t == user {
			return true
		}
	}
	return false
}

// Trades reports whether a profile of the type belongs to what an administrator blocks as an enterprise: an
// organisation, a sole proprietor or a practice. A person's own profile has the same tin, and does not.
func (t ProfileType) Trades() bool { return t.Heads() || t.Invited() }

// Enterprise reports whether a profile of the type acts for an organisation: its tin is a BIN, and its
// keys carry that BIN.
func (t ProfileType) Enterprise() bool { return t == TypeHead || t == TypeUser }

// ProfileType is the type of profile a registration in the category makes; the practice is what the
// register of taxpayers says of a private practitioner. "" when it names none of the four.
func (c Category) ProfileType(p registry.Practice) ProfileType {
	switch c {
	case Individual:
		return TypeIndividual
	case SoleProprietor:
		return TypeEntrepreneur
	case PrivatePractice:
		switch p {
		case registry.Lawyer, registry.Bailiff, registry.Mediator, registry.Notary:
			return ProfileType(p)
		}
		return ""
	case LegalEntity, StructuralUnit:
		return TypeHead
	}
	return ""
}
